"""The form of ids: one rule for records, imports and posted requests.

An id is 1 to 64 visible characters. Two ids that look the same must be the same: no character is invisible, and no
blank lies at either end. And since ids end up in visit lists that people open in a spreadsheet, none begins as a
formula does.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.spreadsheet import FORMULA_STARTS

MAX_LENGTH = 64
VALID = (
    f"Valid: 1 to {MAX_LENGTH} visible characters, no blank at either end, none of = + - @ at the start; "
    "correct it in the source."
)
EMPTY = "An empty text is no id; leave the value out where there is none."
REWRITTEN = "The text is a number that a spreadsheet rewrote; export the column as text from the source."

#: Control and format characters, separators of lines and paragraphs, private use, and letters without a shape.
#: As numbers, since the three regular expression engines at work know different versions of Unicode.
INVISIBLE = (
    *((0x0000, 0x001F), (0x007F, 0x009F), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x0600, 0x0605), (0x061C, 0x061C)),
    *((0x06DD, 0x06DD), (0x070F, 0x070F), (0x0890, 0x0891), (0x08E2, 0x08E2), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164)),
    *((0xE000, 0xF8FF), (0xFDD0, 0xFDEF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFF)),
    *((0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    *((0xE0000, 0xE0FFF), (0xF0000, 0x10FFFF)),
)
BLANKS = (
    *((0x0020, 0x0020), (0x00A0, 0x00A0), (0x1680, 0x1680), (0x2000, 0x200A), (0x202F, 0x202F)),
    *((0x205F, 0x205F), (0x3000, 0x3000)),
)


def _ranges(*ranges: tuple[int, int]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_INSIDE = _ranges(*INVISIBLE)
_EDGE = _INSIDE + _ranges(*BLANKS)
_FITTING = f"[^{_EDGE}{re.escape(FORMULA_STARTS)}](?:[^{_INSIDE}]*[^{_EDGE}])?"
#: A float's tail, or scientific notation.
_DISGUISED = r"[0-9]+\.0+|[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+"
#: So many texts are checked faster one by one than Arrow compiles its expressions.
_FEW = 300
_FITS, _IS_DISGUISED = re.compile(_FITTING), re.compile(_DISGUISED)


def rule_broken(text: str) -> str | None:
    """Return the sentence on what is valid where an id is not well-formed, None where it is.

    Examples
    --------
    >>> [rule_broken(text) is None for text in ("500236-07", "0012", " h1", "1.5E+17", "=1+1")]
    [True, True, False, False, False]
    """
    if not text:
        return EMPTY
    if _IS_DISGUISED.fullmatch(text):
        return REWRITTEN
    return None if len(text) <= MAX_LENGTH and _FITS.fullmatch(text) else VALID


def not_well_formed(distinct: pa.StringArray) -> dict[str, str]:
    """Return the distinct ids that break the rule, each with the sentence on what is valid; missing ones do not."""
    if len(distinct) > _FEW:
        distinct = distinct.filter(suspected(distinct))
    broken = {text: rule_broken(text) for text in distinct.to_pylist() if text is not None}
    return {text: valid for text, valid in broken.items() if valid}


def suspected(ids: pa.Array) -> pa.Array:
    """Return which ids break the rule, by Arrow's regular expressions; missing where the id is."""
    fits = pc.match_substring_regex(ids, rf"\A(?:{_FITTING})\z")
    too_long = pc.greater(pc.utf8_length(ids), MAX_LENGTH)
    return pc.or_(pc.or_(pc.invert(fits), too_long), _disguised(ids))


def disguised(ids: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return which ids are numbers that a spreadsheet rewrote."""
    return np.asarray(_disguised(ids).fill_null(fill_value=False)).astype(bool)


def _disguised(ids: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.match_substring_regex(ids, rf"\A(?:{_DISGUISED})\z")
