"""The records that an export comes on top of, by range of household ids."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.datasets.exports.spill import Spill
from relapse_risk.errors import ImportRefused
from relapse_risk.records.blocks import RecordBlocks, load_records, open_records
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import check_tables
from relapse_risk.settings import Settings


class Held:
    """The records held.

    Parameters
    ----------
    folder : Path
        Where they lie.
    blocks : RecordBlocks
        The folder, opened.
    """

    def __init__(self, folder: Path, blocks: RecordBlocks) -> None:
        self.settings: Settings = blocks.settings
        self.end: dt.date = blocks.end
        self.present = blocks.present
        self._folder = folder
        self._blocks = blocks
        self._spill: Spill | None = None

    @classmethod
    def open(cls, folder: Path, exported_on: dt.date) -> Held | None:
        """Return the records that are there already, None where there are none.

        Raises
        ------
        ImportRefused
            If they hold more than the export can.
        """
        if not folder.exists():
            return None
        held = cls(folder, open_records(folder))
        if exported_on + dt.timedelta(days=1) < held.end:
            raise ImportRefused(
                f"the export is of {exported_on}, but {folder} already covers the days before {held.end}; import "
                "exports in the order they were made, or into another --out"
            )
        return held

    def distinct(self, name: str, column: str) -> pa.Array:
        """Return the distinct texts of a column."""
        return self._blocks.distinct(name, column)

    def cut_at(self, starts: Sequence[str], spare: Path) -> None:
        """Cut the records where ranges start; where they are not in order of households, by a copy on disk.

        Parameters
        ----------
        starts : sequence of str
            First household id of each range but the first.
        spare : Path
            An empty folder for the copy.

        Raises
        ------
        RecordsInvalid
            If the records held cannot be read, or not all rows are of a household.
        """
        if len(self._blocks) > 1 or not starts:
            self._blocks = self._blocks.cut_at(starts)
            return
        self._spill = Spill(spare, starts)
        with self._spill as spill:
            for name in self.present:
                for batch in self._batches(name):
                    data, nothing = pa.Table.from_batches([batch]), np.zeros(batch.num_rows, np.int64)
                    spill.write(name, spill.cut(TABLES[name], data, nothing.astype(np.int32), nothing))

    def _batches(self, name: str) -> Iterator[pa.RecordBatch]:
        try:
            for batch in pq.ParquetFile(self._folder / f"{name}.parquet").iter_batches(use_threads=False):
                ids = batch["household_id"] if "household_id" in TABLES[name].columns else None
                if ids is not None and (ids.null_count or not pa.types.is_string(ids.type)):
                    raise pa.ArrowInvalid("household_id")
                yield batch
        except (pa.ArrowException, OSError, KeyError):
            load_records(self._folder)  # raises, and says what is wrong
            raise

    def tables(self, number: int) -> dict[str, pa.Table]:
        """Return the rows of a range, and the tables without households as a whole.

        Raises
        ------
        RecordsInvalid
            If the records held break a rule.
        """
        if self._spill is None:
            records = self._blocks[number]
            return {name: records.table(name).cast(arrow_schema(TABLES[name])) for name in self.present}
        of_households = {name for name in self.present if "household_id" in TABLES[name].columns}
        tables = {
            name: self._spill.read(TABLES[name], number if name in of_households else 0)[0] for name in self.present
        }
        conformed, violations = check_tables(tables, self.settings)
        if violations:
            load_records(self._folder)  # raises with all of them
        return {name: conformed[name].cast(arrow_schema(TABLES[name])) for name in self.present}
