"""From a source's cells to rows of a record table, those that cannot be read set aside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.amounts import Numbers, Unit, read_amounts, read_unit
from relapse_risk.datasets.exports.cells import Cells, Flags
from relapse_risk.datasets.exports.date_cells import AGE, DateCells, as_array, first_of_month, read_ages, read_dates
from relapse_risk.datasets.exports.encoding import is_garbled
from relapse_risk.datasets.exports.mapping import EXPORT, Block, Source, Spread
from relapse_risk.datasets.exports.national_form import FLAG, MONTH, national_form
from relapse_risk.datasets.exports.pseudonyms import Pseudonyms
from relapse_risk.datasets.exports.raw import RawTable, RowNumbers
from relapse_risk.datasets.exports.steps import CitizenIds, CutIds, SetAside, Step, all_rows
from relapse_risk.datasets.exports.texts import plain, read_code_sets, read_codes, read_flags, read_ids
from relapse_risk.dates import Days, from_days
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.schema import ARROW_TYPES, arrow_schema
from relapse_risk.records.tables import TABLES


@dataclass
class Part:
    """Rows of one record table, from a batch of rows of one source.

    Parameters
    ----------
    data : pyarrow.Table
        The rows that could be read.
    source : str
        File and sheet, or database table.
    rows : ndarray of int64
        Each row's number in the source.
    headers : dict of str to str
        The county's column of each record column.
    seen : ndarray of int64
        Numbers of all rows looked at.
    steps : list of Step
        What was found, check by check.
    unfilled : ndarray of int64
        Numbers of rows left out, since all of the columns to spread are blank.
    account : int
        Parts with the same number, other than -1, are of one source whose rows are whole accounts.
    """

    data: pa.Table
    source: str
    rows: RowNumbers
    headers: dict[str, str]
    seen: RowNumbers
    steps: list[Step] = field(default_factory=list)
    unfilled: RowNumbers = field(default_factory=lambda: np.zeros(0, np.int64))
    account: int = -1


def read_block(
    table: type[Table],
    block: Block,
    raw: RawTable,
    exported_on: int,
    *,
    of_a_case: bool = False,
    pseudonyms: Pseudonyms | None = None,
    by_chance: Collection[tuple[int, int]] = (),
) -> list[Part]:
    """Return the rows a block makes of a batch; several parts where it spreads columns, always as many.

    Parameters
    ----------
    table : type of Table
        The record table.
    block : Block
        What stands for what.
    raw : RawTable
        The batch's cells.
    exported_on : int
        Day of the export, days since 1970-01-01.
    of_a_case : bool
        Other blocks read the same rows for this table: a row is a case, of which the block reads one event.
    pseudonyms : Pseudonyms, optional
        For ids that the block says are citizen ids.
    by_chance : collection of (int, int)
        Parts and their steps that found texts with the check sign of a citizen id, where that is by chance.
    """
    if block.spread is None:
        steps = {step for part, step in by_chance if part == 0}
        parts = [_Reader(table, block, raw, exported_on, pseudonyms, steps, of_a_case=of_a_case).read()]
    else:
        raw, unfilled = _filled(raw, block, block.spread)
        parts = []
        for header, values in block.spread.columns.items():
            made = {name: Source(value=value) for name, value in values.items()}
            made[block.spread.into] = Source(column=header, unit=block.spread.unit, blank=block.spread.blank)
            needed = () if block.spread.blank is not None else (header,)
            update = {
                "columns": {**block.columns, **made},
                "only_if": (*block.only_if, *needed),
                "spread": None,
            }
            steps = {step for part, step in by_chance if part == len(parts)}
            reader = _Reader(table, block.model_copy(update=update), raw, exported_on, pseudonyms, steps)
            parts.append(reader.read())
        parts[0].unfilled = unfilled
    miscounted = SetAside(table.name, raw.place.name, "", reject_reasons.FIELDS_MISCOUNTED)
    if len(raw.miscounted):
        miscounted.rows.append(raw.miscounted)
        parts[0].seen = np.concatenate([parts[0].seen, raw.miscounted])
    parts[0].steps.append(miscounted)
    return parts


def household_ids(block: Block, raw: RawTable, pseudonyms: Pseudonyms | None) -> pa.Array:
    """Return the household ids of a batch as ``read_block`` reads them, those it sets aside among them."""
    source = block.columns["household_id"]
    reader = _Reader(TABLES["households"], Block(columns={"household_id": source}), raw, 0, pseudonyms, ())
    return reader.ids(source)


def _filled(raw: RawTable, block: Block, spread: Spread) -> tuple[RawTable, RowNumbers]:
    """Return the rows that fill any of the columns to spread, and the numbers of those that fill none."""
    meant, filled = np.ones(len(raw.rows), bool), np.zeros(len(raw.rows), bool)
    for header in block.only_if:
        meant &= raw.columns[header].positions >= 0
    for header in spread.columns:
        filled |= raw.columns[header].positions >= 0
    unfilled = raw.rows[meant & ~filled]
    if filled.all():
        return raw, unfilled
    columns = {header: cells.take(filled) for header, cells in raw.columns.items()}
    return RawTable(raw.place, columns, raw.rows[filled], raw.miscounted, raw.n_blank), unfilled


def as_accounts(parts: Sequence[Part], number: int) -> None:
    """Take a source's rows as whole accounts: what is made of a row of which anything was set aside goes.

    A household whose account lacks an amount that could not be read would look poor.
    """
    aside = np.concatenate([all_rows(part.steps) for part in parts])
    for part in parts:
        part.account = number
        whole = ~np.isin(part.rows, aside)
        if not whole.all():
            part.data, part.rows = part.data.filter(pa.array(whole)), part.rows[whole]


class _Reader:
    def __init__(
        self,
        table: type[Table],
        block: Block,
        raw: RawTable,
        exported_on: int,
        pseudonyms: Pseudonyms | None,
        by_chance: Collection[int],
        *,
        of_a_case: bool = False,
    ) -> None:
        self.pseudonyms = pseudonyms
        self.by_chance = by_chance
        self.table = table
        self.block = block
        self.of_a_case = of_a_case
        self.months: int | Numbers | None = None
        self.exported_on = exported_on
        self.export_text = from_days(exported_on).isoformat()
        self.place = raw.place.name
        kept = np.ones(len(raw.rows), bool)
        for header in block.only_if:
            kept &= raw.columns[header].positions >= 0
        self.cells = {header: raw.columns[header] for header in block.read if header in raw.columns}
        if not kept.all():
            self.cells = {header: cells.take(kept).compact() for header, cells in self.cells.items()}
        self.rows: RowNumbers = raw.rows[kept]
        self.bad = np.zeros(len(self.rows), bool)
        self.steps: list[Step] = []

    def read(self) -> Part:
        for header, cells in self.cells.items():
            self._set_aside(header, reject_reasons.TEXT_GARBLED, cells.rows_of(_garbled(cells)), cells)
        columns: dict[str, pa.Array] = {}
        if "months" in self.table.columns:
            columns["months"] = self._settle_period(self.table.columns["months"])
        else:
            self.months = self.block.months_of(self.table)
        days: dict[str, DateCells] = {}
        ages: dict[str, Source] = {}
        for name, column in self.table.columns.items():
            source = self.block.columns.get(name)
            if name in columns:
                continue
            if source is None and name == "known_on":
                source = Source(value=EXPORT)
            if source is None:
                columns[name] = pa.nulls(len(self.rows), ARROW_TYPES[column.kind])
            elif column.unit == MONTH and source.unit == AGE:
                ages[name] = source
            elif column.kind is Kind.DATE:
                days[name] = self._dates(source)
            else:
                columns[name] = self._column(column, source)
        self._settle_months(days)
        self._settle_event(days)
        days |= {name: self._ages(source, days["occurred_on"].days) for name, source in ages.items()}
        self._settle_limits(days)
        columns |= {name: as_array(read.days, read.missing) for name, read in days.items()}
        schema = arrow_schema(self.table)
        data = pa.Table.from_arrays([columns[field.name] for field in schema], schema=schema)
        good = ~self.bad
        if not good.all():
            data = data.filter(pa.array(good))
        headers = {name: ", ".join(source.read) for name, source in self.block.columns.items()}
        return Part(data, self.place, self.rows[good], headers, self.rows, self.steps)

    def _column(self, column: Column, source: Source) -> pa.Array:
        if column.kind is Kind.ID:
            return self.ids(source)
        words = national_form().of(column, source.texts)
        if column.kind is Kind.CODE_SET:
            return self._code_set(column, source, words)
        cells = self._cells(source)
        if column.kind is Kind.TEXT:
            return cells.spread(cells.texts)
        if column.kind is Kind.CODE:
            return self._read(column, source, cells, reject_reasons.CODE_UNKNOWN, read_codes(cells, words))
        if column.kind is Kind.FLAG:
            return self._read(column, source, cells, reject_reasons.FLAG_UNREADABLE, read_flags(cells, words))
        return self._numbers(column, source, cells, words)

    def _settle_period(self, column: Column) -> pa.Array:
        """Return each row's months; rates are multiplied out to them."""
        source = self.block.columns.get("months")
        if source is None:
            self.months = self.block.row_months
            return pa.array([self.block.row_months], ARROW_TYPES[column.kind]).take(
                pa.array(np.zeros(len(self.rows), np.int64))
            )
        months = self._column(column, source)
        if self.block.row_months is not None:
            months = months.fill_null(self.block.row_months)
        self.months = months.fill_null(1).cast(pa.float64()).to_numpy(zero_copy_only=False)
        return months

    def _cells(self, source: Source) -> Cells:
        if source.value is not None:
            return Cells.constant(self._constant(source.value), len(self.rows))
        cells = self.cells[source.column or source.columns[0]]
        return cells if source.blank is None else cells.filled(self._constant(source.blank))

    def _constant(self, text: str) -> str:
        return self.export_text if text == EXPORT else text

    def _read(
        self, column: Column, source: Source, cells: Cells, code: str, read: tuple[pa.Array, Flags]
    ) -> pa.Array:
        values, bad = read
        self._set_aside(source.column or "", code, cells.rows_of(bad), cells, column)
        return cells.spread(values)

    def ids(self, source: Source) -> pa.Array:
        """Return the ids of each row."""
        joined = []
        for header in source.columns or (source.column,):
            cells, numeric = read_ids(self._cells(source) if header is None else self._with_blank(header, source))
            self._set_aside(header or "", reject_reasons.ID_NUMERIC, cells.rows_of(numeric), cells)
            if header is not None:
                self.steps.append(CutIds.of_batch(self.place, header, cells))
            if source.pseudonym and self.pseudonyms is not None:
                cells = self.pseudonyms.of_cells(cells)
            self._without_citizen_ids(header or "", cells)
            joined.append(cells.spread(cells.texts))
        return joined[0] if len(joined) == 1 else pc.binary_join_element_wise(*joined, "-")

    def _with_blank(self, header: str, source: Source) -> Cells:
        cells = self.cells[header]
        return cells if source.blank is None else cells.filled(source.blank)

    def _code_set(self, column: Column, source: Source, words: dict[str, str]) -> pa.Array:
        if source.flags:
            return self._flag_set(source)
        if not source.columns:
            cells = self._cells(source)
            return self._read(column, source, cells, reject_reasons.CODE_UNKNOWN, read_code_sets(cells, words))
        each = []
        for header in source.columns:
            cells = self.cells[header]
            values, bad = read_code_sets(cells, words)
            self._set_aside(header, reject_reasons.CODE_UNKNOWN, cells.rows_of(bad), cells, column)
            each.append(cells.spread(values))
        # Nulls are replaced rather than skipped: of a row that has nothing else, skipping would leave no row.
        joined = pc.binary_join_element_wise(*each, ",", null_handling="replace", null_replacement="")
        denial = column.codes.alone if column.codes else None
        return Cells.of_array(joined).spread(_once(Cells.of_array(joined).texts, denial))

    def _flag_set(self, source: Source) -> pa.Array:
        """Return the codes with a yes in their column; of a row of noes alone, the code for none."""
        words = national_form().of(FLAG, source.texts)
        blank = {"true": True, "false": False}.get(words.get(plain(source.blank or ""), ""))
        n_rows = len(self.rows)
        filled, denied = np.zeros(n_rows, bool), np.ones(n_rows, bool)
        sets = np.full(n_rows, "", object)
        said = {}
        for header in source.flags:
            cells = self.cells[header]
            flags, bad = read_flags(cells, words)
            self._set_aside(header, reject_reasons.FLAG_UNREADABLE, cells.rows_of(bad), cells, FLAG)
            said[header] = cells.spread(flags)
            filled |= cells.positions >= 0
        for header, code in source.flags.items():
            answer = said[header] if blank is None else said[header].fill_null(blank)
            yes = np.asarray(answer.fill_null(False)).astype(bool) & filled
            denied &= np.asarray(pc.equal(answer, False).fill_null(False)).astype(bool) & filled
            sets[yes] = sets[yes] + f"{code},"
        if source.none is not None:
            sets[denied] = source.none
        return Cells.of_objects(sets).spread(_once(Cells.of_objects(sets).texts))

    def _ages(self, source: Source, on: Days) -> DateCells:
        cells = self._cells(source)
        read = read_ages(cells, on)
        self._set_aside(source.column or "", reject_reasons.DATE_UNREADABLE, read.bad & ~read.missing, cells)
        return read

    def _dates(self, source: Source) -> DateCells:
        cells = self._cells(source)
        if source.texts:
            cells = _translated(cells, {plain(text): meant for text, meant in source.texts.items()})
        read = read_dates(cells, source.coarsest)
        self._set_aside(source.column or "", reject_reasons.DATE_UNREADABLE, read.bad, cells)
        if source.lag_days:
            past = read.days <= self.exported_on
            later = np.minimum(read.days + np.int32(source.lag_days), np.int32(self.exported_on))
            read = DateCells(
                np.where(past, later, read.days), np.where(past, later, read.first), read.missing, read.bad
            )
        return read

    def _settle_months(self, days: dict[str, DateCells]) -> None:
        """Give a month the last day it can mean: it ends with the export, and a thing is known once it is."""
        latest = np.full(len(self.rows), self.exported_on, np.int32)
        for name in ("known_on", "occurred_on"):
            read = days[name]
            within = (read.first <= latest) & (latest < read.days)
            days[name] = DateCells(np.where(within, latest, read.days), read.first, read.missing, read.bad)
            latest = days[name].days

    def _settle_limits(self, days: dict[str, DateCells]) -> None:
        """Give a period that the day it may not follow lies in that day; a month of birth is its first day."""
        for name, read in days.items():
            column = self.table.columns[name]
            value = read.days
            if column.unit == MONTH:
                middle = (read.first.astype(np.int64) + read.days.astype(np.int64)) // 2
                value = first_of_month(middle.astype(np.int32))
            if column.not_after in days:
                limit = days[column.not_after].days
                within = (read.first <= limit) & (limit < value)
                value = np.where(within, first_of_month(limit) if column.unit == MONTH else limit, value)
            days[name] = DateCells(value, read.first, read.missing, read.bad)

    def _settle_event(self, days: dict[str, DateCells]) -> None:
        """Let a case's later event be known on its own day: the case's row was entered before it.

        Only where the mapping says that the event may be missing (``only_if`` its date): any other date after
        the day of entry is a mistake, and set aside as one.
        """
        source = self.block.columns["occurred_on"]
        if not self.of_a_case or source.column not in self.block.only_if:
            return
        occurred, known = days["occurred_on"], days["known_on"]
        ends = np.int32(self.exported_on)
        running = (occurred.first <= ends) & (ends < occurred.days)  # a month that ends with the export
        event = np.where(running, ends, occurred.days)
        days["occurred_on"] = DateCells(event, occurred.first, occurred.missing, occurred.bad)
        later = np.where(occurred.missing | occurred.bad, known.days, np.minimum(event, ends))
        days["known_on"] = DateCells(np.maximum(known.days, later), known.first, known.missing, known.bad)

    def _numbers(self, column: Column, source: Source, cells: Cells, words: dict[str, str]) -> pa.Array:
        if words:
            cells = _translated(cells, words)
        unit = read_unit(source.unit, column.unit) if source.unit else None
        units = self.cells[source.unit_column] if source.unit_column else None
        read = read_amounts(cells, column.unit, unit or Unit(1.0), self.months, units)
        bad = read.bad
        if column.kind is Kind.INTEGER:
            bad = bad | (~read.missing & ~read.unit_unknown & (np.floor(read.values) != read.values))
        code = reject_reasons.CODE_UNKNOWN if column.unit == "grade" else reject_reasons.NUMBER_UNREADABLE
        self._set_aside(source.column or "", code, bad, cells, column)
        self._set_aside(
            source.unit_column or source.column or "", reject_reasons.UNIT_UNKNOWN, read.unit_unknown, cells
        )
        no_value = read.missing | bad | read.unit_unknown
        if column.kind is Kind.NUMBER:
            return pa.array(read.values, mask=no_value)
        return pa.array(np.where(no_value, 0, read.values).clip(-(2**53), 2**53).astype(np.int64), mask=no_value)

    def _without_citizen_ids(self, header: str, cells: Cells) -> None:
        found = CitizenIds(self.table.name, self.place, header, reject_reasons.CITIZEN_ID)
        right = found.judge(cells.texts)
        if len(self.steps) in self.by_chance:
            right = np.zeros(len(right), bool)
        self._take_note(found, cells.rows_of(right), cells)

    def _set_aside(self, header: str, code: str, bad: Flags, cells: Cells, column: Column | None = None) -> None:
        self._take_note(SetAside(self.table.name, self.place, header, code, column), bad, cells)

    def _take_note(self, found: SetAside, bad: Flags, cells: Cells) -> None:
        self.bad |= bad
        found.take(self.rows, bad, cells)
        self.steps.append(found)


def _garbled(cells: Cells) -> Flags:
    suspects = np.flatnonzero(np.asarray(pc.match_substring_regex(cells.texts, r"[^\x00-\x7f]")))
    bad = np.zeros(len(cells.texts), bool)
    for place, text in zip(suspects, cells.texts.take(pa.array(suspects)).to_pylist(), strict=True):
        bad[place] = is_garbled(text)
    return bad


def _translated(cells: Cells, words: dict[str, str]) -> Cells:
    texts = [words.get(plain(text), text) for text in cells.texts.to_pylist()]
    return Cells(pa.array(texts, pa.string()), cells.positions, cells.numeric).blank_where(())


def _once(sets: pa.Array, denial: str | None = None) -> pa.Array:
    """Return sets of codes joined by commas, each code once, a denial of all codes only by itself."""
    found = []
    for text in sets.to_pylist():
        codes = [code for code in dict.fromkeys(text.split(",")) if code]
        found.append(",".join(code for code in codes if code != denial or len(codes) == 1) or None)
    return pa.array(found, pa.string())
