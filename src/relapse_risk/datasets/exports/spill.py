"""Rows of an import put aside on disk, by range of household ids, until all sources are read."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports.raw import RowNumbers
from relapse_risk.records.columns import Table
from relapse_risk.records.schema import arrow_schema

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

#: Columns that say where a row comes from; no record table has columns of such names.
_PART, _ROW = "#part", "#row"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)

#: The rows of some range: its number, and the rows with where they come from.
Slice = tuple[int, pa.Table]


class Spill:
    """One file a table, of slices of rows of one range each. First all is written, then ranges are read.

    Parameters
    ----------
    folder : Path
        An empty folder.
    starts : sequence of str
        First household id of each range but the first, sorted.
    """

    def __init__(self, folder: Path, starts: Sequence[str]) -> None:
        self._folder = folder
        self._starts = starts
        self._open = ExitStack()
        self._writers: dict[str, pa.ipc.RecordBatchFileWriter] = {}
        self._slices: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._n_written: dict[str, int] = defaultdict(int)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def cut(self, table: type[Table], data: pa.Table, part: npt.NDArray[np.int32], rows: RowNumbers) -> list[Slice]:
        """Return rows in slices by range, in their order; of a table without households as one slice."""
        data = data.append_column(_PART, pa.array(part, pa.int32())).append_column(_ROW, pa.array(rows, pa.int64()))
        if not data.num_rows:
            return []
        if "household_id" not in table.columns or not self._starts:
            return [(0, data)]
        ids = data["household_id"].combine_chunks().dictionary_encode()
        of_id = np.array([bisect_right(self._starts, text) for text in ids.dictionary.to_pylist()], np.int32)
        number = of_id[np.asarray(ids.indices)]
        if (np.diff(number) < 0).any():
            order = np.argsort(number, kind="stable")
            data, number = data.take(pa.array(order)), number[order]
        begun = np.flatnonzero(np.diff(number, prepend=-1))
        ended = np.append(begun[1:], len(number))
        return [
            (int(number[first]), data.slice(first, last - first))
            for first, last in zip(begun.tolist(), ended.tolist(), strict=True)
        ]

    def write(self, name: str, slices: Sequence[Slice]) -> None:
        """Append slices of a table."""
        for number, data in slices:
            if name not in self._writers:
                file = self._open.enter_context(pa.OSFile(str(self._folder / f"{name}.arrow"), "wb"))
                writer = pa.ipc.new_file(file, data.schema, options=_OPTIONS)
                self._writers[name] = self._open.enter_context(writer)
            for batch in data.combine_chunks().to_batches():
                self._writers[name].write_batch(batch)
                self._slices[name][number].append(self._n_written[name])
                self._n_written[name] += 1

    def mark(self) -> dict[str, int]:
        """Return how much there is, for ``forget_since``."""
        return dict(self._n_written)

    def forget_since(self, mark: dict[str, int]) -> None:
        """Forget all rows that were written after a mark."""
        for name, of in self._slices.items():
            for number, batches in of.items():
                of[number] = [batch for batch in batches if batch < mark.get(name, 0)]

    def close(self) -> None:
        """End the writing."""
        self._open.close()

    def read(self, table: type[Table], number: int) -> tuple[pa.Table, npt.NDArray[np.int32], RowNumbers]:
        """Return a range's rows of a table in order of their parts, with each one's part and number."""
        batches = self._slices[table.name].get(number, []) if table.name in self._slices else []
        if not batches:
            return arrow_schema(table).empty_table(), np.zeros(0, np.int32), np.zeros(0, np.int64)
        with pa.memory_map(str(self._folder / f"{table.name}.arrow")) as file:
            reader = pa.ipc.open_file(file)
            data = pa.Table.from_batches([reader.get_batch(batch) for batch in batches]).combine_chunks()
        part, rows = np.asarray(data[_PART]), np.asarray(data[_ROW])
        if (np.diff(part) < 0).any():  # batches of a source hold rows of several parts each
            order = np.argsort(part, kind="stable")
            data, part, rows = data.take(pa.array(order)), part[order], rows[order]
        return data.drop_columns([_PART, _ROW]), part, rows


def starts_of(ids: Iterator[pa.Array], households_of_a_range: int) -> list[str]:
    """Return where ranges of so many households begin, each but the first.

    Parameters
    ----------
    ids : iterator of pyarrow.Array
        Household ids, repeated and missing ones among them.
    households_of_a_range : int
        Households of a range.
    """
    seen = pa.array([], pa.string())
    for some in ids:
        seen = pc.unique(pa.concat_arrays([seen, pc.unique(some).drop_null()]))
    ordered = seen.take(pc.sort_indices(seen))
    starts: list[str] = ordered[households_of_a_range::households_of_a_range].to_pylist()
    return starts
