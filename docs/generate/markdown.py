"""Pieces of Markdown: tables, definitions and text that must not be read as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def cell(text: object) -> str:
    r"""Return text for a table's cell, on one line; inline code stays as it is.

    Examples
    --------
    >>> print(cell("a | b * c, `d * e`"))
    a \| b \* c, `d * e`
    """
    parts = re.split(r"(`[^`]*`)", " ".join(str(text).split()))
    plain = (part if part.startswith("`") else re.sub(r"([*<\[\]])", r"\\\1", part) for part in parts)
    return "".join(plain).replace("|", r"\|")


def code(text: object) -> str:
    """Return text as inline code, nothing for empty text.

    Examples
    --------
    >>> code("horizon_months"), code("")
    ('`horizon_months`', '')
    """
    return f"`{' '.join(str(text).split())}`".replace("|", r"\|") if str(text) else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown already."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def prose(text: str) -> str:
    """Return a docstring's prose: double backticks become single ones."""
    return re.sub(r"``([^`]+)``", r"`\1`", text)
