"""Citizen ids (公民身份号码, GB 11643): found in whatever form they are written, so that none is stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

VALID = (
    "Citizen ids (公民身份号码) are never stored: use the system's own person ids, or keyed hashes "
    "(pseudonym = true in an import's mapping)."
)

#: Area, day of birth, serial number, check sign.
_DATED = r"[0-9]{6}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"
_WITHIN = re.compile(f"(?=({_DATED}))")
#: What people put between the digits, after NFKC: blanks, punctuation, signs.
_BETWEEN = r"[\p{Z}\p{P}\p{S}\p{C}]"
_SIGNS = 18
#: So many texts are looked at faster one by one than Arrow compiles its expressions.
_FEW = 300
_Flags = npt.NDArray[np.bool_]
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_SIGNS = "10X98765432"


def citizen_id_in(text: str) -> str | None:
    """Return the citizen id that a text holds, in its bare form, None where there is none.

    Blanks, hyphens, full-width digits and text before or after make no difference; the check sign decides.

    Examples
    --------
    >>> citizen_id_in("id: 110105 19491231-002x"), citizen_id_in("110105194912310021")
    ('11010519491231002X', None)
    """
    return next(filter(_checks, _dated_in(text)), None)


def citizen_ids(texts: pa.Array, count: Callable[[], bool] | None = None) -> _Flags:
    """Return which distinct texts hold citizen ids.

    Other ids may have a date where a citizen id has that of birth, and one in eleven of them the right check sign.
    So texts count only where at least half of those with a date have it.

    Parameters
    ----------
    texts : Array of string
        Distinct ids.
    count : callable, optional
        Returns whether they count, where ``texts`` are only some of a column's; judged by these texts otherwise.
    """
    dated, right = dated_and_right(texts)
    if right.any() and not (count() if count else share_counts(int(dated.sum()), int(right.sum()))):
        right[:] = False
    return right


def count_as_citizen_ids(texts: pa.Array) -> bool:
    """Return whether those of a column's distinct texts that have the right check sign are citizen ids."""
    dated, right = dated_and_right(texts)
    return share_counts(int(dated.sum()), int(right.sum()))


def share_counts(n_dated: int, n_right: int) -> bool:
    """Return whether so many texts with the right check sign are citizen ids, of so many with a date."""
    return n_right >= 0.5 * n_dated


def dated_and_right(texts: pa.Array) -> tuple[_Flags, _Flags]:
    """Return which texts have a date where a citizen id has it, and which of them the right check sign as well."""
    rows = np.arange(len(texts)) if len(texts) <= _FEW else _suspected(texts)
    dated, right = np.zeros(len(texts), bool), np.zeros(len(texts), bool)
    for row, text in zip(rows, texts.take(pa.array(rows)).to_pylist(), strict=True):
        if text and (found := _dated_in(text)):
            dated[row] = True
            right[row] = any(map(_checks, found))
    return dated, right


def _dated_in(text: str) -> list[str]:
    """Return the runs of 18 signs in a text that have a date where a citizen id has it."""
    if len(text) < _SIGNS and text.isascii():
        return []  # of other letters one may stand for several digits
    wide = unicodedata.normalize("NFKC", text).upper().replace("×", "X")
    plain = "".join(sign for sign in wide if unicodedata.category(sign)[0] not in "ZPSC")
    return [match[1] for match in _WITHIN.finditer(plain)]


def _checks(digits: str) -> bool:
    return _CHECK_SIGNS[sum(w * int(d) for w, d in zip(_WEIGHTS, digits, strict=False)) % 11] == digits[-1]


def _suspected(texts: pa.Array) -> npt.NDArray[np.intp]:
    """Return which texts may have a date where a citizen id has it, by Arrow's regular expressions."""
    wide = pc.replace_substring(pc.utf8_upper(pc.utf8_normalize(texts, form="NFKC")), "×", "X")
    plain = pc.replace_substring_regex(wide, _BETWEEN, "")
    return np.flatnonzero(np.asarray(pc.match_substring_regex(plain, _DATED).fill_null(False)))
