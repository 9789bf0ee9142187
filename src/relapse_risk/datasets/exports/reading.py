"""All sources of an export read batch by batch: sound rows go to disk by household, what is wrong is listed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.checks import CitizenSuspects, own_rules
from relapse_risk.datasets.exports.encoding import is_garbled
from relapse_risk.datasets.exports.mapping import Block, CountyMapping
from relapse_risk.datasets.exports.national_form import national_form
from relapse_risk.datasets.exports.pseudonyms import Pseudonyms
from relapse_risk.datasets.exports.raw import Head, Location, RawTable, RowNumbers, located
from relapse_risk.datasets.exports.rows import Part, as_accounts, household_ids, read_block
from relapse_risk.datasets.exports.sources import ExportReader
from relapse_risk.datasets.exports.spill import Slice, Spill
from relapse_risk.datasets.exports.steps import CitizenIds, Step, add_steps
from relapse_risk.datasets.exports.tablerows import Origin, TableRows
from relapse_risk.datasets.exports.threads import in_threads
from relapse_risk.errors import ImportRefused
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings

#: Called with what is done, of how much, and what is counted.
Advance = Callable[[int, int, str], None]


@dataclass(frozen=True)
class SourceRead:
    """What one source gave one table.

    Parameters
    ----------
    source, note : str
        File and sheet, and how it was read.
    table : str
        The record table.
    read, set_aside : int
        Rows looked at, and rows of them set aside.
    blank : int
        Rows without any cell, or any in the columns to spread; not counted as read.
    made : int
        Record rows made of those not set aside: as many, unless a row makes several.
    """

    source: str
    note: str
    table: str
    read: int
    set_aside: int
    blank: int
    made: int = 0


@dataclass
class TableRead:
    """What the sources gave one table.

    Parameters
    ----------
    origins : list of Origin
        By the number of a part.
    steps : list of list of Step
        What was found in each part.
    rejects : list of Rejects
        Rows that break a rule by themselves.
    suspects : CitizenSuspects
        Rows that do, if ids of persons are citizen ids.
    n_rows : int
        Rows that could be read.
    townships : set of str or None
        Townships of profiles.
    """

    origins: list[Origin] = field(default_factory=list)
    steps: list[list[Step]] = field(default_factory=list)
    rejects: list[reject_reasons.Rejects] = field(default_factory=list)
    suspects: CitizenSuspects = field(default_factory=CitizenSuspects)
    n_rows: int = 0
    townships: set[str | None] = field(default_factory=set)

    def all_rejects(self) -> list[reject_reasons.Rejects]:
        """Return the rows set aside so far."""
        found = [found for steps in self.steps for step in steps for found in step.rejects()]
        return [*found, *self.rejects, *self.suspects.rejects()]


@dataclass(frozen=True)
class Source:
    """A place to read, and what is made of it.

    Parameters
    ----------
    place, head, at
        See ``ExportReader``.
    blocks : sequence of (str, Block)
        The record tables that are made of it.
    nulls : tuple of str
        Texts that stand for no answer.
    first_parts : dict of str to int
        By table, the number of its first part of this source.
    """

    place: Location
    head: Head
    at: Mapping[str, int]
    blocks: Sequence[tuple[str, Block]]
    nulls: tuple[str, ...]
    first_parts: dict[str, int]

    @property
    def tables(self) -> list[str]:
        """The tables, each once."""
        return list(dict.fromkeys(name for name, _ in self.blocks))

    def batches(self, reader: ExportReader) -> Iterator[RawTable]:
        """Yield its rows."""
        return reader.batches(self.place, self.head, self.at, self.nulls)


@dataclass(frozen=True)
class _OfTable:
    """What a batch gave a table."""

    steps: list[list[Step]]
    seen: int
    unfilled: int
    n_rows: int
    townships: set[str | None]
    rejects: list[reject_reasons.Rejects]
    suspects: CitizenSuspects
    slices: list[Slice]


def sources_of(
    reader: ExportReader, mapping: CountyMapping
) -> tuple[list[Source], dict[str, TableRead], list[str]]:
    """Return the sources that a mapping names, the tables to be made of them, and what is wrong with them."""
    wanted, faults = _wanted(reader, mapping)
    nulls = (*national_form().nulls, *mapping.export.nulls)
    tables = {name: TableRead() for name in TABLES if name in mapping.tables}
    sources: list[Source] = []
    n_accounts = 0
    for place, blocks in wanted.items():
        try:
            head, at = _header(reader, place, [block for _, block in blocks])
        except ImportRefused as error:
            faults.append(str(error))
            continue
        first_parts = {name: len(tables[name].origins) for name, _ in blocks}
        sources.append(Source(place, head, at, blocks, nulls, first_parts))
        for name in sources[-1].tables:
            of = [block for table, block in blocks if table == name]
            account = n_accounts if any(block.spread for block in of) else -1
            n_accounts += 1
            for block in of:
                tables[name].origins += _origins(place, block, account)
                tables[name].steps += [[] for _ in _origins(place, block, account)]
    return sources, tables, faults


def ids_of_profiles(
    reader: ExportReader, sources: Sequence[Source], pseudonyms: Pseudonyms | None
) -> Iterator[pa.Array]:
    """Yield the household ids of the sources' profiles, as far as they can be read."""
    for source in sources:
        for name, block in source.blocks:
            ids = block.columns.get("household_id")
            if name != "households" or ids is None or not ids.read:
                continue
            at = {header: source.at[header] for header in ids.read}
            try:
                for raw in reader.batches(source.place, source.head, at, source.nulls):
                    yield household_ids(block, raw, pseudonyms)
            except ImportRefused:  # it is read again, and refused then
                continue


def read_source(
    reader: ExportReader,
    source: Source,
    tables: Mapping[str, TableRead],
    spill: Spill,
    settings: Settings,
    exported_on: int,
    pseudonyms: Pseudonyms | None,
    advance: Advance,
) -> tuple[list[SourceRead], list[str]]:
    """Read a source: its sound rows go to disk.

    Returns
    -------
    sources : list of SourceRead
        By table.
    faults : list of str
        What is wrong with the source as a whole.

    Raises
    ------
    ImportRefused
        If it cannot be read.
    """
    mark = spill.mark()
    by_chance: set[_Key] | None = None
    while True:
        batches = source.batches(reader)
        first = next(batches)
        reading = _Reading(source, settings, exported_on, pseudonyms, by_chance or set(), spill)
        reading.add(*reading.take(first))
        if by_chance is None:  # what the first batch shows is taken for granted until all together show otherwise
            by_chance = reading.judged_wrong()
            if by_chance:
                spill.forget_since(mark)
                reading = _Reading(source, settings, exported_on, pseudonyms, by_chance, spill)
                reading.add(*reading.take(first))
        for raw, of in in_threads(reading.take, batches):
            reading.add(raw, of)
            if raw.read:
                advance(*raw.read)
        wrong = reading.judged_wrong()
        if not wrong:
            return reading.end(tables)
        spill.forget_since(mark)
        by_chance ^= wrong


#: A step of a source: its table, its part and its place among the steps.
_Key = tuple[str, int, int]


class _Reading:
    """One reading of a source.

    Parameters
    ----------
    source, settings, exported_on, pseudonyms, spill
        See ``read_source``.
    by_chance : set of _Key
        Steps that found texts with the check sign of a citizen id, where that is by chance.
    """

    def __init__(
        self,
        source: Source,
        settings: Settings,
        exported_on: int,
        pseudonyms: Pseudonyms | None,
        by_chance: set[_Key],
        spill: Spill,
    ) -> None:
        self._source = source
        self._settings = settings
        self._exported_on = exported_on
        self._pseudonyms = pseudonyms
        self._by_chance = by_chance
        self._spill = spill
        self._found: dict[str, list[_OfTable]] = defaultdict(list)
        self._steps: dict[str, list[list[Step]]] = {}
        self._n_blank = 0

    def take(self, raw: RawTable) -> tuple[RawTable, dict[str, _OfTable]]:
        """Return a batch's rows of each table; called from several threads."""
        made: dict[str, list[Part]] = {}
        names = [name for name, _ in self._source.blocks]
        for name, block in self._source.blocks:
            parts = made.setdefault(name, [])
            chance = {(part - len(parts), step) for table, part, step in self._by_chance if table == name}
            parts += read_block(
                TABLES[name],
                block,
                _of_block(raw, block),
                self._exported_on,
                of_a_case=names.count(name) > 1,
                pseudonyms=self._pseudonyms,
                by_chance=chance,
            )
        return raw, {name: self._of_table(name, parts) for name, parts in made.items()}

    def _of_table(self, name: str, parts: list[Part]) -> _OfTable:
        if any(block.spread for table, block in self._source.blocks if table == name):
            as_accounts(parts, 0)
        seen = _distinct([part.seen for part in parts])
        unfilled = _without(_distinct([part.unfilled for part in parts]), seen)
        rows = TableRows.of_parts(TABLES[name], parts)
        townships = set(pc.unique(rows.data["township_id"]).to_pylist()) if name == "households" else set()
        sound, rejects = own_rules(rows, self._settings)
        part = sound.part + np.int32(self._source.first_parts[name])
        slices = self._spill.cut(TABLES[name], sound.data, part, sound.rows)
        suspects = CitizenSuspects.of_rows(rows)
        steps = [part.steps for part in parts]
        return _OfTable(steps, len(seen), len(unfilled), rows.data.num_rows, townships, rejects, suspects, slices)

    def add(self, raw: RawTable, of: Mapping[str, _OfTable]) -> None:
        """Add what a batch gave; in the order of batches."""
        self._n_blank += raw.n_blank
        for name, found in of.items():
            self._spill.write(name, found.slices)
            found.slices.clear()
            self._found[name].append(found)
            steps = self._steps.setdefault(name, [[] for _ in found.steps])
            for before, later in zip(steps, found.steps, strict=True):
                add_steps(before, later)

    def judged_wrong(self) -> set[_Key]:
        """Return the steps of which all batches together show something else than was taken for granted."""
        return {
            (name, part, place)
            for name, parts in self._steps.items()
            for part, steps in enumerate(parts)
            for place, step in enumerate(steps)
            if isinstance(step, CitizenIds)
            and len(step.right)
            and step.holds == ((name, part, place) in self._by_chance)
        }

    def end(self, tables: Mapping[str, TableRead]) -> tuple[list[SourceRead], list[str]]:
        """Add what was found to what the tables have, and return what is to be said of the source."""
        sources, faults = [], []
        for name, batches in self._found.items():
            table, first = tables[name], self._source.first_parts[name]
            for number, steps in enumerate(self._steps[name], first):
                table.steps[number] = steps
                faults += [fault for step in steps for fault in step.faults()]
            for found in batches:
                table.rejects += found.rejects
                table.suspects.add(found.suspects)
                table.n_rows += found.n_rows
                table.townships |= found.townships
            read, unfilled = sum(of.seen for of in batches), sum(of.unfilled for of in batches)
            blank = self._n_blank + unfilled
            sources.append(SourceRead(self._source.place.name, self._source.head.note, name, read, 0, blank))
        return sources, faults


def _distinct(numbers: Sequence[RowNumbers]) -> RowNumbers:
    """Return distinct row numbers, given those of parts, each once in a part."""
    filled = [of for of in numbers if of.size]
    return filled[0] if len(filled) == 1 else np.unique(np.concatenate([np.zeros(0, np.int64), *filled]))


def _without(numbers: RowNumbers, others: RowNumbers) -> RowNumbers:
    return np.setdiff1d(numbers, others, assume_unique=True) if numbers.size else numbers


def _origins(place: Location, block: Block, account: int) -> list[Origin]:
    """Return what a block's parts are of, one a column to spread."""
    headers = {name: ", ".join(source.read) for name, source in block.columns.items()}
    if block.spread is None:
        return [Origin(place.name, headers, account)]
    return [
        Origin(place.name, headers | dict.fromkeys(values, "") | {block.spread.into: header}, account)
        for header, values in block.spread.columns.items()
    ]


def _of_block(raw: RawTable, block: Block) -> RawTable:
    columns = {name: raw.columns[name] for name in block.read}
    return RawTable(raw.place, columns, raw.rows, raw.miscounted, raw.n_blank)


def _wanted(
    reader: ExportReader, mapping: CountyMapping
) -> tuple[dict[Location, list[tuple[str, Block]]], list[str]]:
    wanted: dict[Location, list[tuple[str, Block]]] = {}
    faults = []
    for name, blocks in mapping.tables.items():
        for block in blocks:
            try:
                for place in reader.places(block, name):
                    wanted.setdefault(place, []).append((name, block))
            except ImportRefused as error:
                faults.append(f"tables.{name}: {error}")
    return wanted, faults


def _header(reader: ExportReader, place: Location, blocks: list[Block]) -> tuple[Head, dict[str, int]]:
    names = tuple(dict.fromkeys(name for block in blocks for name in block.read))
    head = reader.head(place, names)
    at, missing, twice = located(head, names)
    if twice:
        raise ImportRefused(f"{place.name}: column(s) {', '.join(twice)} stand there twice; rename one")
    if not missing:
        return head, at
    if any(is_garbled(name) for name in head.names):
        raise ImportRefused(
            f"{place.name}: the column names are garbled text, decoded in a wrong encoding before they reached "
            "this file; export it again from the source system as UTF-8 or GBK"
        )
    for number, row in enumerate(head.first_rows, 1):
        if number != place.header_row and not located(Head(tuple(row), ""), names)[1]:
            raise ImportRefused(f"{place.name}: the column names stand in row {number}; say header_row = {number}")
    # a row that holds none of the names may be a household's, and is not shown
    shown = f" It has: {', '.join(name for name in head.names if name)}." if at else ""
    raise ImportRefused(f"{place.name}: no column(s) {', '.join(missing)} in row {place.header_row}.{shown}")
