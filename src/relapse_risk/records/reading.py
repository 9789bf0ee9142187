"""The Parquet files of a records folder: their footers read once, their rows by range of household ids."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relapse_risk.errors import NotFoundError, StorageError
from relapse_risk.records.schema import DICTIONARY, held_schema
from relapse_risk.records.tables import TABLES
from relapse_risk.records.violations import Violation
from relapse_risk.settings import Settings

_DAMAGED = "The file is not Parquet or is damaged; write it again."


def folder_at(path: Path | str) -> Path:
    """Return a records folder's path.

    Raises
    ------
    NotFoundError
        If there is no such folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise NotFoundError(f"no records folder {folder}; `relapse import` and `relapse simulate` write one")
    return folder


def settings_of(path: Path | str) -> Settings:
    """Read a records folder's settings alone: what is asked of it can be checked before its tables are read.

    Raises
    ------
    NotFoundError
        If there is no such folder, or no settings in it.
    SettingsInvalid
        If they do not fit.
    """
    return Settings.load(folder_at(path))


class Part(NamedTuple):
    """Rows of a table as they were read, and where they lie in its file."""

    data: pa.Table
    #: Rows of the file before the first row group that was read.
    before: int = 0
    #: Which rows of the row groups that were read are these; None where all are.
    kept: npt.NDArray[np.bool_] | None = None

    def in_file(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Return where rows lie in the file; both count from 0."""
        return self.before + (rows if self.kept is None else np.flatnonzero(self.kept)[rows])


class _RowGroup(NamedTuple):
    """A row group with rows, and its first and last household id where its statistics are sure of all of them."""

    number: int
    before: int
    ids: tuple[str, str] | None


class DamagedFile(Exception):
    """A file whose rows cannot be read."""


class TableFile:
    """The file of one table.

    It stays open, so that what is read is what was there at first, even if the folder is replaced meanwhile.

    Parameters
    ----------
    file : Path
        The Parquet file.
    name : str
        The table.

    Raises
    ------
    DamagedFile
        If it is not Parquet.
    """

    def __init__(self, file: Path, name: str) -> None:
        self.has_households = "household_id" in TABLES[name].columns
        self._file = file
        try:
            self._source = pa.OSFile(str(file))
            self._written = self._last_written()
            self._metadata = pq.read_metadata(self._source)
        except (pa.ArrowException, OSError) as error:
            raise DamagedFile from error
        self._columns = list(self._metadata.schema.names)
        held = held_schema(TABLES[name])
        self._texts = [field.name for field in held if field.type == DICTIONARY and field.name in self._columns]
        self.n_rows = int(self._metadata.num_rows)
        self.groups = list(self._groups())

    def _groups(self) -> Iterator[_RowGroup]:
        at = self._columns.index("household_id") if "household_id" in self._columns else None
        before = 0
        for number in range(self._metadata.num_row_groups):
            group = self._metadata.row_group(number)
            if group.num_rows:
                yield _RowGroup(number, before, None if at is None else _text_range(group.column(at)))
            before += group.num_rows

    @property
    def ids_ascend(self) -> bool:
        """Whether each row group's household ids are known and none comes before those of the group above it."""
        ranges = [group.ids for group in self.groups if group.ids]
        known = len(ranges) == len(self.groups)
        return known and all(last <= first for (_, last), (first, _) in pairwise(ranges))

    def read(self, low: str | None = None, high: str | None = None, *, use_threads: bool = False) -> Part:
        """Read the rows of household ids in ``[low, high)``; None is no bound.

        Raises
        ------
        DamagedFile
            If rows cannot be read.
        StorageError
            If the file was written to since it was opened.
        """
        if low is None and high is None:
            return Part(self._rows(range(self._metadata.num_row_groups), use_threads=use_threads))
        groups, is_whole = [], True
        for group in self.groups:
            assert group.ids is not None  # noqa: S101
            first, last = group.ids
            if (high is None or first < high) and (low is None or last >= low):
                groups.append(group)
                is_whole &= (high is None or last < high) and (low is None or first >= low)
        data = self._rows([group.number for group in groups], use_threads=use_threads)
        before = groups[0].before if groups else 0
        if is_whole:
            return Part(data, before)
        ids = data["household_id"].cast(pa.string())
        kept = np.ones(len(ids), bool)
        if low is not None:
            kept &= np.asarray(pc.greater_equal(ids, low))
        if high is not None:
            kept &= np.asarray(pc.less(ids, high))
        return Part(data.filter(pa.array(kept)), before, kept)

    def _rows(self, groups: Sequence[int], *, use_threads: bool, columns: Sequence[str] | None = None) -> pa.Table:
        try:
            parquet = pq.ParquetFile(self._source, metadata=self._metadata, read_dictionary=self._texts)
            data = parquet.read_row_groups(groups, columns, use_threads=use_threads)
        except (pa.ArrowException, OSError) as error:
            self._check_unchanged()
            raise DamagedFile from error
        self._check_unchanged()
        return data

    def _last_written(self) -> tuple[int, int]:
        status = os.fstat(self._source.fileno())
        return status.st_mtime_ns, status.st_size

    def _check_unchanged(self) -> None:
        """Refuse rows of a file that was written to since it was opened: they may be of no one state of it."""
        if self._last_written() != self._written:
            raise StorageError(
                f"{self._file} was written to while it was read. Run this again once nothing else writes there; "
                "what replaces a whole records folder, as imports do, disturbs no reader."
            )

    def distinct(self, column: str) -> pa.Array:
        """Return the distinct texts of a column; one row group is in memory at a time.

        Raises
        ------
        DamagedFile
            If rows cannot be read.
        """
        found = [pa.array([], pa.string())]
        for group in self.groups:
            values = self._rows([group.number], use_threads=False, columns=[column])[column]
            found.append(pc.unique(values).cast(pa.string()))
        return pc.unique(pa.chunked_array(found))

    def range_known(self) -> tuple[int, int] | None:
        """Return the first and last day in ``known_on`` since 1970-01-01; None where there is none, or no dates.

        Parquet's statistics say it; where they do not, the column is read.
        """
        if "known_on" not in self._columns or not self.n_rows:
            return None
        at = self._columns.index("known_on")
        is_date = self._metadata.schema.column(at).logical_type.type == "DATE"
        days = []
        for group in self.groups:
            known = self._metadata.row_group(group.number).column(at).statistics
            if is_date and known is not None and known.has_min_max:
                days += [int(known.min_raw), int(known.max_raw)]
                continue
            with suppress(DamagedFile, pa.ArrowException):  # both are reported when the rows are checked
                read = self._rows([group.number], use_threads=False, columns=["known_on"])["known_on"]
                found = pc.min_max(read.cast(pa.date32()).cast(pa.int32())).as_py()
                days += [day for day in found.values() if day is not None]
        return (min(days), max(days)) if days else None


def _text_range(column: pq.ColumnChunkMetaData) -> tuple[str, str] | None:
    """Return a column's first and last text, None where statistics leave out some or are not there."""
    known = column.statistics
    if known is None or not known.has_min_max or known.null_count != 0:
        return None
    try:
        first, last = known.min, known.max
    except UnicodeDecodeError:
        return None
    return (first, last) if isinstance(first, str) and isinstance(last, str) else None


class Files:
    """All files of a records folder, opened.

    Parameters
    ----------
    folder : Path
        The folder.

    Attributes
    ----------
    tables : dict of str to TableFile
        By table name, those that can be read.
    present : frozenset of str
        Tables that have a file, be it damaged.
    damaged : frozenset of str
        Tables of which the file is.
    found : list of Violation
        Files that are no tables, or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.tables: dict[str, TableFile] = {}
        self.found: list[Violation] = []
        names = []
        for file in sorted(folder.glob("*.parquet")):
            if file.stem not in TABLES:
                valid = f"Valid tables: {', '.join(TABLES)}. Rename or remove the file."
                self.found.append(Violation("RR016", file.stem, "", valid))
                continue
            names.append(file.stem)
            try:
                self.tables[file.stem] = TableFile(file, file.stem)
            except DamagedFile:
                self.found.append(damaged(file.stem))
        self.present = frozenset(names)
        self.damaged = self.present - self.tables.keys()

    @property
    def end(self) -> int:
        """Day after the latest in ``known_on`` of all tables, days since 1970-01-01."""
        known = [table.range_known() for table in self.tables.values()]
        return max((days[1] for days in known if days), default=-1) + 1

    def starts(self) -> list[str | None]:
        """Return the first household id of each block; None begins before all ids.

        The row groups of profiles are the blocks, if the row groups of all tables lie in order of household ids.
        """
        households = self.tables.get("households")
        in_order = all(table.ids_ascend for table in self.tables.values() if table.has_households)
        if households is None or not in_order:
            return [None]
        ranges = [group.ids for group in households.groups if group.ids]
        return [None, *(first for (_, last), (first, _) in pairwise(ranges) if first > last)]


def damaged(name: str) -> Violation:
    """Return the violation of a table whose file is damaged."""
    return Violation("RR016", name, "", _DAMAGED)
