"""Checks of tables against their classes: all breaches in one go, none with a value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import to_days
from relapse_risk.records import ids
from relapse_risk.records.columns import Column, Kind, Table
from relapse_risk.records.problems import Problem, row_problem
from relapse_risk.records.schema import ARROW_TYPES, arrow_schema, empty
from relapse_risk.records.tables import MONEY_TABLES, TABLES

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pandera

    from relapse_risk.settings import Settings

#: No record of the mechanism, nor of a living person's household, is older.
EARLIEST = "1900-01-01"


def conform(table: type[Table], data: pa.Table) -> tuple[pa.Table | None, list[Problem]]:
    """Bring a table's columns to their declared types and order.

    Parameters
    ----------
    table : type of Table
        What the data should be.
    data : pyarrow.Table
        Columns in any order; lossless conversions (whole floats to integers, midnights to dates) are made.

    Returns
    -------
    pyarrow.Table or None
        The conformed table, None where a column cannot be used at all.
    problems : list of Problem
        Missing and unknown columns, wrong types, ids stored as numbers.
    """
    valid = f"Valid columns: {', '.join(table.columns)}. Rename or drop it."
    problems = [
        Problem("RR003", table.name, name, valid) for name in data.column_names if name not in table.columns
    ]
    arrays: list[pa.ChunkedArray] = []
    for name, column in table.columns.items():
        target = ARROW_TYPES[column.kind]
        if name not in data.column_names:
            if not column.optional:
                what = f"{column.kind.value}: {column.en}"
                problems.append(Problem("RR002", table.name, name, f"Add it ({what})."))
            arrays.append(pa.chunked_array([pa.nulls(data.num_rows, target)]))
            continue
        try:
            arrays.append(_cast(data[name], column, target))
        except pa.ArrowInvalid as error:
            problems.append(_wrong_type(table.name, name, column, str(error)))
    if len(arrays) < len(table.columns):
        return None, problems
    return pa.Table.from_arrays(arrays, schema=arrow_schema(table)), problems


def _cast(values: pa.ChunkedArray, column: Column, target: pa.DataType) -> pa.ChunkedArray:
    """Return the values in the declared type; raise ArrowInvalid where that would lose or invent something."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    source = values.type
    if source.equals(target) or pa.types.is_null(source):
        values = values.cast(target)
    elif column.kind is Kind.ID and not _is_text(source):
        raise pa.ArrowInvalid("id")
    elif column.kind in (Kind.ID, Kind.TEXT, Kind.CODE, Kind.CODE_SET):
        if not _is_text(source):
            raise pa.ArrowInvalid("text")
        values = values.cast(target)
    elif column.kind is Kind.DATE:
        if not (pa.types.is_timestamp(source) or pa.types.is_date(source)):
            raise pa.ArrowInvalid("date")
        days = values.cast(target)
        if not pc.all(pc.equal(days.cast(source), values)).as_py() and days.null_count < len(days):
            raise pa.ArrowInvalid("a time of day")  # the cast alone would drop it in silence
        values = days
    elif column.kind in (Kind.INTEGER, Kind.NUMBER):
        if not (pa.types.is_integer(source) or pa.types.is_floating(source)):
            raise pa.ArrowInvalid("number")
        values = _without_nan(values).cast(target, safe=True)
    else:
        raise pa.ArrowInvalid("flag")
    return _without_nan(values)


def _is_text(source: pa.DataType) -> bool:
    return bool(pa.types.is_string(source) or pa.types.is_large_string(source) or pa.types.is_string_view(source))


def _without_nan(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _wrong_type(table: str, name: str, column: Column, reason: str) -> Problem:
    if reason == "id":
        return Problem(
            "RR005",
            table,
            name,
            "Ids are text: a number loses digits beyond the 15th and leading zeros. "
            "Export the column as text from the source; converting it here would not bring them back.",
        )
    return Problem("RR004", table, name, f"Valid: {column.kind.value}, stored as {ARROW_TYPES[column.kind]}.")


def problems_of(table: type[Table], data: pa.Table, settings: Settings) -> list[Problem]:
    """Return every breach of the table's own rules: of each row by itself, and keys used twice."""
    twice = data.select([*table.key, "known_on"]).to_pandas().duplicated(keep=False).to_numpy()
    valid = f"({', '.join(table.key)}, known_on) names one row. Keep one; a correction has a later known_on."
    problem = row_problem("RR011", table.name, ", ".join(table.key), valid, twice)
    return [*row_problems(table, data, settings), *([problem] if problem else [])]


def row_problems(table: type[Table], data: pa.Table, settings: Settings) -> list[Problem]:
    """Return every breach of the rules that a row keeps or breaks by itself.

    Parameters
    ----------
    table : type of Table
        The rules.
    data : pyarrow.Table
        A table that ``conform`` returned.
    settings : Settings
        For the data's end.
    """
    frame = data.to_pandas(date_as_object=False, types_mapper=_nullable)
    found: list[Problem | None] = [*_column_problems(table, frame)]
    for name, column in table.columns.items():
        if column.kind is Kind.ID:
            found += _id_problems(table.name, name, column, data[name])
        if column.kind is Kind.DATE:
            found += _date_problems(table.name, name, column, data, settings)
        if column.at_most:
            with_both = frame[name].notna() & frame[column.at_most].notna()
            bad = (with_both & (frame[name] > frame[column.at_most])).to_numpy(bool, na_value=False)
            valid = f"{name} counts some of {column.at_most}; correct either."
            found.append(row_problem("RR014", table.name, name, valid, bad))
        if column.kind is Kind.CODE_SET:
            found.append(_code_set_problem(table.name, name, column, frame[name]))
    return [problem for problem in found if problem]


def _nullable(arrow_type: pa.DataType) -> Any:
    """Keep missing whole numbers and flags missing; pandas' default would make them floats and objects."""
    import pandas as pd  # noqa: PLC0415

    dtypes: dict[pa.DataType, Any] = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    return dtypes.get(arrow_type)


def _schema(table: type[Table]) -> pandera.DataFrameSchema:
    import pandera.pandas as pandera  # noqa: PLC0415

    checks: dict[Kind, Any] = {
        Kind.CODE: lambda c: [pandera.Check.isin(c.codes.values, error="RR007")],
        Kind.INTEGER: lambda c: _bounds(pandera, c),
        Kind.NUMBER: lambda c: [pandera.Check(np.isfinite, error="RR008"), *_bounds(pandera, c)],
    }
    columns = {
        name: pandera.Column(
            checks=checks.get(column.kind, lambda _: [])(column), nullable=column.nullable, required=True
        )
        for name, column in table.columns.items()
        if column.kind is not Kind.ID
    }
    return pandera.DataFrameSchema(columns)


def _bounds(pandera: Any, column: Column) -> list[Any]:
    checks = []
    if column.minimum is not None:
        checks.append(pandera.Check.ge(column.minimum, error="RR008"))
    if column.maximum is not None:
        checks.append(pandera.Check.le(column.maximum, error="RR008"))
    return checks


def _column_problems(table: type[Table], frame: pd.DataFrame) -> Iterator[Problem]:
    import pandera.errors  # noqa: PLC0415

    try:
        _schema(table).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return
    cases = cases.assign(check=cases["check"].replace("not_nullable", "RR006"))
    for (name, code), rows in cases.groupby(["column", "check"], sort=False):
        bad = np.zeros(len(frame), bool)
        bad[rows["index"].to_numpy(np.int64)] = True
        problem = row_problem(str(code), table.name, str(name), _valid(str(code), table.columns[str(name)]), bad)
        yield cast(Problem, problem)


def _valid(code: str, column: Column) -> str:
    if code == "RR006":
        return f"Every row needs {column.en}."
    if code == "RR007" and column.codes:
        return f"Valid codes: {', '.join(column.codes.values)}."
    low = "-" if column.minimum is None else f"{column.minimum:g}"
    high = "no bound" if column.maximum is None else f"{column.maximum:g}"
    return f"Valid: finite, {low} to {high} {column.unit}".rstrip() + "."


def _id_problems(table: str, name: str, column: Column, values: pa.ChunkedArray) -> Iterator[Problem | None]:
    empty = pc.equal(values, "").fill_null(not column.nullable)
    yield row_problem("RR006", table, name, _valid("RR006", column), np.asarray(empty).astype(bool))
    disguised = ids.disguised(values)
    yield row_problem("RR005", table, name, ids.REWRITTEN, disguised)
    yield row_problem("RR018", table, name, ids.VALID, ids.malformed(values) & ~disguised)


def _date_problems(
    table: str, name: str, column: Column, data: pa.Table, settings: Settings
) -> Iterator[Problem | None]:
    days = _days(data[name])
    missing = np.asarray(pc.is_null(data[name]))
    early = ~missing & (days < to_days(EARLIEST))
    yield row_problem("RR008", table, name, f"Valid: {EARLIEST} or later.", early)
    if column.not_before:
        bad = ~missing & (days < _days(data[column.not_before]))
        yield row_problem("RR009", table, name, f"Valid: the same day as {column.not_before} or later.", bad)
    if settings.data.end is not None and name in ("known_on", "occurred_on"):
        bad = ~missing & (days >= to_days(settings.data.end))
        valid = f"Valid: before the data's end ({settings.data.end}, data.end in the settings)."
        yield row_problem("RR010", table, name, valid, bad)


def _days(values: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    return cast("npt.NDArray[np.int32]", values.cast(pa.int32()).fill_null(0).to_numpy())


def _code_set_problem(table: str, name: str, column: Column, values: pd.Series[Any]) -> Problem | None:
    assert column.codes is not None  # noqa: S101
    known = "|".join(column.codes.values)
    bad = (values.notna() & ~values.str.fullmatch(f"({known})(,({known})){{0,4}}")).to_numpy(bool, na_value=False)
    valid = f"Valid: one to five of {', '.join(column.codes.values)}, joined by commas."
    return row_problem("RR007", table, name, valid, bad)


def cross_problems(tables: Mapping[str, pa.Table], settings: Settings) -> list[Problem]:
    """Return the breaches of rules between tables."""
    found: list[Problem | None] = []
    profiles = tables["households"]
    if tables["grids"].num_rows:
        bad = ~_is_in(profiles["grid_id"], tables["grids"]["grid_id"])
        found.append(
            row_problem(
                "RR012", "households", "grid_id", "Add the grid to table grids, or correct the profile.", bad
            )
        )
    if tables["observations"].num_rows:
        items = pa.chunked_array([pa.array(list(settings.items), pa.string())])
        bad = ~_is_in(tables["observations"]["item"], items)
        valid = f"Items declared in the settings: {', '.join(settings.items) or 'none'}. Declare it there."
        found.append(row_problem("RR013", "observations", "item", valid, bad))
    for name, data in tables.items():
        if "household_id" in data.column_names and name != "households":
            bad = ~_is_in(data["household_id"], profiles["household_id"])
            valid = "Add a profile row to table households, or remove the rows."
            found.append(row_problem("RR017", name, "household_id", valid, bad))
    found += [_line_problem(tables, settings, name) for name in MONEY_TABLES]
    return [problem for problem in found if problem]


def _line_problem(tables: Mapping[str, pa.Table], settings: Settings, name: str) -> Problem | None:
    """Money is compared with the monitoring line of its day: each amount needs one."""
    days = _days(tables[name]["occurred_on"])
    townships = set(pc.unique(tables["households"]["township_id"]).to_pylist())
    first = first_covered_day(settings, townships)
    bad = np.ones(len(days), bool) if first is None else days < to_days(first)
    since = "every day" if first is None else f"days before {first}"
    return row_problem("RR015", name, "occurred_on", f"Add line.steps to the settings that hold on {since}.", bad)


def first_covered_day(settings: Settings, townships: Collection[str | None]) -> dt.date | None:
    """Return the first day on which a monitoring line holds in all these townships, None if there is none."""
    steps = settings.line.steps
    firsts = []
    for township in townships:
        since = [step.since for step in steps if step.area in (None, township)]
        if not since:
            return None
        firsts.append(min(since))
    return max(firsts, default=None)


def _is_in(values: pa.ChunkedArray, among: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return cast("npt.NDArray[np.bool_]", np.asarray(pc.is_in(values, value_set=pc.unique(among))))


def check_tables(tables: Mapping[str, pa.Table], settings: Settings) -> tuple[dict[str, pa.Table], list[Problem]]:
    """Return the tables conformed (those absent without rows), and every breach of every rule.

    Rules between tables are checked once the tables themselves are sound.
    """
    problems = required_problems(tables)
    conformed: dict[str, pa.Table] = {}
    for name, table in TABLES.items():
        if name not in tables:
            conformed[name] = empty(table)
            continue
        data, found = conform(table, tables[name])
        problems += found
        if data is not None and not any(problem.code == "RR002" for problem in found):
            conformed[name] = data
            problems += problems_of(table, data, settings)
    if not problems:
        problems += cross_problems(conformed, settings)
    return conformed, problems


def required_problems(names: Mapping[str, Any]) -> list[Problem]:
    """Return the tables that must be there and are not."""
    return [
        Problem("RR001", name, "", f"Add {name}.parquet: {(table.__doc__ or '').splitlines()[0]}")
        for name, table in TABLES.items()
        if table.required and name not in names
    ]
