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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar, overload

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relapse_risk.dates import DateLike, from_days, to_date, to_days
from relapse_risk.errors import RecordsInvalid
from relapse_risk.records.folder import settings_of
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import check_tables, end_of
from relapse_risk.settings import Settings

if TYPE_CHECKING:
    from typing import Self

Result = TypeVar("Result")


class Group(NamedTuple):
    """What Parquet keeps of a row group: whether it knows the household ids, the first and last, and the rows."""

    known: bool
    first: str
    last: str
    n_rows: int


class RecordBlocks(Sequence[Records]):
    """The blocks of a records folder. Each is a ``Records`` like any other, checked when it is read.

    Open one with ``open_records``. ``blocks[k]`` reads block k; nothing is kept.

    Parameters
    ----------
    path : Path
        The folder.
    settings : Settings
        What the records are read with.
    starts : sequence of str or None
        First household id of each block; None begins before all ids.
    present : frozenset of str
        Tables the folder has, be they empty.
    end : int
        First day the records do not cover, days since 1970-01-01.
    """

    def __init__(
        self, path: Path, settings: Settings, starts: Sequence[str | None], present: frozenset[str], end: int
    ) -> None:
        self.path = path
        self.settings = settings
        self.present = present
        self._starts = tuple(starts)
        self._end = end

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
        low = self._starts[number]
        high = self._starts[number + 1] if number + 1 < len(self) else None
        tables = {name: _read(self.path / f"{name}.parquet", name, low, high) for name in self.present}
        conformed, violations = check_tables(tables, self.settings)
        if violations:
            raise RecordsInvalid(tuple(violations))
        return Records(conformed, self.settings, self.present, self._end, (low, high))

    @property
    def blocks(self) -> Sequence[Records]:
        """The blocks: ``Records`` has the same property."""
        return self

    def count_households(self) -> list[int]:
        """Return how many households with a profile each block has; only the profiles' ids are read."""
        name = "household_id"
        data = pq.read_table(self.path / "households.parquet", columns=[name], read_dictionary=[name])
        ids = pc.unique(data[name]).cast(pa.string())
        ids = ids.take(pc.array_sort_indices(ids))
        begins = [place_among(ids, start) for start in self._starts[1:] if start is not None]
        return [end - begin for begin, end in pairwise([0, *begins, len(ids)])]

    @property
    def end(self) -> dt.date:
        """First day the records do not cover."""
        return from_days(self._end)

    def visible(self, as_of: DateLike) -> Self:
        """Return the blocks as ``Records.visible`` shows them."""
        end = min(self._end, to_days(to_date(as_of)))
        return type(self)(self.path, self.settings, self._starts, self.present, end)

    def with_settings(self, settings: Settings) -> Self:
        """Return the same rows under other settings."""
        return type(self)(self.path, settings, self._starts, self.present, self._end)

    def with_model_settings(self, settings: Settings) -> Self:
        """Return the same rows with a model's outcome, cohort and training in place of the folder's own."""
        update = {name: getattr(settings, name) for name in ("outcome", "cohort", "training")}
        return self.with_settings(self.settings.model_copy(update=update))


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
    own = settings_of(path)
    settings = settings or own
    folder = Path(path)
    paths = {name: folder / f"{name}.parquet" for name in TABLES}
    files = {name: pq.ParquetFile(path) for name, path in paths.items() if path.is_file()}
    groups = {name: _groups(f.metadata) for name, f in files.items() if "household_id" in TABLES[name].columns}
    end = end_of(settings)
    if end is None:
        end = max((_latest(file) for file in files.values()), default=-1) + 1
    return RecordBlocks(folder, settings, _starts(groups), frozenset(files), end)


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


def _read(file: Path, name: str, low: str | None, high: str | None) -> pa.Table:
    """Return a table's rows of household ids in ``[low, high)``; a table without households as a whole."""
    parquet = pq.ParquetFile(file)
    if "household_id" not in TABLES[name].columns or (low is None and high is None):
        return parquet.read(use_threads=False)
    within = [
        number
        for number, group in enumerate(_groups(parquet.metadata))
        if group.n_rows and (high is None or group.first < high) and (low is None or group.last >= low)
    ]
    data = parquet.read_row_groups(within, use_threads=False)
    ids = data["household_id"]
    for bound, compare in ((low, pc.greater_equal), (high, pc.less)):
        if bound is not None:
            keep = compare(ids, bound)
            if not pc.all(keep).as_py():
                data = data.filter(keep)
                ids = data["household_id"]
    return data


def _groups(metadata: pq.FileMetaData) -> list[Group]:
    at = metadata.schema.names.index("household_id") if "household_id" in metadata.schema.names else None
    groups = []
    for number in range(metadata.num_row_groups):
        of = metadata.row_group(number)
        ids = None if at is None else of.column(at).statistics
        if ids is not None and ids.has_min_max and isinstance(ids.min, str) and ids.null_count == 0:
            groups.append(Group(True, ids.min, ids.max, of.num_rows))
        else:
            groups.append(Group(False, "", "", of.num_rows))
    return groups


def _starts(groups: Mapping[str, Sequence[Group]]) -> list[str | None]:
    """Return where blocks begin: at the row groups of profiles, if all tables lie in order of household ids."""
    filled = {name: [group for group in of if group.n_rows] for name, of in groups.items()}
    for of in filled.values():
        if not all(group.known for group in of):
            return [None]
        if any(later.first < earlier.last for earlier, later in pairwise(of)):
            return [None]
    profiles = filled.get("households", [])
    return [None, *(group.first for before, group in pairwise(profiles) if group.first > before.last)]


def _latest(file: pq.ParquetFile) -> int:
    days = file.read(["known_on"])["known_on"]
    latest = pc.max(days.cast(pa.int32())).as_py()
    return -1 if latest is None else latest
