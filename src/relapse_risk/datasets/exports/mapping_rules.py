"""What can be wrong with a mapping: columns, codes, units and periods that do not fit the record tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from relapse_risk.datasets.exports.amounts import read_unit, read_written
from relapse_risk.datasets.exports.date_cells import AGE
from relapse_risk.datasets.exports.national_form import FLAG, MONTH, national_form, valid_codes
from relapse_risk.datasets.exports.same_key import SUMS, SameKey
from relapse_risk.datasets.exports.texts import plain
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.tables import TABLES

if TYPE_CHECKING:
    from relapse_risk.datasets.exports.mapping import Block, CountyMapping, Source, Spread

#: Kinds that several source columns can be joined into.
_JOINED = (Kind.ID, Kind.CODE_SET)
#: Tables whose row is a month by itself.
A_MONTH = ("employment",)


def violations(mapping: CountyMapping) -> Iterator[str]:
    """Yield all that is wrong with a mapping, place by place."""
    if mapping.settings is not None and mapping.settings.data.end is not None:
        yield "settings.data.end: leave it out; it follows from the day of the export"
    for name, table in TABLES.items():
        if table.required and name not in mapping.tables:
            meaning = (table.__doc__ or "").splitlines()[0].replace("``", "")
            yield f"tables.{name}: missing; add it ({meaning})"
    for name, blocks in mapping.tables.items():
        if name not in TABLES:
            yield f"tables.{name}: no such table. Valid: {', '.join(TABLES)}"
            continue
        for number, block in enumerate(blocks):
            place = f"tables.{name}" + (f"[{number}]" if len(blocks) > 1 else "")
            yield from (f"{place}{found}" for found in _block_violations(block, TABLES[name]))
            yield from (f"{place}{found}" for found in _period_violations(block, TABLES[name]))
        yield from (f"tables.{name}{found}" for found in _same_key_violations(name, {b.same_key for b in blocks}))


def _same_key_violations(table: str, rules: set[SameKey | None]) -> Iterator[str]:
    if len(rules - {None}) > 1:
        yield ".same_key: it holds for the whole table; say it once"
    if {"sum", "sum_of_day"} & rules and table not in SUMS:
        yield f".same_key: rows of {table} hold nothing that adds up. Valid: latest, refuse"


def _block_violations(block: Block, table: type[Table]) -> Iterator[str]:
    columns, made = table.columns, set(block.columns)
    if sum(given is not None for given in (block.file, block.relation, block.query)) > 1:
        yield ": give one of file, relation and query"
    if block.spread:
        made |= {block.spread.into, *(name for values in block.spread.columns.values() for name in values)}
        yield from _spread_violations(block, block.spread, table)
    for name in sorted(made - set(columns)):
        yield f".columns.{name}: no such column. Valid: {', '.join(columns)}"
    for name, column in columns.items():
        if name not in made and not column.nullable and name != "known_on":
            yield f".columns.{name}: missing; add it ({column.kind.value}: {column.en})"
    for name, source in block.columns.items():
        if name in columns:
            yield from _source_violations(block, name, source, table)


def _spread_violations(block: Block, spread: Spread, table: type[Table]) -> Iterator[str]:
    columns = table.columns
    if spread.into in columns and columns[spread.into].kind is not Kind.NUMBER:
        yield f".spread.into: {spread.into} is no amount"
    yield from _unit_violation(block, spread.into, table, spread.unit, ".spread.unit")
    if spread.blank is not None and read_written(spread.blank) is None:
        yield f".spread.blank: {spread.blank!r} is no amount; 0 where the form leaves zero blank"
    for header, values in spread.columns.items():
        for name, value in values.items():
            if name in columns and columns[name].codes is not None:
                yield from _value_violation(columns[name], value, f".spread.columns.{header}.{name}")


def _source_violations(block: Block, name: str, source: Source, table: type[Table]) -> Iterator[str]:
    column, place = table.columns[name], f".columns.{name}"
    if source.columns and column.kind not in _JOINED:
        yield f"{place}.columns: several columns make an id or a set of codes alone; give column"
    yield from _flag_violations(column, source, place)
    if (source.unit or source.unit_column) and column.kind is not Kind.NUMBER:
        if not (column.unit == MONTH and source.unit == AGE and source.unit_column is None):
            yield f"{place}.unit: {name} is no amount"
    else:
        yield from _unit_violation(block, name, table, source.unit, f"{place}.unit")
    if source.pseudonym and column.kind is not Kind.ID:
        yield f"{place}.pseudonym: {name} is no id"
    if source.lag_days and column.kind is not Kind.DATE:
        yield f"{place}.lag_days: {name} is no date"
    if column.kind in (Kind.ID, Kind.TEXT) and source.texts:
        yield f"{place}.texts: {column.kind.value} is taken as it stands"
    words = FLAG if source.flags else column
    for text, code in source.texts.items():
        if code:
            yield from _value_violation(words, code, f"{place}.texts.{text}")
    for given in (source.value, source.blank):
        if given is not None and column.codes is not None and column.kind is Kind.CODE:
            yield from _value_violation(column, national_form().of(column, source.texts).get(given, given), place)


def _flag_violations(column: Column, source: Source, place: str) -> Iterator[str]:
    if source.flags and column.kind is not Kind.CODE_SET:
        yield f"{place}.flags: columns of yes and no make a set of codes alone; give column"
        return
    for header, code in source.flags.items():
        yield from _value_violation(column, code, f"{place}.flags.{header}")
    if source.none is not None:
        yield from _value_violation(column, source.none, f"{place}.none")
    if source.flags and source.blank is not None:
        answer = national_form().of(FLAG, source.texts).get(plain(source.blank), source.blank)
        yield from _value_violation(FLAG, answer, f"{place}.blank")


def _value_violation(column: Column, value: str, place: str) -> Iterator[str]:
    valid = valid_codes(column)
    if valid and value not in valid:
        yield f"{place}: {value!r} is no code. Valid: {', '.join(valid)}"


def _unit_violation(block: Block, name: str, table: type[Table], unit: str | None, place: str) -> Iterator[str]:
    if unit is None or name not in table.columns:
        return
    known = read_unit(unit, table.columns[name].unit)
    if known is None:
        yield f"{place}: {unit!r} is no unit of {table.columns[name].unit or 'this column'}"
    elif known.months is not None and block.months_of(table) is None and not _months_of_a_row(block):
        yield f"{place}: {unit!r} is a rate; say row_months, the months a row covers"


def _period_violations(block: Block, table: type[Table]) -> Iterator[str]:
    """Report periods that change nothing: the amounts would be taken for something else than was meant."""
    if block.row_months is None:
        return
    if table.name in A_MONTH and block.row_months != 1:
        yield f".row_months: a row of {table.name} is a month; leave it out"
    elif "months" in table.columns:
        if _months_of_a_row(block) == "always":
            yield ".row_months: every row has its own months; leave it out"
    elif not _has_rates(block, table):
        yield f".row_months: no unit here is per month or year, and {table.name} has no months; leave it out"


def _months_of_a_row(block: Block) -> Literal["always", "where filled"] | None:
    """Return whether rows have their own months."""
    source = block.columns.get("months")
    if block.spread and all("months" in values for values in block.spread.columns.values()):
        return "always"
    if source is None:
        return None
    return "always" if source.value is not None or source.blank is not None else "where filled"


def _has_rates(block: Block, table: type[Table]) -> bool:
    """Return whether any unit is per month or year, or may be."""
    units = [(name, source.unit) for name, source in block.columns.items()]
    if block.spread:
        units.append((block.spread.into, block.spread.unit))
    known = [read_unit(unit, table.columns[name].unit) for name, unit in units if unit and name in table.columns]
    by_row = any(source.unit_column for source in block.columns.values())
    return by_row or any(unit is not None and unit.months is not None for unit in known)
