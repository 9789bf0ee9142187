"""Ids, code texts, yes and no, as counties write them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports.cells import Cells, Flags
from relapse_risk.records.ids import disguised

#: What systems put around an id so that a spreadsheet keeps it as text: ="0123", '0123.
_WRAPPED = r'^=?"(.*)"$'
_MARKED = r"^['`’]+"
#: Signs between several codes in one cell.
_BETWEEN = r"[,，、;；/|\s]+"
#: A spreadsheet keeps this many digits of a number.
_DIGITS_KEPT = 15
#: So many ids ending in zeros are no chance.
_FEW = 3


def plain(text: str) -> str:
    """Return a code text without blanks, in one width of letters.

    Examples
    --------
    >>> plain(" 乡（镇） 内")
    '乡(镇)内'
    """
    return "".join(unicodedata.normalize("NFKC", text).split())


def read_ids(cells: Cells) -> tuple[Cells, Flags]:
    """Return ids freed of what kept them text, and which distinct ones a spreadsheet stored as numbers."""
    texts = pc.replace_substring_regex(cells.texts, _WRAPPED, r"\1")
    texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, _MARKED, ""))
    return Cells(texts, cells.positions, cells.numeric), cells.numeric | disguised(texts)


def long_numbers(ids: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the ids so long that a spreadsheet would cut them, and those that look cut.

    Past the 15th digit it keeps only zeros.
    """
    ids = ids.filter(pc.greater_equal(pc.binary_length(ids), _DIGITS_KEPT + 2))
    long = ids.filter(pc.match_substring_regex(ids, rf"^\d{{{_DIGITS_KEPT + 2},}}$"))
    return long, long.filter(pc.match_substring_regex(long, rf"^\d{{{_DIGITS_KEPT}}}0+$"))


def are_cut(n_long: int, n_cut: int) -> bool:
    """Return whether so many cut ids of so many long ones are no chance."""
    return n_cut >= _FEW and n_cut > 0.5 * n_long


def read_codes(cells: Cells, words: Mapping[str, str]) -> tuple[pa.Array, Flags]:
    """Return each distinct text's code, and which texts are not among the words.

    Parameters
    ----------
    cells : Cells
        As they stand.
    words : dict of str to str
        Plain texts with their codes; an empty code stands for no answer.
    """
    codes = [words.get(plain(text)) for text in cells.texts.to_pylist()]
    return pa.array([code or None for code in codes], pa.string()), np.array([c is None for c in codes], bool)


def read_code_sets(cells: Cells, words: Mapping[str, str]) -> tuple[pa.Array, Flags]:
    """Return each distinct text's codes joined by commas, and which texts hold one that is not among the words."""
    parts = pc.split_pattern_regex(cells.texts, _BETWEEN)
    found = [[words.get(plain(part)) for part in of if part] for of in parts.to_pylist()]
    joined = [",".join(dict.fromkeys(code for code in of if code)) or None for of in found]
    return pa.array(joined, pa.string()), np.array([None in of for of in found], bool)


def read_flags(cells: Cells, words: Mapping[str, str]) -> tuple[pa.Array, Flags]:
    """Return each distinct text as yes or no, and which texts are neither."""
    meant = [words.get(plain(text).lower(), words.get(plain(text))) for text in cells.texts.to_pylist()]
    flags = [{"true": True, "false": False}.get(word) if word else None for word in meant]
    return pa.array(flags, pa.bool_()), np.array([word is None for word in meant], bool)
