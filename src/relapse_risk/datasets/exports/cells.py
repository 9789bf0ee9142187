"""A source's cells as they stand: texts, and which of them were stored as numbers.

A county repeats its texts: millions of rows hold a few thousand days and a few dozen codes. Columns are therefore
kept as their distinct texts and each row's position among them, and only the distinct texts are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Positions = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """One column of a source.

    Parameters
    ----------
    texts : pyarrow.Array of string
        The distinct cells, as text.
    positions : ndarray of int32, shape (n_rows,)
        Where each row's cell stands in ``texts``; -1 for none.
    numeric : ndarray of bool, shape (n_texts,)
        Which of the texts were stored as numbers.
    """

    texts: pa.Array
    positions: Positions
    numeric: Flags

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def of_array(cls, values: pa.ChunkedArray | pa.Array) -> Cells:
        """Return an Arrow column of any type as cells."""
        if isinstance(values, pa.Array):
            values = pa.chunked_array([values])
        kind = values.type
        stored = kind.value_type if pa.types.is_dictionary(kind) else kind
        encoded = values if pa.types.is_dictionary(kind) else values.dictionary_encode()
        if encoded.num_chunks:
            encoded = encoded.unify_dictionaries().combine_chunks()
        else:
            encoded = pa.array([], pa.dictionary(pa.int32(), stored))
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.chunk(0)
        number = bool(pa.types.is_integer(stored) or pa.types.is_floating(stored) or pa.types.is_decimal(stored))
        texts = encoded.dictionary.cast(pa.string())
        if pa.types.is_floating(stored):
            texts = pc.replace_substring_regex(texts, r"\.0+$", "")
        positions = encoded.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
        return cls(texts, positions, np.full(len(texts), number))

    @classmethod
    def of_objects(cls, values: Iterable[Any]) -> Cells:
        """Return a spreadsheet's cells: texts, numbers, flags and dates mixed."""
        seen: dict[tuple[bool, str], int] = {}
        positions = np.fromiter((_place(seen, value) for value in values), np.int32)
        texts = pa.array([text for _, text in seen], pa.string())
        return cls(texts, positions, np.array([number for number, _ in seen], bool))

    @classmethod
    def constant(cls, text: str, n_rows: int) -> Cells:
        """Return the same cell in every row."""
        return cls(pa.array([text], pa.string()), np.zeros(n_rows, np.int32), np.zeros(1, bool))

    @classmethod
    def joined(cls, several: Sequence[Cells]) -> Cells:
        """Return the cells of several batches one below the other, each distinct cell once."""
        if len(several) == 1:
            return several[0]
        numeric = np.concatenate([cells.numeric for cells in several])
        texts = pa.concat_arrays([cells.texts for cells in several])
        marked = pc.binary_join_element_wise(pa.array(np.where(numeric, "1", "0")), texts, "")
        of_text = np.asarray(marked.dictionary_encode().indices).astype(np.int32)
        first = np.unique(of_text, return_index=True)[1]
        sizes = np.array([len(cells.texts) for cells in several])
        before = np.repeat(np.cumsum(sizes) - sizes, [len(cells) for cells in several])
        positions = np.concatenate([cells.positions for cells in several])
        moved = np.where(positions < 0, np.int32(-1), np.append(of_text, -1)[positions + before])
        return cls(texts.take(pa.array(first)), moved.astype(np.int32), numeric[first])

    def blank_where(self, nulls: Sequence[str]) -> Cells:
        """Return the cells trimmed, those that stand for nothing left out."""
        texts = pc.utf8_trim(self.texts, characters=" \t\r\n\u00a0\u3000\u200b\ufeff")
        nothing = np.asarray(pc.is_in(texts, value_set=pa.array(["", *nulls], pa.string())))
        if not nothing.any():
            return Cells(texts, self.positions, self.numeric)
        gone = np.append(nothing, True)[self.positions]
        return Cells(texts, np.where(gone, np.int32(-1), self.positions), self.numeric)

    def filled(self, text: str) -> Cells:
        """Return the cells with a text in place of those left out."""
        texts = pa.concat_arrays([self.texts, pa.array([text], pa.string())])
        positions = np.where(self.positions < 0, np.int32(len(self.texts)), self.positions)
        return Cells(texts, positions.astype(np.int32), np.append(self.numeric, False))

    def take(self, rows: Any) -> Cells:
        """Return some rows' cells."""
        return Cells(self.texts, self.positions[rows], self.numeric)

    def compact(self) -> Cells:
        """Return the same cells without texts that no row holds."""
        is_used = np.zeros(len(self.texts) + 1, bool)
        is_used[self.positions] = True
        used = np.flatnonzero(is_used[:-1])
        if len(used) == len(self.texts):
            return self
        moved = np.full(len(self.texts) + 1, -1, np.int32)
        moved[used] = np.arange(len(used), dtype=np.int32)
        return Cells(self.texts.take(pa.array(used)), moved[self.positions], self.numeric[used])

    def rows_of(self, bad: Flags) -> Flags:
        """Return the rows whose text is marked in ``bad``."""
        return np.append(bad, False)[self.positions]

    def spread(self, values: pa.Array) -> pa.Array:
        """Return each row's value, given one value a distinct text."""
        return values.take(pa.array(self.positions, mask=self.positions < 0))


def _place(seen: dict[tuple[bool, str], int], value: Any) -> int:
    """Return the place of a cell among the distinct ones, a new one where it is new; -1 for an empty cell."""
    if value is None or value == "":
        return -1
    if isinstance(value, bool):
        key = (False, "true" if value else "false")
    elif isinstance(value, float):
        key = (True, str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value))
    elif isinstance(value, int):
        key = (True, str(value))
    else:
        key = (False, value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else str(value))
    return seen.setdefault(key, len(seen))
