"""Texts that a spreadsheet would compute instead of show."""

from __future__ import annotations

#: What a formula begins with, in either width of letters; a tab or a line break before one is dropped on opening.
FORMULA_STARTS = "=+-@＝＋－＠"
_DROPPED = "\ufeff\u200b"


def harmless(text: str) -> str:
    r"""Return a text as a cell that shows it: what would be taken for a formula gets a single quote before it.

    Examples
    --------
    >>> [harmless(text) for text in ("=1+1", "\t@SUM(A1)", "还行", "A-1")]
    ["'=1+1", "'\t@SUM(A1)", '还行', 'A-1']
    """
    start = text.strip().strip(_DROPPED).strip()[:1]
    return f"'{text}" if start and start in FORMULA_STARTS else text
