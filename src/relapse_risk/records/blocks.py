"""A records folder read in blocks of whole households, so that memory does not grow with the county.

A block is a range of household ids; every table is cut at the same ids. The row groups of ``households.parquet``
are the blocks, and what else lies in a block follows from the statistics that Parquet keeps of each row group: a
process that has only the path and a block's number can read it. A folder that is not written in order of household
ids is one block.
"""

from __future__ import annotations

import datetime as dt
import os
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from threading import Lock
from typing import TypeVar, overload

import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import DateLike, from_days, to_date, to_days
from relapse_risk.errors import RecordsInvalid
from relapse_risk.records.citizen_ids import count_as_citizen_ids
from relapse_risk.records.reading import DamagedFile, Files, Part, damaged, folder_at, settings_of
from relapse_risk.records.records import Records
from relapse_risk.records.rules_between import violations_between
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import (
    Findings,
    conform_tables,
    end_of,
    missing_tables,
    reported,
    violations_within,
)
from relapse_risk.settings import Settings

Result = TypeVar("Result")


class RecordBlocks(Sequence[Records]):
    """The blocks of a records folder. Each is a ``Records`` like any other.

    Open one with ``open_records``. ``blocks[k]`` reads block k and checks it the first time; no rows are kept. If
    it breaks a rule, all blocks are checked, so that the error is the same whichever block was read first.

    Parameters
    ----------
    files : Files
        The folder's files.
    settings : Settings
        What the records are read with.
    starts : sequence of str or None
        First household id of each block; None begins before all ids.
    end : int
        First day the records do not cover, days since 1970-01-01.

    Attributes
    ----------
    present : frozenset of str
        Tables the folder has, be they empty.
    n_rows : int
        Rows of all tables.
    """

    def __init__(self, files: Files, settings: Settings, starts: Sequence[str | None], end: int) -> None:
        self.settings = settings
        self.present = files.present
        self.n_rows = sum(table.n_rows for table in files.tables.values())
        self._files = files
        self._starts = tuple(starts)
        self._end = end
        self._checks = _Checks(files, settings, self._starts)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, number: int) -> Records: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Records]: ...
    def __getitem__(self, number: int | slice) -> Records | Sequence[Records]:
        if isinstance(number, slice):
            raise TypeError("one block at a time")
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        number %= len(self)
        return Records(
            self._checks.sound(number), self.settings, self.present, self._end, _bounds(self._starts, number)
        )

    @property
    def blocks(self) -> Sequence[Records]:
        """The blocks: ``Records`` has the same property."""
        return self

    def count_households(self) -> list[int]:
        """Return how many households with a profile each block has; only the profiles' ids are read."""
        profiles = self._files.tables.get("households")
        ids = pa.array([], pa.string()) if profiles is None else profiles.distinct("household_id")
        ids = ids.take(pc.array_sort_indices(ids))
        begins = [place_among(ids, start) for start in self._starts[1:] if start is not None]
        return [end - begin for begin, end in pairwise([0, *begins, len(ids)])]

    @property
    def end(self) -> dt.date:
        """First day the records do not cover."""
        return from_days(self._end)

    def distinct(self, name: str, column: str) -> pa.Array:
        """Return the distinct texts of a column of all blocks; none where it cannot be read, as blocks report."""
        try:
            return self._files.tables[name].distinct(column)
        except (DamagedFile, KeyError):
            return pa.array([], pa.string())

    def cut_at(self, starts: Sequence[str]) -> RecordBlocks:
        """Return the same rows in other blocks; the folder lies in order of household ids.

        Parameters
        ----------
        starts : sequence of str
            First household id of each block but the first.
        """
        return RecordBlocks(self._files, self.settings, [None, *starts], self._end)

    def first_known(self, name: str) -> dt.date | None:
        """Return the first day on which a row of a table was known; None if it shows no row."""
        table = self._files.tables.get(name)
        known = table.range_known() if table else None
        return from_days(known[0]) if known and known[0] < self._end else None

    def visible(self, as_of: DateLike) -> RecordBlocks:
        """Return the blocks as ``Records.visible`` shows them."""
        return self._with(self.settings, min(self._end, to_days(to_date(as_of))))

    def with_settings(self, settings: Settings) -> RecordBlocks:
        """Return the same rows under other settings."""
        return self._with(settings, self._end)

    def with_model_settings(self, settings: Settings) -> RecordBlocks:
        """Return the same rows with a model's outcome, cohort and training in place of the folder's own."""
        return self.with_settings(self.settings.of_model(settings))

    def _with(self, settings: Settings, end: int) -> RecordBlocks:
        other = RecordBlocks(self._files, settings, self._starts, end)
        if _of_the_rules(settings) == _of_the_rules(self.settings):
            other._checks = self._checks
        return other


class _Checks:
    """Reads blocks and holds them to the rules, each block once.

    Parameters
    ----------
    files, settings, starts
        See ``RecordBlocks``.
    """

    def __init__(self, files: Files, settings: Settings, starts: Sequence[str | None]) -> None:
        self._files = files
        self._settings = settings
        self._starts = starts
        self._findings: dict[int, Findings] = {}
        self._checking_all = Lock()
        self._reading_shared = Lock()
        self._whole: tuple[dict[str, pa.Table], Findings] | None = None
        self._citizen_ids: dict[tuple[str, str], bool] = {}

    def sound(self, number: int) -> dict[str, pa.Table]:
        """Return the conformed tables of a block.

        Raises
        ------
        RecordsInvalid
            If a rule is broken; all violations of all blocks are reported.
        """
        tables, findings = self._read(number)
        whole = self._without_households()[1]
        if findings.are_none and whole.are_none:
            return tables
        with self._checking_all:
            rest = [k for k in range(len(self._starts)) if k not in self._findings]
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                for _ in pool.map(lambda k: self._read(k)[1], rest):
                    pass
        raise RecordsInvalid(tuple(reported([whole, *(of for _, of in sorted(self._findings.items()))])))

    def _read(self, number: int) -> tuple[dict[str, pa.Table], Findings]:
        """Return the conformed tables of a block, as far as they can be used, and what it breaks."""
        whole, of_whole = self._without_households()
        low, high = _bounds(self._starts, number)
        parts, damaged_now = self._parts([n for n, t in self._files.tables.items() if t.has_households], low, high)
        names = [name for name in _WITH_HOUSEHOLDS if name not in {*self._files.damaged, *damaged_now}]
        tables, found = conform_tables(names, {name: part.data for name, part in parts.items()})
        if number not in self._findings:
            found.of_tables += map(damaged, damaged_now)
            found.unusable.update(damaged_now)
            found.of_rows += violations_within(tables, end_of(self._settings), self._count_as_citizen_ids)
            if not (found.within or of_whole.within):
                found.between += violations_between(tables | whole, self._settings)
            self._findings[number] = replace(
                found,
                of_rows=[violation.in_file(parts[violation.table].in_file) for violation in found.of_rows],
                between=[violation.in_file(parts[violation.table].in_file) for violation in found.between],
            )
        ordered = tables | whole
        return {name: ordered[name] for name in TABLES if name in ordered}, self._findings[number]

    def _without_households(self) -> tuple[dict[str, pa.Table], Findings]:
        """Return the tables without households, which belong to all blocks, and what is wrong with all of a folder.

        They are read once, when the first block is.
        """
        with self._reading_shared:
            if self._whole is None:
                parts, damaged_now = self._parts([n for n, t in self._files.tables.items() if not t.has_households])
                names = [name for name in _WITHOUT if name not in {*self._files.damaged, *damaged_now}]
                tables, found = conform_tables(names, {name: part.data for name, part in parts.items()})
                found.of_tables += [
                    *self._files.found,
                    *map(damaged, damaged_now),
                    *missing_tables(self._files.present),
                ]
                found.unusable.update(self._files.damaged, damaged_now)
                found.of_rows += violations_within(tables, end_of(self._settings))
                self._whole = tables, found
            return self._whole

    def _count_as_citizen_ids(self, name: str, column: str) -> bool:
        """Return whether a column's ids with the right check sign are citizen ids, by all blocks of the table."""
        with self._reading_shared:
            if (name, column) not in self._citizen_ids:
                try:
                    texts = self._files.tables[name].distinct(column)
                except DamagedFile:  # then no row of the table is reported
                    return False
                self._citizen_ids[name, column] = count_as_citizen_ids(texts)
            return self._citizen_ids[name, column]

    def _parts(
        self, names: Sequence[str], low: str | None = None, high: str | None = None
    ) -> tuple[dict[str, Part], list[str]]:
        """Read a range of some tables; also return those of which it cannot be read."""
        parts, damaged_now = {}, []
        for name in names:
            try:
                parts[name] = self._files.tables[name].read(low, high, use_threads=len(self._starts) == 1)
            except DamagedFile:
                damaged_now.append(name)
        return parts, damaged_now


def _bounds(starts: Sequence[str | None], number: int) -> tuple[str | None, str | None]:
    """Return the first household id of a block, and of the next one."""
    return starts[number], starts[number + 1] if number + 1 < len(starts) else None


def _of_the_rules(settings: Settings) -> tuple[object, ...]:
    """Return the settings that the rules depend on."""
    return settings.data.end, settings.items, settings.line


_WITH_HOUSEHOLDS = [name for name, table in TABLES.items() if "household_id" in table.columns]
_WITHOUT = [name for name in TABLES if name not in _WITH_HOUSEHOLDS]


def open_records(path: Path | str, settings: Settings | None = None) -> RecordBlocks:
    """Open a records folder to read it block by block; only the tables' footers are read now.

    Parameters
    ----------
    path : path
        Folder of Parquet files, one a table, with ``relapse.toml``.
    settings : Settings, optional
        Instead of the folder's own.

    Raises
    ------
    NotFoundError
        If there is no such folder, or no settings for it.
    """
    files = Files(folder_at(path))
    return _opened(files, settings or settings_of(path), files.starts())


def load_records(path: Path | str, settings: Settings | None = None) -> Records:
    """Read and check a records folder as a whole; ``open_records`` reads one of any size block by block.

    Parameters
    ----------
    path : path
        Folder of Parquet files, one a table, with ``relapse.toml``.
    settings : Settings, optional
        Instead of the folder's own.

    Returns
    -------
    Records

    Raises
    ------
    NotFoundError
        If there is no such folder, or no settings for it.
    RecordsInvalid
        If any rule is broken, by any table.

    Examples
    --------
    >>> load_records("nowhere")
    Traceback (most recent call last):
    ...
    relapse_risk.errors.NotFoundError: no records folder nowhere; ...
    """
    return _opened(Files(folder_at(path)), settings or settings_of(path), [None])[0]


def _opened(files: Files, settings: Settings, starts: Sequence[str | None]) -> RecordBlocks:
    end = end_of(settings)
    return RecordBlocks(files, settings, starts, files.end if end is None else end)


def each_block(
    records: Records | RecordBlocks,
    function: Callable[[Records], Result],
    n_threads: int | None = None,
    *,
    on_done: Callable[[int, int], None] | None = None,
) -> Iterator[Result]:
    """Yield what a function makes of each block, in the order of the blocks.

    As many blocks are in memory as there are threads.

    Parameters
    ----------
    records : Records or RecordBlocks
        The blocks; ``Records`` are one.
    function : callable
        Called with each block, on a thread of its own.
    n_threads : int, optional
        All processors otherwise.
    on_done : callable, optional
        Called with the households done, and of how many, as each of several blocks is done.
    """
    if isinstance(records, Records):
        yield function(records)
        return
    blocks, n = records, len(records)

    def of_block(number: int) -> Result:
        block = blocks[number]
        try:
            return function(block)
        finally:
            block.cache.clear()  # refers to the block itself, which would stay until the next garbage collection

    if n == 1:
        yield of_block(0)
        return
    done = list(accumulate(records.count_households())) if on_done else []

    def tell(number: int) -> None:
        if on_done:
            on_done(done[number], done[-1])

    threads = n_threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[Result]] = deque()
        for number in range(n):
            running.append(pool.submit(of_block, number))
            if len(running) > threads:
                yield running.popleft().result()
                tell(number - len(running))
        while running:
            yield running.popleft().result()
            tell(n - 1 - len(running))


def place_among(ids: pa.Array, bound: str) -> int:
    """Return how many of sorted ids come before one."""
    return bisect_left(range(len(ids)), bound, key=lambda row: ids[row].as_py())
