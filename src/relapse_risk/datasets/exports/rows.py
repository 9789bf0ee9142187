"""From a source's cells to rows of a record table, those that cannot be read set aside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports import reject_reasons
from relapse_risk.datasets.exports.amounts import Numbers, Unit, read_amounts, read_unit
from relapse_risk.datasets.exports.cells import Cells, Flags
from relapse_risk.datasets.exports.date_cells import AGE, DateCells, as_array, first_of_month, read_ages, read_dates
from relapse_risk.datasets.exports.encoding import is_garbled
from relapse_risk.datasets.exports.mapping import EXPORT, Block, Source, Spread
from relapse_risk.datasets.exports.national_form import FLAG, MONTH, national_form, valid_codes
from relapse_risk.datasets.exports.personal import WITHHELD, may_be_of_person, mostly_names
from relapse_risk.datasets.exports.pseudonyms import Pseudonyms
from relapse_risk.datasets.exports.raw import RawTable, RowNumbers
from relapse_risk.datasets.exports.texts import digits_lost, plain, read_code_sets, read_codes, read_flags, read_ids
from relapse_risk.dates import Days, from_days
from relapse_risk.records.citizen_ids import citizen_ids
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.schema import ARROW_TYPES, arrow_schema

#: From this share of a column's cells on, a fault is the file's and not the rows'.
OF_THE_FILE = {
    reject_reasons.ID_NUMERIC: 0.5,
    reject_reasons.TEXT_GARBLED: 0.1,
    reject_reasons.CITIZEN_ID: 0.5,
}
#: Reasons with texts listed in the rejects file.
_TEXTS_LISTED = (reject_reasons.CODE_UNKNOWN, reject_reasons.FLAG_UNREADABLE)
#: So many different texts that look like names are no chance: a list of codes has fewer that nobody knows.
_FEWEST_NAMES = 5
_MEND = {
    reject_reasons.ID_NUMERIC: "ids stored as numbers (digits beyond the 15th and leading zeros are lost); export "
    "the column as text from the source system: making it text in the spreadsheet does not bring them back",
    reject_reasons.TEXT_GARBLED: "garbled text: it was decoded in a wrong encoding before it reached this file; "
    "export it again from the source system as UTF-8 or GBK",
    reject_reasons.CITIZEN_ID: "citizen ids (身份证号) are never stored; map the column of the system's own ids "
    "(户编号, 人员编号), or say pseudonym = true for this column, to have keyed hashes stored in their place",
}


@dataclass
class Part:
    """Rows of one record table from one source.

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
    rejects : list of Rejects
        Rows set aside.
    faults : list of str
        What is wrong with the source as a whole.
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
    rejects: list[reject_reasons.Rejects] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
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
) -> list[Part]:
    """Return the rows a block makes of a source; several parts where it spreads columns.

    Parameters
    ----------
    table : type of Table
        The record table.
    block : Block
        What stands for what.
    raw : RawTable
        The source's cells.
    exported_on : int
        Day of the export, days since 1970-01-01.
    of_a_case : bool
        Other blocks read the same rows for this table: a row is a case, of which the block reads one event.
    pseudonyms : Pseudonyms, optional
        For ids that the block says are citizen ids.
    """
    if block.spread is None:
        parts = [_Reader(table, block, raw, exported_on, pseudonyms, of_a_case=of_a_case).read()]
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
            parts.append(_Reader(table, block.model_copy(update=update), raw, exported_on, pseudonyms).read())
        parts[0].unfilled = unfilled
    if len(raw.miscounted):
        miscounted = reject_reasons.Rejects(
            table.name, raw.place.name, "", reject_reasons.FIELDS_MISCOUNTED, raw.miscounted
        )
        parts[0].rejects.append(miscounted)
        parts[0].seen = np.concatenate([parts[0].seen, raw.miscounted])
    return parts


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
    aside = np.concatenate([np.zeros(0, np.int64), *(found.rows for part in parts for found in part.rejects)])
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
        *,
        of_a_case: bool = False,
    ) -> None:
        self.pseudonyms = pseudonyms
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
        self.rejects: list[reject_reasons.Rejects] = []
        self.faults: list[str] = []

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
        return Part(data, self.place, self.rows[good], headers, self.rows, self.rejects, self.faults)

    def _column(self, column: Column, source: Source) -> pa.Array:
        if column.kind is Kind.ID:
            return self._ids(source)
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

    def _ids(self, source: Source) -> pa.Array:
        joined = []
        for header in source.columns or (source.column,):
            cells, numeric = read_ids(self._cells(source) if header is None else self._with_blank(header, source))
            self._set_aside(header or "", reject_reasons.ID_NUMERIC, cells.rows_of(numeric), cells)
            if header is not None and digits_lost(cells):
                self.faults.append(f"{self.place}: column {header}: {_MEND[reject_reasons.ID_NUMERIC]}")
            if source.pseudonym and self.pseudonyms is not None:
                cells = self.pseudonyms.of_cells(cells)
            self._set_aside(header or "", reject_reasons.CITIZEN_ID, cells.rows_of(citizen_ids(cells.texts)), cells)
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

    def _set_aside(self, header: str, code: str, bad: Flags, cells: Cells, column: Column | None = None) -> None:
        n_bad = int(bad.sum())
        if not n_bad:
            return
        self.bad |= bad
        found = reject_reasons.Rejects(self.table.name, self.place, header, code, self.rows[bad])
        if column is not None and code in _TEXTS_LISTED:
            texts = _listed(cells.spread(cells.texts).filter(pa.array(bad)).to_pylist())
            found = replace(found, valid=", ".join(valid_codes(column)), texts=texts)
        if code == reject_reasons.DATE_UNREADABLE:
            found = replace(found, hint=_date_hint(cells.spread(cells.texts).filter(pa.array(bad)).to_pylist()))
        self.rejects.append(found)
        if code in OF_THE_FILE and n_bad >= OF_THE_FILE[code] * (cells.positions >= 0).sum():
            self.faults.append(f"{self.place}: column {header}: {_MEND[code]}")


def _date_hint(texts: list[str]) -> str:
    """Return what a mapping lacks where most unreadable dates are ages or years."""
    if sum(bool(re.fullmatch(r"-?\d{1,3}岁?", text)) for text in texts) > len(texts) / 2:
        return f'ages? Say unit = "{AGE}" for a month of birth; an age is from 0 to 130'
    if sum(bool(re.fullmatch(r"(19|20)\d\d年?", text)) for text in texts) > len(texts) / 2:
        return 'years? Say coarsest = "year"'
    return ""


def _listed(texts: list[str | None]) -> tuple[str, ...]:
    """Return texts for the rejects file, without those that may be of a person: a shifted row has names there."""
    distinct = {text for text in texts if text}
    if len(distinct) >= _FEWEST_NAMES and mostly_names(distinct):
        return (WITHHELD,) * len(texts)
    return tuple(WITHHELD if text and may_be_of_person(text) else text or "" for text in texts)


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
