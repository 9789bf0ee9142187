"""From a source's cells to rows of a record table, those that cannot be read set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports import reasons
from relapse_risk.datasets.exports.amounts import Unit, read_amounts, read_unit
from relapse_risk.datasets.exports.cells import Cells, Flags
from relapse_risk.datasets.exports.dates import Dates, as_array, read_dates
from relapse_risk.datasets.exports.encoding import is_garbled
from relapse_risk.datasets.exports.mapping import EXPORT, Block, Source, row_months
from relapse_risk.datasets.exports.raw import RawTable, RowNumbers
from relapse_risk.datasets.exports.texts import digits_lost, plain, read_code_sets, read_codes, read_flags, read_ids
from relapse_risk.datasets.exports.words import national_form
from relapse_risk.dates import from_days
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.schema import ARROW_TYPES, arrow_schema

#: From this share of a column's cells on, a fault is the file's and not the rows'.
OF_THE_FILE = {reasons.ID_NUMERIC: 0.5, reasons.TEXT_GARBLED: 0.1}
_MEND = {
    reasons.ID_NUMERIC: "ids stored as numbers (digits beyond the 15th and leading zeros are lost); export the "
    "column as text from the source system: making it text in the spreadsheet does not bring them back",
    reasons.TEXT_GARBLED: "garbled text: it was decoded in a wrong encoding before it reached this file; "
    "export it again from the source system as UTF-8 or GBK",
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
    """

    data: pa.Table
    source: str
    rows: RowNumbers
    headers: dict[str, str]
    seen: RowNumbers
    rejects: list[reasons.Rejects] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_block(table: type[Table], block: Block, raw: RawTable, exported_on: int) -> list[Part]:
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
    """
    if block.spread is None:
        parts = [_Reader(table, block, raw, exported_on).read()]
    else:
        parts = []
        for header, values in block.spread.columns.items():
            made = {name: Source(value=value) for name, value in values.items()}
            made[block.spread.into] = Source(column=header, unit=block.spread.unit)
            one = block.model_copy(
                update={
                    "columns": {**block.columns, **made},
                    "only_if": (*block.only_if, header),
                    "row_months": row_months(block, table.columns),
                    "spread": None,
                }
            )
            parts.append(_Reader(table, one, raw, exported_on).read())
    if len(raw.miscounted):
        miscounted = reasons.Rejects(table.name, raw.place.name, "", reasons.FIELDS_MISCOUNTED, raw.miscounted)
        parts[0].rejects.append(miscounted)
        parts[0].seen = np.concatenate([parts[0].seen, raw.miscounted])
    return parts


class _Reader:
    def __init__(self, table: type[Table], block: Block, raw: RawTable, exported_on: int) -> None:
        self.table = table
        self.block = block
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
        self.rejects: list[reasons.Rejects] = []
        self.faults: list[str] = []

    def read(self) -> Part:
        for header, cells in self.cells.items():
            self._set_aside(header, reasons.TEXT_GARBLED, cells.rows_of(_garbled(cells)), cells)
        columns: dict[str, pa.Array] = {}
        days: dict[str, Dates] = {}
        for name, column in self.table.columns.items():
            source = self.block.columns.get(name)
            if source is None and name == "known_on":
                source = Source(value=EXPORT)
            if source is None:
                columns[name] = pa.nulls(len(self.rows), ARROW_TYPES[column.kind])
            elif column.kind is Kind.DATE:
                days[name] = self._dates(source)
            else:
                columns[name] = self._column(column, source)
        self._settle_months(days)
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
        cells = self._cells(source)
        words = national_form().of(column, source.texts)
        if column.kind is Kind.TEXT:
            return cells.spread(cells.texts)
        if column.kind is Kind.CODE:
            return self._read(source, cells, reasons.CODE_UNKNOWN, read_codes(cells, words))
        if column.kind is Kind.FLAG:
            return self._read(source, cells, reasons.FLAG_UNREADABLE, read_flags(cells, words))
        if column.kind is Kind.CODE_SET:
            return self._code_set(source, words)
        return self._numbers(column, source, cells, words)

    def _cells(self, source: Source) -> Cells:
        if source.value is not None:
            return Cells.constant(self._told(source.value), len(self.rows))
        cells = self.cells[source.column or source.columns[0]]
        return cells if source.blank is None else cells.filled(self._told(source.blank))

    def _told(self, text: str) -> str:
        return self.export_text if text == EXPORT else text

    def _read(self, source: Source, cells: Cells, code: str, read: tuple[pa.Array, Flags]) -> pa.Array:
        values, bad = read
        self._set_aside(source.column or "", code, cells.rows_of(bad), cells)
        return cells.spread(values)

    def _ids(self, source: Source) -> pa.Array:
        joined = []
        for header in source.columns or (source.column,):
            cells, numeric = read_ids(self._cells(source) if header is None else self._with_blank(header, source))
            self._set_aside(header or "", reasons.ID_NUMERIC, cells.rows_of(numeric), cells)
            if header is not None and digits_lost(cells):
                self.faults.append(f"{self.place}: column {header}: {_MEND[reasons.ID_NUMERIC]}")
            joined.append(cells.spread(cells.texts))
        return joined[0] if len(joined) == 1 else pc.binary_join_element_wise(*joined, "-")

    def _with_blank(self, header: str, source: Source) -> Cells:
        cells = self.cells[header]
        return cells if source.blank is None else cells.filled(source.blank)

    def _code_set(self, source: Source, words: dict[str, str]) -> pa.Array:
        if not source.columns:
            cells = self._cells(source)
            return self._read(source, cells, reasons.CODE_UNKNOWN, read_code_sets(cells, words))
        each = []
        for header in source.columns:
            values, bad = read_code_sets(self.cells[header], words)
            self._set_aside(header, reasons.CODE_UNKNOWN, self.cells[header].rows_of(bad), self.cells[header])
            each.append(self.cells[header].spread(values))
        joined = pc.binary_join_element_wise(*each, ",", null_handling="skip")
        return Cells.of_array(joined).spread(_once(Cells.of_array(joined).texts))

    def _dates(self, source: Source) -> Dates:
        cells = self._cells(source)
        read = read_dates(cells, source.coarsest)
        self._set_aside(source.column or "", reasons.DATE_UNREADABLE, read.bad, cells)
        if source.lag_days:
            past = read.days <= self.exported_on
            later = np.minimum(read.days + np.int32(source.lag_days), np.int32(self.exported_on))
            read = Dates(
                np.where(past, later, read.days), np.where(past, later, read.first), read.missing, read.bad
            )
        return read

    def _settle_months(self, days: dict[str, Dates]) -> None:
        """Give a month the last day it can mean: it ends with the export, and a thing is known once it is."""
        latest = np.full(len(self.rows), self.exported_on, np.int32)
        for name in ("known_on", "occurred_on"):
            read = days[name]
            within = (read.first <= latest) & (latest < read.days)
            days[name] = Dates(np.where(within, latest, read.days), read.first, read.missing, read.bad)
            latest = days[name].days

    def _numbers(self, column: Column, source: Source, cells: Cells, words: dict[str, str]) -> pa.Array:
        if words:
            cells = _translated(cells, words)
        unit = read_unit(source.unit, column.unit) if source.unit else None
        units = self.cells[source.unit_column] if source.unit_column else None
        months = row_months(self.block, self.table.columns)
        read = read_amounts(cells, column.unit, unit or Unit(1.0), months, units)
        bad = read.bad
        if column.kind is Kind.INTEGER:
            bad = bad | (~read.missing & ~read.unit_unknown & (np.floor(read.values) != read.values))
        code = reasons.CODE_UNKNOWN if column.unit == "grade" else reasons.NUMBER_UNREADABLE
        self._set_aside(source.column or "", code, bad, cells)
        self._set_aside(source.unit_column or source.column or "", reasons.UNIT_UNKNOWN, read.unit_unknown, cells)
        no_value = read.missing | bad | read.unit_unknown
        if column.kind is Kind.NUMBER:
            return pa.array(read.values, mask=no_value)
        return pa.array(np.where(no_value, 0, read.values).clip(-(2**53), 2**53).astype(np.int64), mask=no_value)

    def _set_aside(self, header: str, code: str, bad: Flags, cells: Cells) -> None:
        n_bad = int(bad.sum())
        if not n_bad:
            return
        self.bad |= bad
        self.rejects.append(reasons.Rejects(self.table.name, self.place, header, code, self.rows[bad]))
        if code in OF_THE_FILE and n_bad >= OF_THE_FILE[code] * (cells.positions >= 0).sum():
            self.faults.append(f"{self.place}: column {header}: {_MEND[code]}")


def _garbled(cells: Cells) -> Flags:
    suspects = np.flatnonzero(np.asarray(pc.match_substring_regex(cells.texts, r"[^\x00-\x7f]")))
    bad = np.zeros(len(cells.texts), bool)
    for place, text in zip(suspects, cells.texts.take(pa.array(suspects)).to_pylist(), strict=True):
        bad[place] = is_garbled(text)
    return bad


def _translated(cells: Cells, words: dict[str, str]) -> Cells:
    texts = [words.get(plain(text), text) for text in cells.texts.to_pylist()]
    return Cells(pa.array(texts, pa.string()), cells.positions, cells.numeric).blank_where(())


def _once(sets: pa.Array) -> pa.Array:
    """Return sets of codes joined by commas, each code once; none where there is none."""
    return pa.array([",".join(dict.fromkeys(filter(None, text.split(",")))) or None for text in sets.to_pylist()])


@dataclass(frozen=True)
class TableRows:
    """All rows of one record table, with where each comes from.

    Parameters
    ----------
    data : pyarrow.Table
        The rows.
    parts : sequence of Part
        Their sources.
    part, rows : ndarray
        Each row's part and number in the source.
    """

    data: pa.Table
    parts: Sequence[Part]
    part: npt.NDArray[np.int32]
    rows: RowNumbers

    @classmethod
    def of_parts(cls, table: type[Table], parts: Sequence[Part]) -> TableRows:
        """Return the parts one below the other."""
        data = pa.concat_tables([arrow_schema(table).empty_table(), *(part.data for part in parts)])
        part = np.repeat(np.arange(len(parts), dtype=np.int32), [p.data.num_rows for p in parts])
        rows = np.concatenate([np.zeros(0, np.int64), *(p.rows for p in parts)])
        return cls(data.combine_chunks(), parts, part, rows)

    def keep(self, good: Flags) -> TableRows:
        """Return the rows marked."""
        if good.all():
            return self
        return TableRows(self.data.filter(pa.array(good)), self.parts, self.part[good], self.rows[good])

    def rejects(self, table: str, code: str, column: str, at: npt.NDArray[np.intp]) -> list[reasons.Rejects]:
        """Return rows as rejects, by the county's own column where it is one."""
        found = []
        for number in np.unique(self.part[at]):
            part = self.parts[number]
            rows = self.rows[at[self.part[at] == number]]
            found.append(reasons.Rejects(table, part.source, part.headers.get(column, ""), code, rows))
        return found
