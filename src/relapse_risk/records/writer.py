"""The writer of a records folder's tables: blocks of whole households, one after another.

Row groups of all tables are cut at the same household ids, so that a reader finds what lies in a block by the
statistics that Parquet keeps of each row group. One block is in memory at a time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relapse_risk.errors import UsageError
from relapse_risk.records.order import in_order
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

#: Households of a block, unless its writer makes others.
HOUSEHOLDS_OF_A_BLOCK = 4096


class RecordsWriter:
    """Writes the tables of a records folder block by block; the settings are not its matter.

    To be used in a ``with`` statement, at whose end the files are complete. The same rows in the same blocks give
    the same bytes, whatever their order within a block and whatever chunks they come in.

    Parameters
    ----------
    folder : Path
        Where the files go: the folder that ``folder.new_records`` gives.

    Examples
    --------
    >>> import tempfile
    >>> from relapse_risk.records.schema import empty
    >>> folder = Path(tempfile.mkdtemp())
    >>> with RecordsWriter(folder) as writer:
    ...     writer.write_block({"visits": empty(TABLES["visits"])})
    >>> [file.name for file in folder.iterdir()]
    ['visits.parquet']
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, pq.ParquetWriter] = {}
        self._whole: dict[str, list[pa.Table]] = {}
        self._n_blocks = 0
        self._last: str | None = None

    def write_block(self, tables: Mapping[str, pa.Table]) -> None:
        """Write the next block, a row group of each table that has rows in it.

        Parameters
        ----------
        tables : dict of str to pyarrow.Table
            Conformed tables, all rows of some households, in any order. Every table of the folder is given at least
            once, be it without rows. Tables without households (grids) may be given in parts with any blocks; they
            are written at the end.

        Raises
        ------
        UsageError
            If a household id does not come after all those of the blocks before.
        """
        self._n_blocks += 1
        ordered = {}
        for name, data in tables.items():
            if "household_id" in TABLES[name].columns:
                ordered[name] = in_order(data, name)
            else:
                self._whole.setdefault(name, []).append(data)
        self._check_ids(ordered)
        for name, data in ordered.items():
            self._write(name, data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for name, parts in self._whole.items():
                    self._write(name, in_order(pa.concat_tables(parts), name))
        finally:
            for file in self._files.values():
                file.close()

    def _check_ids(self, tables: Mapping[str, pa.Table]) -> None:
        """Refuse households of an earlier block, or of one that should have come earlier."""
        last = self._last
        for name, data in tables.items():
            ids = data["household_id"]
            if ids.null_count == len(ids):
                continue
            if self._last is not None and ids[ids.null_count].as_py() <= self._last:
                raise UsageError(
                    f"block {self._n_blocks} of table {name} has a household id that does not come after those of "
                    "the blocks before. Valid: blocks in order of household ids (of their UTF-8 bytes), each "
                    "household in one block; sort the households before they are cut into blocks."
                )
            latest = ids[-1].as_py()
            last = latest if last is None else max(last, latest)
        self._last = last

    def _write(self, name: str, data: pa.Table) -> None:
        schema = arrow_schema(TABLES[name])
        if name not in self._files:
            self._files[name] = pq.ParquetWriter(self._folder / f"{name}.parquet", schema, compression="zstd")
        if data.num_rows:
            plain = data.cast(schema).combine_chunks()
            self._files[name].write_table(plain, row_group_size=plain.num_rows)


def write_tables(
    folder: Path, tables: Mapping[str, pa.Table], households_of_a_block: int = HOUSEHOLDS_OF_A_BLOCK
) -> None:
    """Write whole tables in blocks of so many households; one table is put in order at a time.

    Rows of households without a profile lie in the block in whose range their id is.

    Parameters
    ----------
    folder : Path
        Where the files go.
    tables : dict of str to pyarrow.Table
        Conformed tables, rows in any order.
    households_of_a_block : int
        Households with a profile in each block but the last.
    """
    starts: list[str] = []
    if "households" in tables:
        households = pc.unique(tables["households"]["household_id"]).drop_null()
        ordered = households.take(pc.sort_indices(households))
        starts = ordered[households_of_a_block::households_of_a_block].to_pylist()
    for name, data in tables.items():
        with RecordsWriter(folder) as writer:
            for part in _cut(data, name, starts):
                writer.write_block({name: part})


def _cut(data: pa.Table, name: str, starts: Sequence[str]) -> Iterator[pa.Table]:
    """Yield a table's rows in order, cut where blocks start; missing ids go to the first block."""
    if "household_id" not in TABLES[name].columns:
        yield data
        return
    data = in_order(data, name).cast(arrow_schema(TABLES[name]))
    ids = data["household_id"]
    begun = 0
    for start in starts:
        end = bisect_left(range(len(ids)), start, ids.null_count, key=lambda row: ids[row].as_py())
        yield data.slice(begun, end - begun)
        begun = end
    yield data.slice(begun)
