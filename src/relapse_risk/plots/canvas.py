"""The sheet that every plot is drawn on: font, colours, words in two languages.

Colours are those of Okabe and Ito, which colour-blind people can distinguish.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import TYPE_CHECKING, Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from relapse_risk.plots.fonts import chinese_font
from relapse_risk.records.codes import Label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLACK, GREY, PALE = "#222222", "#8a8a8a", "#dcdcdc"
BLUE, SKY, GREEN = "#0072B2", "#56B4E9", "#009E73"
ORANGE, RED, PINK = "#E69F00", "#D55E00", "#CC79A7"

_STYLE: dict[str, Any] = {
    "font.size": 10,
    "text.color": BLACK,
    "axes.labelcolor": BLACK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#ececec",
    "grid.linewidth": 0.8,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "savefig.facecolor": "white",
}
P = ParamSpec("P")
#: Pixels an inch of what a notebook shows, which is drawn twice as fine.
_DPI = 90


class Plot(Figure):
    """A figure that is drawn alike wherever it is: in a notebook, in a file, whatever the user's own style says.

    It does not pass through pyplot: nothing is kept open, and a notebook needs no backend. ``savefig`` writes it.
    """

    def __init__(self, width: float = 10.0, height: float = 4.0) -> None:
        super().__init__(figsize=(width, height), dpi=_DPI, layout="constrained")

    def draw(self, renderer: Any) -> None:
        """Draw in the style of this package: ticks are made as late as this."""
        with mpl.rc_context(style()):
            super().draw(renderer)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        png = BytesIO()
        self.savefig(png, format="png", dpi=2 * _DPI)
        width, height = (round(inches * _DPI) for inches in self.get_size_inches())
        return png.getvalue(), {"width": width, "height": height}


def style() -> dict[str, Any]:
    """Return the settings of matplotlib that plots are made and drawn with."""
    found = chinese_font()
    return {**_STYLE, "font.family": [found, "DejaVu Sans"] if found else ["DejaVu Sans"]}


def drawn(plot: Callable[P, Plot]) -> Callable[P, Plot]:
    """Make a function that builds a plot build it in the style of this package."""

    @wraps(plot)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> Plot:
        with mpl.rc_context(style()):
            return plot(*args, **kwargs)

    return in_style


def both(word: Label, between: str = "  ") -> str:
    """Return a text in both languages; in English alone where no font has Chinese characters."""
    if chinese_font() is None or word.zh == word.en:
        return word.en
    return f"{word.zh}{between}{word.en}" if word.zh and word.en else word.zh or word.en


def of_data(text: object) -> str:
    """Return a text of the records, with a question mark for every character that cannot be drawn."""
    written = str(text)
    return written if chinese_font() else written.encode("ascii", "replace").decode()


def title(axes: Axes, word: Label, more: str = "") -> None:
    """Set the title of axes: Chinese above English, at the left."""
    text = both(word, "\n") + (f"   {more}" if more else "")
    axes.set_title(text, loc="left", fontsize=11, linespacing=1.5)


def number_above(axes: Axes, x: float, y: float, number: object) -> None:
    """Write a small number above a point; none where the point's height is missing."""
    if not np.isnan(y):
        axes.annotate(
            f"{number}", (x, y), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=8.5, color=GREY
        )
