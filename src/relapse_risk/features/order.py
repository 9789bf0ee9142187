"""The order of a table's rows, and which of them are later versions of others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.compiled import compiled, read_only
from relapse_risk.dates import FAR_FUTURE, Days

Codes = npt.NDArray[np.int32]


class Keys(NamedTuple):
    """What rows are ordered by: first by household, last by the day they were known.

    Parameters
    ----------
    household, occurred, known : ndarray of int32, shape (n_rows,)
        As in ``EncodedTable``.
    code : ndarray of int32, shape (n_rows,) or (0,)
        The codes of the key as one number; empty where the key has none.
    text : ndarray of int32, shape (n_rows,) or (0,)
        The text of the key as a number: equal where the texts are. Empty where the key has none.
    """

    household: Days
    occurred: Days
    code: Codes
    text: Codes
    known: Days

    def take(self, rows: npt.NDArray[np.int64]) -> Keys:
        """Return the keys of some rows."""
        return Keys(*(of[rows] if len(of) else of for of in self))

    def order(self) -> npt.NDArray[np.int64]:
        """Return the order of the rows, where ``text`` orders as the texts do."""
        by = [of for of in self if len(of)]
        return np.lexsort(by[::-1]) if by else np.zeros(0, np.int64)


def lie_in_order(keys: Keys, texts: pa.StringArray | None = None) -> bool:
    """Return whether rows lie in order.

    Parameters
    ----------
    keys : Keys
        Of the rows.
    texts : pyarrow.StringArray, optional
        The texts that ``text`` gives the positions of; it orders as the texts do otherwise.
    """
    if texts is None:
        return bool(_in_order(keys, _NO_OFFSETS, _NO_LETTERS))
    _, offsets, letters = texts.buffers()
    of_texts = np.frombuffer(offsets or b"", np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return bool(_in_order(keys, read_only(of_texts), read_only(np.frombuffer(letters or b"", np.uint8))))


def superseded(keys: Keys, *, by_day: bool) -> Days:
    """Return the day on which each row's next version was known, far in the future for the latest.

    Parameters
    ----------
    keys : Keys
        Of rows in order.
    by_day : bool
        Whether the day is part of the key: rows of several days may be versions of each other otherwise.
    """
    days: Days = np.full(len(keys.known), FAR_FUTURE, np.int32)
    if by_day:
        _supersede_next(keys, days)
    else:
        _supersede_within_household(keys, np.full(int(keys.text.max(initial=-1)) + 2, -1), days)
    return days


_NO_OFFSETS, _NO_LETTERS = read_only(np.zeros(0, np.int32)), read_only(np.zeros(0, np.uint8))


@compiled
def _compare_texts(a, b, offsets, letters):  # type: ignore[no-untyped-def]
    """Return -1, 0 or 1 as the first text comes before the other, is the same, or after it; missing comes first."""
    if a == b:
        return 0
    if a < 0 or b < 0 or not len(offsets):
        return -1 if a < b else 1
    n_a, n_b = offsets[a + 1] - offsets[a], offsets[b + 1] - offsets[b]
    for k in range(min(n_a, n_b)):
        x, y = letters[offsets[a] + k], letters[offsets[b] + k]
        if x != y:
            return -1 if x < y else 1
    return -1 if n_a < n_b else 1


@compiled
def _in_order(keys, offsets, letters):  # type: ignore[no-untyped-def]
    household, occurred, code, text, known = keys
    for i in range(1, len(known)):
        if household[i] != household[i - 1]:
            if household[i] < household[i - 1]:
                return False
            continue
        if occurred[i] != occurred[i - 1]:
            if occurred[i] < occurred[i - 1]:
                return False
            continue
        if len(code) and code[i] != code[i - 1]:
            if code[i] < code[i - 1]:
                return False
            continue
        if len(text):
            compared = _compare_texts(text[i - 1], text[i], offsets, letters)
            if compared != 0:
                if compared > 0:
                    return False
                continue
        if known[i] < known[i - 1]:
            return False
    return True


@compiled
def _supersede_next(keys, superseded):  # type: ignore[no-untyped-def]
    household, occurred, code, text, known = keys
    for i in range(len(known) - 1):
        if (
            household[i] == household[i + 1]
            and occurred[i] == occurred[i + 1]
            and (not len(code) or code[i] == code[i + 1])
            and (not len(text) or text[i] == text[i + 1])
        ):
            superseded[i] = known[i + 1]


@compiled
def _supersede_within_household(keys, newest, superseded):  # type: ignore[no-untyped-def]
    """Link the versions among a household's rows; ``newest`` is room for each text's latest row, -1 for none."""
    household, _, code, text, known = keys
    for i in range(len(known)):
        # Nearly every row is its fact's only version.
        before = newest[text[i]] if len(text) else i - 1
        if len(text):
            newest[text[i]] = i
        if before < 0 or household[before] != household[i]:
            continue
        low = i
        while low > 0 and household[low - 1] == household[i]:
            low -= 1
        for j in range(low, i):
            if (len(text) and text[j] != text[i]) or (len(code) and code[j] != code[i]):
                continue
            earlier, later = (j, i) if known[j] <= known[i] else (i, j)
            superseded[earlier] = min(superseded[earlier], known[later])
