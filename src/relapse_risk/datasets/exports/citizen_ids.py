"""Citizen ids (公民身份号码) in an export: found, never stored, replaced by pseudonyms where the mapping says so.

A pseudonym is a keyed hash (HMAC-SHA256): with the county's key the same person has the same one in every file and
every export; without it nobody can compute it, though there are few enough citizen ids to try them all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports.cells import Cells, Flags
from relapse_risk.errors import NotFoundError, UsageError

#: Area, day of birth, serial number and check sign; a disability certificate's number has two or four more.
_DATED = r"^\d{6}(18|19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx](\d{2}|\d{4})?$"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_SIGNS = "10X98765432"
_LENGTH = 18
#: Bytes of the hash kept (16 letters and digits): 80 bits, so that no two persons of a province share one.
_KEPT, _KEPT_OF_KEY = 10, 5
_SHORTEST_KEY = 16


def citizen_ids(texts: pa.Array) -> Flags:
    """Return which distinct texts are citizen ids.

    Other ids may have a date where a citizen id has that of birth, and one in eleven of them the right check sign.
    So texts count as citizen ids only where at least half of those with a date have it.
    """
    dated = np.flatnonzero(np.asarray(pc.match_substring_regex(texts, _DATED).fill_null(False)))
    found = np.zeros(len(texts), bool)
    right = np.array([_checks(text) for text in texts.take(pa.array(dated)).to_pylist()], bool)
    if right.sum() >= 0.5 * len(dated):
        found[dated] = right
    return found


def _checks(text: str) -> bool:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=False))
    return _CHECK_SIGNS[total % 11] == text[_LENGTH - 1].upper()


class Pseudonyms:
    """Pseudonyms by one key.

    Parameters
    ----------
    key : bytes
        At least 16 random bytes; the same for every export of the county.

    Examples
    --------
    >>> Pseudonyms(b"a key that is not random").of("11010519491231002X")
    'q5gfg3dy-tdf6s3p4dtswqvpw'
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        #: What every pseudonym begins with, so that those of another key are recognised.
        self.prefix = self._hash(b"key", _KEPT_OF_KEY)

    @classmethod
    def load(cls, path: Path) -> Pseudonyms:
        """Read a key file.

        Raises
        ------
        NotFoundError
            If there is none.
        UsageError
            If it holds too little to be a key.
        """
        if not path.is_file():
            raise NotFoundError(
                f"no key file {path}; make one once, as by `head -c 32 /dev/urandom | base64 > {path}`, "
                "readable by its owner alone, and keep it: without it later exports do not join the records"
            )
        key = path.read_bytes().strip()
        if len(key) < _SHORTEST_KEY:
            raise UsageError(f"{path}: {len(key)} bytes are no key; give at least {_SHORTEST_KEY} random bytes")
        return cls(key)

    def of(self, text: str) -> str:
        """Return the pseudonym of an id."""
        plain = "".join(unicodedata.normalize("NFKC", text).split()).upper()
        plain = plain[:_LENGTH] if re.match(_DATED, plain) else plain
        return f"{self.prefix}-{self._hash(b'id:' + plain.encode(), _KEPT)}"

    def are_of_another_key(self, ids: pa.ChunkedArray) -> bool:
        """Return whether some ids are pseudonyms, and none is by this key."""
        made = pc.match_substring_regex(ids, r"^[a-z2-7]{8}-[a-z2-7]{16}$")
        mine = pc.starts_with(ids, f"{self.prefix}-")
        return bool(pc.any(made).as_py()) and not pc.any(mine).as_py()

    def of_cells(self, cells: Cells) -> Cells:
        """Return the pseudonyms of a column's ids."""
        texts = [self.of(text) for text in cells.texts.to_pylist()]
        return Cells(pa.array(texts, pa.string()), cells.positions, cells.numeric)

    def _hash(self, data: bytes, kept: int) -> str:
        digest = hmac.new(self._key, data, hashlib.sha256).digest()[:kept]
        return base64.b32encode(digest).decode().lower()
