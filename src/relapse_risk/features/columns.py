"""A table's columns as numbers: what ``EncodedTable`` is made of, from Arrow or from elsewhere.

Texts are looked up once a distinct value, and rows by the position of their value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import Days
from relapse_risk.records.schema import encoded, positions

Numbers = npt.NDArray[np.float64]
#: Positions in a list, -1 for none; as small a type as the list allows.
Codes = npt.NDArray[np.signedinteger]
Flags = npt.NDArray[np.bool_]


class Texts(NamedTuple):
    """A column of texts as positions among its distinct texts.

    Parameters
    ----------
    code : ndarray of int32, shape (n_rows,)
        Each row's position in ``distinct``, -1 where the value is missing.
    distinct : pyarrow.StringArray
        The texts, each once; some may have no row.
    """

    code: npt.NDArray[np.int32]
    distinct: pa.StringArray

    def ranks(self) -> npt.NDArray[np.int32]:
        """Return each row's rank in the order of the texts, -1 where the value is missing."""
        order = np.asarray(pc.sort_indices(self.distinct))
        rank = np.empty(len(order) + 1, np.int32)
        rank[order] = np.arange(len(order))
        rank[-1] = -1
        return rank[self.code]


class Columns(Protocol):
    """The columns of one table, in the order of its rows.

    Attributes
    ----------
    n_rows : int
        Rows of the table.
    """

    n_rows: int

    def households(self) -> Days:
        """Return the position of each row's household."""

    def days(self, name: str) -> Days:
        """Return a column of dates without missing ones, as days since 1970-01-01."""

    def numbers(self, name: str) -> Numbers:
        """Return a column of numbers, flags or dates (days since 1970-01-01); NaN where missing."""

    def codes(self, name: str, listed: Sequence[str]) -> Codes:
        """Return the position of each text in a list, -1 where it is not there."""

    def texts(self, name: str) -> Texts:
        """Return a column of texts."""

    def all_missing(self, name: str) -> bool:
        """Return whether a column has no value at all."""


class ArrowColumns:
    """The columns of an Arrow table, its texts plain or dictionaries.

    Parameters
    ----------
    data : pyarrow.Table
        A conformed table.
    ids : pyarrow.StringArray
        Household ids; a household is its position here.
    """

    def __init__(self, data: pa.Table, ids: pa.StringArray) -> None:
        self.n_rows: int = data.num_rows
        self._data = data
        self._ids = ids

    def households(self) -> Days:
        """Return the position of each row's household."""
        texts = self.texts("household_id")
        return positions(texts.distinct, self._ids)[texts.code]

    def days(self, name: str) -> Days:
        """Return a column of dates without missing ones, as days since 1970-01-01."""
        return cast(Days, np.array(self._data[name].cast(pa.int32())))  # a copy that can be written to

    def numbers(self, name: str) -> Numbers:
        """Return a column of numbers, flags or dates (days since 1970-01-01); NaN where missing."""
        values = self._data[name]
        if values.type == pa.date32():
            values = values.cast(pa.int32())
        return cast(Numbers, values.cast(pa.float64()).to_numpy())

    def codes(self, name: str, listed: Sequence[str]) -> Codes:
        """Return the position of each text in a list, -1 where it is not there."""
        texts = self.texts(name)
        found = positions(texts.distinct, pa.array(listed, pa.string()))
        return np.append(found, -1).astype(code_type(listed))[texts.code]

    def texts(self, name: str) -> Texts:
        """Return a column of texts."""
        texts = encoded(self._data[name])
        code = np.asarray(texts.indices.fill_null(-1)).astype(np.int32, copy=False)
        return Texts(code, texts.dictionary.cast(pa.string()))

    def all_missing(self, name: str) -> bool:
        """Return whether a column has no value at all."""
        return bool(self._data[name].null_count == self.n_rows)


def code_type(listed: Sequence[str]) -> type[np.signedinteger]:
    """Return the smallest type of positions in a list."""
    return np.int8 if len(listed) < 2**7 else np.int16
