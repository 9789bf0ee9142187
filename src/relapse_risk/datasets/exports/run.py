"""An export to a records folder, whole or not at all."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pyarrow as pa

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.checks import RowsByTable, line_fault, own_rules, rules_between
from relapse_risk.datasets.exports.encoding import is_garbled
from relapse_risk.datasets.exports.gather import contradictions, gather, repeated_rows
from relapse_risk.datasets.exports.mapping import Block, CountyMapping
from relapse_risk.datasets.exports.merge import Counts, first_import, merge
from relapse_risk.datasets.exports.national_form import national_form
from relapse_risk.datasets.exports.pseudonyms import Pseudonyms
from relapse_risk.datasets.exports.raw import Head, Location, RawTable, located
from relapse_risk.datasets.exports.rows import Part, as_accounts, read_block
from relapse_risk.datasets.exports.same_key import SameKey
from relapse_risk.datasets.exports.sources import ExportReader
from relapse_risk.datasets.exports.tablerows import TableRows
from relapse_risk.dates import to_days
from relapse_risk.errors import ImportRefused, UsageError
from relapse_risk.records.folder import fill, load_records, new_records
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings, county_defaults
from relapse_risk.spreadsheet import harmless

#: Folder of the rejects, in the records folder.
REJECTS = "rejects"


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


@dataclass(frozen=True)
class Imported:
    """What became of an export.

    Parameters
    ----------
    exported_on : date
        Day of the export.
    records : Records
        As written.
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

    exported_on: dt.date
    records: Records
    sources: list[SourceRead]
    counts: dict[str, Counts]
    rejects: list[reject_reasons.Rejects]
    undated: tuple[str, ...]
    kept_settings: bool


def import_county(
    src: str,
    mapping: CountyMapping,
    out: Path | str,
    *,
    exported_on: dt.date | None = None,
    max_reject_share: float | None = None,
    id_key: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
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
    with new_records(out) as new:
        return _import(src, mapping, Path(out), new, exported_on, max_reject_share, id_key, report)


def _import(
    src: str,
    mapping: CountyMapping,
    out: Path,
    new: Path,
    exported_on: dt.date | None,
    max_reject_share: float | None,
    id_key: Path | None,
    report: Callable[[str], None],
) -> Imported:
    day = exported_on or mapping.export.date
    if day is None:
        raise UsageError(
            "nothing says when the export was made: say --exported-on 2024-06-30, or date = 2024-06-30 under "
            "[export] in the mapping"
        )
    share = mapping.export.max_reject_share if max_reject_share is None else max_reject_share
    held = _held(out, day)
    settings, kept_settings = _settings(mapping, held, day)
    pseudonyms = _pseudonyms(mapping, id_key, held)
    with ExportReader(src) as reader:
        parts, sources = _read(reader, mapping, to_days(day), pseudonyms, report)
    report("checking the rows")
    rows = {name: TableRows.of_parts(TABLES[name], of) for name, of in parts.items()}
    fault = line_fault(rows, settings)
    if fault:
        raise ImportRefused(fault)
    rejects = [reject for of in parts.values() for part in of for reject in part.rejects]
    held_tables = {name: held.table(name) for name in held.present} if held else {}
    rules = {name: mapping.same_key(name) for name in rows}
    rows, again, found = _sound(rows, rules, held_tables, settings)
    rejects += found

    report("merging")
    tables, counts, made = dict(held_tables), {}, Counter[tuple[str, str]]()
    for name in [*rows]:
        fresh = rows.pop(name)
        while True:
            gathered = gather(fresh, rules[name], to_days(day))
            if name in held_tables and held is not None:
                merged = merge(TABLES[name], held_tables[name], gathered.data, to_days(day), to_days(held.end))
            else:
                merged = first_import(TABLES[name], gathered.data)
            if not merged.stuck.size:
                break
            stuck = gathered.rows_of(merged.stuck)
            rejects += fresh.rejects(reject_reasons.NOTHING_LATER, TABLES[name].key[-1], stuck)
            fresh = fresh.keep(~np.isin(np.arange(fresh.data.num_rows), stuck))
        made += fresh.by_source() + again[name].by_source()
        tables[name] = merged.data
        counts[name] = dataclasses.replace(
            merged.counts,
            repeated=again[name].data.num_rows + gathered.repeated,
            added=gathered.added,
            sums=gathered.sums,
            ends=gathered.ends,
        )
    rejects = reject_reasons.joined(rejects)
    read = [
        dataclasses.replace(
            source,
            set_aside=reject_reasons.n_rows(rejects, source.table, source.source),
            made=made[source.table, source.source],
        )
        for source in sources
    ]
    _stop_above(share, read, rejects)
    report("checking the records")
    records = Records.from_tables(tables, settings)
    report("writing the records")
    fill(new, tables, settings, extra_files=_as_files(rejects))
    undated = tuple(
        name for name, blocks in mapping.tables.items() if any("known_on" not in block.columns for block in blocks)
    )
    return Imported(day, records, read, counts, rejects, undated, kept_settings)


def _held(out: Path, day: dt.date) -> Records | None:
    """Return the records already there, None where there are none."""
    if not out.exists():
        return None
    held = load_records(out)
    if day + dt.timedelta(days=1) < held.end:
        raise ImportRefused(
            f"the export is of {day}, but {out} already covers the days before {held.end}; import exports in the "
            "order they were made, or into another --out"
        )
    return held


def _pseudonyms(mapping: CountyMapping, id_key: Path | None, held: Records | None) -> Pseudonyms | None:
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
        if held and name in held.present and pseudonyms.are_of_another_key(held.table(name)[column]):
            raise ImportRefused(
                f"{name}.{column}: the records hold pseudonyms by another key than {id_key}; give the key of the "
                "earlier imports, else nothing joins"
            )
    return pseudonyms


def _settings(mapping: CountyMapping, held: Records | None, day: dt.date) -> tuple[Settings, bool]:
    """Return the settings to write, and whether they stay although the mapping says otherwise.

    The export's own day is covered: what came in on it is known from the next day on.
    """
    named = mapping.settings or Settings()
    settings = held.settings if held else named.over(county_defaults())
    kept = named.over(settings) != settings
    end = day + dt.timedelta(days=1)
    return settings.model_copy(update={"data": settings.data.model_copy(update={"end": end})}), kept


def _read(
    reader: ExportReader,
    mapping: CountyMapping,
    exported_on: int,
    pseudonyms: Pseudonyms | None,
    report: Callable[[str], None],
) -> tuple[dict[str, list[Part]], list[SourceRead]]:
    """Return the rows of every source; raise one error that lists all that is wrong with them."""
    wanted, faults = _wanted(reader, mapping)
    found: dict[Location, tuple[Head, dict[str, int]]] = {}
    for place, blocks in wanted.items():
        try:
            found[place] = _header(reader, place, [block for _, block in blocks])
        except ImportRefused as error:
            faults.append(str(error))
    _refuse(faults)
    nulls = (*national_form().nulls, *mapping.export.nulls)
    parts: dict[str, list[Part]] = {name: [] for name in TABLES if name in mapping.tables}
    sources: list[SourceRead] = []
    for place, (head, at) in found.items():
        report(f"reading {place.name}")
        try:
            raw = reader.read(place, head, at, nulls)
        except ImportRefused as error:
            faults.append(str(error))
            continue
        made: dict[str, list[Part]] = {}
        tables = [name for name, _ in wanted[place]]
        for name, block in wanted[place]:
            read = read_block(
                TABLES[name],
                block,
                _of_block(raw, block),
                exported_on,
                of_a_case=tables.count(name) > 1,
                pseudonyms=pseudonyms,
            )
            made.setdefault(name, []).extend(read)
        for number, (name, of) in enumerate(made.items(), len(sources)):
            if any(block.spread for table, block in wanted[place] if table == name):
                as_accounts(of, number)
            parts[name] += of
            faults += [fault for part in of for fault in part.faults]
            seen = np.unique(np.concatenate([part.seen for part in of]))
            unfilled = np.setdiff1d(np.concatenate([part.unfilled for part in of]), seen)
            sources.append(SourceRead(place.name, head.note, name, len(seen), 0, raw.n_blank + len(unfilled)))
    _refuse(faults)
    order = list(TABLES)
    return parts, sorted(sources, key=lambda source: order.index(source.table))


def _sound(
    rows: RowsByTable, rules: Mapping[str, SameKey], held: Mapping[str, pa.Table], settings: Settings
) -> tuple[RowsByTable, RowsByTable, list[reject_reasons.Rejects]]:
    """Return the rows that come in, those that repeat another, and those set aside.

    Each row is first judged alone; only sound rows compete for a key.
    """
    found: list[reject_reasons.Rejects] = []
    again = {}
    for name, of in rows.items():
        sound, bad = own_rules(of, settings)
        repeats = repeated_rows(sound)
        again[name], rows[name] = sound.keep(repeats), sound.keep(~repeats)
        found += bad
    rows, bad = rules_between(held, rows, settings)
    found += bad
    n_sound = len(found)
    for name, of in rows.items():
        rows[name], bad = contradictions(of, rules[name])
        found += bad
    if len(found) > n_sound:  # a household may have lost its profile
        rows, bad = rules_between(held, rows, settings)
        found += bad
    return rows, again, found


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


def _as_files(rejects: list[reject_reasons.Rejects]) -> dict[str, str]:
    """Return a CSV file for each table's rejects; with a mark, so that Excel shows Chinese.

    Texts that stand for no code are listed here alone; what a spreadsheet would compute gets a quote before it.
    """
    files = {}
    for name in dict.fromkeys(found.table for found in rejects):
        text = io.StringIO()
        text.write("\ufeff")
        writer = csv.writer(text)
        writer.writerow(("source", "row", "column", "code", "reason", "原因", "text"))
        lines = [
            (harmless(found.source), row, harmless(found.column), found.code, *_words(found), harmless(text))
            for found in rejects
            if found.table == name
            for row, text in zip_longest(found.rows.tolist(), found.texts, fillvalue="")
        ]
        writer.writerows(sorted(lines))
        files[f"{REJECTS}/{name}.csv"] = text.getvalue()
    return files


def _words(found: reject_reasons.Rejects) -> tuple[str, str]:
    return harmless(found.reason.en), harmless(found.reason.zh)
