"""An export to a records folder, whole or not at all.

Sources are read batch by batch, and their sound rows put aside on disk by range of household ids. Then one range
after another is settled and written: everything that rows have to do with each other happens within a household. So
memory does not grow with the county.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.checks import line_fault
from relapse_risk.datasets.exports.held import Held
from relapse_risk.datasets.exports.mapping import CountyMapping
from relapse_risk.datasets.exports.merge import Counts
from relapse_risk.datasets.exports.pseudonyms import Pseudonyms
from relapse_risk.datasets.exports.reading import (
    Advance,
    Source,
    SourceRead,
    TableRead,
    ids_of_profiles,
    read_source,
    sources_of,
)
from relapse_risk.datasets.exports.reject_files import write_rejects
from relapse_risk.datasets.exports.settle import Settled, Settling
from relapse_risk.datasets.exports.sources import ROWS_OF_A_BATCH, ExportReader
from relapse_risk.datasets.exports.spill import Spill, starts_of
from relapse_risk.datasets.exports.threads import in_threads
from relapse_risk.datasets.exports.together import Together
from relapse_risk.dates import to_days
from relapse_risk.errors import ImportRefused, RecordsInvalid, UsageError
from relapse_risk.records.blocks import load_records
from relapse_risk.records.folder import REJECTS, SIMULATION_FILE, new_records
from relapse_risk.records.records import Records
from relapse_risk.records.tables import MONEY_TABLES, TABLES
from relapse_risk.records.writer import HOUSEHOLDS_OF_A_BLOCK, RecordsWriter
from relapse_risk.settings import SETTINGS_FILE, Settings, county_defaults


@dataclass(frozen=True)
class Imported:
    """What became of an export.

    Parameters
    ----------
    out : Path
        The records folder.
    exported_on : date
        Day of the export.
    end : date
        First day that the records do not cover.
    rows : dict of str to int
        Rows of each table, as written.
    sources : list of SourceRead
        By source and table.
    counts : dict of str to Counts
        By table, what the export changed.
    rejects : list of Rejects
        Every row set aside, with every reason.
    undated : tuple of str
        Tables of which no column says when a row was entered: they count as known from the export on.
    kept_settings : bool
        The folder's own settings differ from the mapping's, and stay.
    """

    out: Path
    exported_on: dt.date
    end: dt.date
    rows: dict[str, int]
    sources: list[SourceRead]
    counts: dict[str, Counts]
    rejects: list[reject_reasons.Rejects]
    undated: tuple[str, ...]
    kept_settings: bool

    @cached_property
    def records(self) -> Records:
        """The records, read from the folder as a whole."""
        return load_records(self.out)


def import_county(
    src: str,
    mapping: CountyMapping,
    out: Path | str,
    *,
    exported_on: dt.date | None = None,
    max_reject_share: float | None = None,
    id_key: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
    advance: Advance = lambda _done, _of, _unit: None,
    households_of_a_range: int = HOUSEHOLDS_OF_A_BLOCK,
    rows_of_a_batch: int = ROWS_OF_A_BATCH,
) -> Imported:
    """Turn a county's export into records, or bring the records up to date with it.

    Parameters
    ----------
    src : str
        Folder, file or PostgreSQL URL.
    mapping : CountyMapping
        What stands for what.
    out : path
        Records folder; one that exists is brought up to date: rows with new values become new versions, nothing
        known before is lost.
    exported_on : date, optional
        Day of the export, instead of the mapping's.
    max_reject_share : float, optional
        Share of a table's rows that may be set aside, instead of the mapping's.
    id_key : path, optional
        File of the county's secret key, for columns that the mapping says are citizen ids (``pseudonym = true``).
    report : callable
        Called with what is being done.
    advance : callable
        Called with how much of it is done, of how much, and what is counted.
    households_of_a_range : int
        Households that are settled and written at a time.
    rows_of_a_batch : int
        Most rows of a source that are read at a time.

    Raises
    ------
    UsageError
        If nothing says when the export was made, or the mapping asks for pseudonyms and no key was given.
    ImportRefused
        If sources cannot be used (the error lists all that is wrong), the export is older than the records held,
        or too many rows were set aside. Nothing is written then.
    OutputExists
        If ``out`` is something else than a records folder.
    OutputBusy
        If another run is writing it.
    """
    day = exported_on or mapping.export.date
    if day is None:
        raise UsageError(
            "nothing says when the export was made: say --exported-on 2024-06-30, or date = 2024-06-30 under "
            "[export] in the mapping"
        )
    share = mapping.export.max_reject_share if max_reject_share is None else max_reject_share
    if (Path(out) / SIMULATION_FILE).exists():
        raise ImportRefused(f"{out} holds a simulated county: its households are not real. Choose another --out")
    with new_records(out) as new:
        held = Held.open(Path(out), day)
        settings, kept_settings = _settings(mapping, held, day)
        pseudonyms = _pseudonyms(mapping, id_key, held)
        with TemporaryDirectory(dir=new, prefix="rows-") as spare, ExportReader(src, rows_of_a_batch) as reader:
            run = _Run(mapping, to_days(day), pseudonyms, held, settings, Path(spare), report, advance)
            run.read(reader, households_of_a_range)
            rows = run.settle(new)
        rejects = run.rejects()
        sources = run.sources(rejects)
        _stop_above(share, sources, rejects)
        run.refuse_unsound()
        (new / SETTINGS_FILE).write_text(settings.to_toml(), encoding="utf-8")
        write_rejects(new, rejects)
    undated = tuple(
        name for name, blocks in mapping.tables.items() if any("known_on" not in block.columns for block in blocks)
    )
    end = day + dt.timedelta(days=1)
    return Imported(Path(out), day, end, rows, sources, run.counts, rejects, undated, kept_settings)


class _Run:
    """One import: first everything is read, then everything is settled.

    Parameters
    ----------
    mapping, pseudonyms, held, settings, report, advance
        See ``import_county``.
    exported_on : int
        Day of the export, days since 1970-01-01.
    spare : Path
        An empty folder for rows put aside.
    """

    def __init__(
        self,
        mapping: CountyMapping,
        exported_on: int,
        pseudonyms: Pseudonyms | None,
        held: Held | None,
        settings: Settings,
        spare: Path,
        report: Callable[[str], None],
        advance: Advance,
    ) -> None:
        self._mapping = mapping
        self._exported_on = exported_on
        self._pseudonyms = pseudonyms
        self._held = held
        self._settings = settings
        self._spare = spare
        self._report = report
        self._advance = advance
        self._sources: list[SourceRead] = []
        self._read: dict[str, TableRead] = {}
        self._whole = Settled()
        self._all = Together()
        self.counts: dict[str, Counts] = {}

    def read(self, reader: ExportReader, households_of_a_range: int) -> None:
        """Read all sources; raise one error that lists all that is wrong with them."""
        sources, self._read, faults = sources_of(reader, self._mapping)
        _refuse(faults)
        self._report("reading household ids")
        self._starts = self._starts_of_ranges(reader, sources, households_of_a_range)
        (self._spare / "new").mkdir()
        self._spill = Spill(self._spare / "new", self._starts)
        with self._spill:
            for source in sources:
                self._report(f"reading {source.place.name}")
                try:
                    read, found = read_source(
                        reader,
                        source,
                        self._read,
                        self._spill,
                        self._settings,
                        self._exported_on,
                        self._pseudonyms,
                        self._advance,
                    )
                except ImportRefused as error:
                    faults.append(str(error))
                    continue
                self._sources += read
                faults += found
        _refuse(faults)
        if any(self._read[name].n_rows for name in MONEY_TABLES if name in self._read):
            fault = line_fault(self._settings, self._read["households"].townships)
            if fault:
                raise ImportRefused(fault)

    def _starts_of_ranges(self, reader: ExportReader, sources: Sequence[Source], households: int) -> list[str]:
        blocks = chain.from_iterable(self._mapping.tables.values())
        spread = [values for block in blocks if block.spread for values in block.spread.columns.values()]
        if any("household_id" in values for values in spread):
            return []  # rows of several households are one account
        ids: Iterator[pa.Array] = ids_of_profiles(reader, sources, self._pseudonyms)
        if self._held:
            ids = chain(ids, [self._held.distinct("households", "household_id")])
        return starts_of(ids, households)

    def settle(self, new: Path) -> dict[str, int]:
        """Settle and write one range of households after another; return the rows of each table."""
        self._report("merging and writing the records")
        if self._held:
            (self._spare / "held").mkdir()
            self._held.cut_at(self._starts, self._spare / "held")
        rules = {name: self._mapping.same_key(name) for name in self._read}
        settling = Settling(self._read, rules, self._spill, self._held, self._settings, self._exported_on)
        self._all.add(settling.whole)
        n_ranges = len(self._starts) + 1
        with RecordsWriter(new) as writer:
            writer.write_block(settling.whole.tables)
            for number, done in enumerate(in_threads(settling.settle, range(n_ranges)), 1):
                if not self._all.broken and not done.broken:
                    writer.write_block(done.tables)
                self._all.add(done)
                done.tables.clear()
                self._advance(number, n_ranges, "blocks of households")
        if self._all.broken:
            raise ImportRefused(f"rows already held would break a rule: {self._all.broken[0]}")
        order = [name for name in TABLES if name in self._read]
        self.counts = {name: self._all.counts[name] for name in order}
        return {name: self._all.n_rows[name] for name in TABLES if name in self._all.n_rows}

    def rejects(self) -> list[reject_reasons.Rejects]:
        """Return all rows set aside, an entry a source, column and reason."""
        found = [found for table in self._read.values() for found in table.all_rejects()]
        return reject_reasons.joined([*found, *self._all.rejects])

    def sources(self, rejects: list[reject_reasons.Rejects]) -> list[SourceRead]:
        """Return what became of each source's rows."""
        order = list(TABLES)
        return [
            dataclasses.replace(
                source,
                set_aside=reject_reasons.n_rows(rejects, source.table, source.source),
                made=self._all.made[source.table, source.source],
            )
            for source in sorted(self._sources, key=lambda source: order.index(source.table))
        ]

    def refuse_unsound(self) -> None:
        """Raise the violations of the new records, if there are any."""
        violations = self._all.violations()
        if violations:
            raise RecordsInvalid(tuple(violations))


def _pseudonyms(mapping: CountyMapping, id_key: Path | None, held: Held | None) -> Pseudonyms | None:
    """Return the key's pseudonyms, None where the mapping asks for none."""
    asked = {
        (name, column)
        for name, blocks in mapping.tables.items()
        for block in blocks
        for column, source in block.columns.items()
        if source.pseudonym
    }
    if not asked:
        return None
    if id_key is None:
        columns = ", ".join(sorted(f"{name}.{column}" for name, column in asked))
        raise UsageError(f"the mapping asks for pseudonyms ({columns}): say --id-key FILE, the county's secret key")
    pseudonyms = Pseudonyms.load(id_key)
    for name, column in sorted(asked):
        if held and name in held.present and pseudonyms.are_of_another_key(held.distinct(name, column)):
            raise ImportRefused(
                f"{name}.{column}: the records hold pseudonyms by another key than {id_key}; give the key of the "
                "earlier imports, else nothing joins"
            )
    return pseudonyms


def _settings(mapping: CountyMapping, held: Held | None, day: dt.date) -> tuple[Settings, bool]:
    """Return the settings to write, and whether they stay although the mapping says otherwise.

    The export's own day is covered: what came in on it is known from the next day on.
    """
    named = mapping.settings or Settings()
    settings = held.settings if held else named.over(county_defaults())
    kept = named.over(settings) != settings
    end = day + dt.timedelta(days=1)
    return settings.model_copy(update={"data": settings.data.model_copy(update={"end": end})}), kept


def _refuse(faults: list[str]) -> None:
    if faults:
        lines = "\n".join(f"  {fault}" for fault in dict.fromkeys(faults))
        raise ImportRefused(f"the export cannot be used as it is; nothing was written:\n{lines}")


def _stop_above(share: float, sources: list[SourceRead], rejects: list[reject_reasons.Rejects]) -> None:
    over = []
    for name in dict.fromkeys(source.table for source in sources):
        read = sum(source.read for source in sources if source.table == name)
        aside = sum(source.set_aside for source in sources if source.table == name)
        if aside > share * read:
            over.append(f"  {name}: {aside:,} of {read:,} rows ({aside / read:.1%})")
            over += [f"    {_shown(found)}" for found in rejects if found.table == name]
    if over:
        raise ImportRefused(
            f"more than {share:.1%} of a table's rows would be set aside; nothing was written:\n"
            + "\n".join(over)
            + "\nMend the export or the mapping, or allow more: max_reject_share in the mapping, or --max-rejects; "
            f"then {REJECTS}/ in the records folder lists every row, and the texts that stand for no code"
        )


def _shown(found: reject_reasons.Rejects) -> str:
    said = found.reason
    place = f"{found.source}, {found.column or 'whole row'}"
    valid = f". Valid: {found.valid}" if found.valid else ""
    hint = f". {found.hint}" if found.hint else ""
    return (
        f"{place}: {found.code} {said.en} ({said.zh}), {len(found.rows):,} row(s): {found.first_rows}{valid}{hint}"
    )
