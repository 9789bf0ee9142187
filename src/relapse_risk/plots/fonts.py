"""A font with Chinese characters, for matplotlib, which brings none."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from matplotlib.font_manager import FontEntry, fontManager
from matplotlib.ft2font import FT2Font

from relapse_risk.errors import NoChineseFont, warn_caller

#: Noto Sans SC under the Open Font License, as a package.
_PACKAGE = "pylopdf_fonts_zh_cn"
#: Fonts that systems bring, the best first. A collection of Noto's goes by its first name, the Japanese one.
_OF_SYSTEMS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans CJK JP"),
    *("Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB", "Heiti TC", "STHeiti", "Arial Unicode MS"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "SimSun"),
)
#: Characters that a font must have to be taken.
_NEEDED = "返贫监测线"


@cache
def chinese_font() -> str | None:
    """Return the name of a font that has Chinese characters, known to matplotlib; None where there is none.

    Warns
    -----
    NoChineseFont
        Once, where there is none: labels are in English alone then, never empty boxes.
    """
    if find_spec(_PACKAGE) is not None:
        import pylopdf_fonts_zh_cn  # noqa: PLC0415

        path = str(pylopdf_fonts_zh_cn.sans_path())
        fontManager.addfont(path)
        return str(FT2Font(path).family_name)
    for name in _OF_SYSTEMS:
        if any(font.name == name and _has_characters(font) for font in fontManager.ttflist):
            return name
    warn_caller(
        "no font with Chinese characters was found: plots are labelled in English alone. Install one: "
        "pip install 'relapse-risk[notebook]', or on Debian apt-get install fonts-noto-cjk",
        NoChineseFont,
    )
    return None


def _has_characters(font: FontEntry) -> bool:
    try:
        face = FT2Font(font.fname)
    except (OSError, RuntimeError):  # listed, but gone or damaged
        return False
    return all(face.get_char_index(ord(character)) for character in _NEEDED)
