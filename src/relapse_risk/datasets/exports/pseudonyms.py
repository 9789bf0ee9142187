"""Pseudonyms, which replace the citizen ids of an export where its mapping says so: citizen ids are never stored.

A pseudonym is a keyed hash (HMAC-SHA256): with the county's key the same person has the same one in every file and
every export; without it nobody can compute it, though there are few enough citizen ids to try them all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.errors import NotFoundError, UsageError
from relapse_risk.records.citizen_ids import citizen_id_in

#: Bytes of the hash kept (16 letters and digits): 80 bits, so that no two persons of a province share one.
_KEPT, _KEPT_OF_KEY = 10, 5
_SHORTEST_KEY = 16


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
        self._made: dict[str, str] = {}
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
        plain = citizen_id_in(text) or "".join(unicodedata.normalize("NFKC", text).split()).upper()
        return f"{self.prefix}-{self._hash(b'id:' + plain.encode(), _KEPT)}"

    def are_of_another_key(self, ids: pa.Array) -> bool:
        """Return whether some ids are pseudonyms, and none is by this key."""
        made = pc.match_substring_regex(ids, r"^[a-z2-7]{8}-[a-z2-7]{16}$")
        mine = pc.starts_with(ids, f"{self.prefix}-")
        return bool(pc.any(made).as_py()) and not pc.any(mine).as_py()

    def of_cells(self, cells: Cells) -> Cells:
        """Return the pseudonyms of a batch's ids; each is made once, however many batches have it."""
        made = self._made
        texts = [made.get(text) or made.setdefault(text, self.of(text)) for text in cells.texts.to_pylist()]
        return Cells(pa.array(texts, pa.string()), cells.positions, cells.numeric)

    def _hash(self, data: bytes, kept: int) -> str:
        digest = hmac.new(self._key, data, hashlib.sha256).digest()[:kept]
        return base64.b32encode(digest).decode().lower()
