"""The service refuses what ``check`` refuses, by the same rule in the same place, and takes what it takes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from tests.support import histories
from tests.support.encoded import arrays

from relapse_risk.errors import RecordsInvalid
from relapse_risk.features.encode import Encoded
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.records import Records
from relapse_risk.records.rules import ROW_RULES
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import MONEY_TABLES, TABLES
from relapse_risk.settings import Settings
from relapse_serve.refusals import RequestInvalid
from relapse_serve.requests import parse
from relapse_serve.shape import HISTORY

Row = dict[str, Any]
Rows = dict[str, list[Row]]
Place = tuple[str | int, ...]
#: Later than any random record is known.
AS_OF = dt.date(2025, 12, 31)
DAY = dt.date(2021, 3, 1)
SETTINGS = Settings.model_validate(
    {
        "items": histories.ITEMS,
        "line": {
            "steps": [
                {"since": "2019-06-01", "yuan": 6000.0},
                {"since": "2019-01-01", "yuan": 9000.0, "area": "t1"},
            ]
        },
    }
)
IDS = ["", " a", "1.0", "1.5E+17", "=a", "a\u200b", "x" * 65, "99999919491231005X"]


def refused_by_check(rows: Rows) -> set[tuple[str, Place]]:
    """Return what ``check`` finds, each violation's code with its place in a request of the same rows."""
    tables = {name: pa.Table.from_pylist(of, schema=arrow_schema(TABLES[name])) for name, of in rows.items()}
    end = SETTINGS.data.model_copy(update={"end": AS_OF + dt.timedelta(days=1)})
    try:
        Records.from_tables(tables, SETTINGS.model_copy(update={"data": end}))
    except RecordsInvalid as error:
        return {
            (found.code, place(rows, found.code, found.table, found.column, row))
            for found in error.violations
            for row in found.at.tolist()
        }
    return set()


def place(rows: Rows, code: str, table: str, column: str, row: int) -> Place:
    household = rows[table][row]["household_id"]
    h = households(rows).index(household)
    if column == "household_id":
        return ("households", h, "households" if code == "RR017" else "household_id")
    r = sum(before["household_id"] == household for before in rows[table][:row])
    return ("households", h, table, r, *(() if code == "RR011" else (column,)))


def households(rows: Rows) -> list[str | None]:
    return list(dict.fromkeys(row["household_id"] for of in rows.values() for row in of))


def refused_by_the_service(rows: Rows) -> set[tuple[str, Place]]:
    """Return what the service finds in a request; of a request that it takes, compare the rows it read."""
    posted = [
        {"household_id": household}
        | {
            name: [
                {c: v.isoformat() if isinstance(v, dt.date) else v for c, v in row.items() if c != "household_id"}
                for row in of
                if row["household_id"] == household
            ]
            for name, of in rows.items()
        }
        for household in households(rows)
    ]
    body = json.dumps({"as_of": AS_OF.isoformat(), "households": posted}).encode()
    refused = None
    try:
        _, ids, records = parse(body, SETTINGS, HISTORY)
    except RequestInvalid as error:
        refused = error
    if refused:
        found = {(violation.code, violation.where) for violation in refused.violations}
        assert refused.n_violations == len(refused.violations) == len(found)
        return found
    assert ids == households(rows)
    assert_encoded_as_by_arrow(records)
    for name, of in rows.items():
        in_order = sorted(of, key=lambda row: ids.index(row["household_id"]))
        assert records.table(name).to_pylist() == in_order
    return set()


def assert_encoded_as_by_arrow(records: Records) -> None:
    """Assert that posted rows were encoded as they came, and into what Arrow's columns of them are encoded."""
    encoded, by_arrow = records.cache["encoded"], Encoded(records)
    assert isinstance(encoded, Encoded)
    for name in HISTORY:
        got = arrays(encoded.table(name))
        for what, want in arrays(by_arrow.table(name)).items():
            np.testing.assert_array_equal(got[what], want, err_msg=f"{name} {what}")


def wrong_values(column: Column) -> list[Any]:
    """Return values of a column's type that break its rules."""
    found: list[Any] = [] if column.nullable or column.optional else [None]
    if column.kind is Kind.ID:
        found += IDS
    elif column.codes:
        code = column.codes.values[0]
        found += ["", code + "x", f"{code};{code}", f"{code},", ",".join([code] * 11)]
        found += [f"{code},{code}", ",".join(column.codes.values[:2])] if column.codes.alone else []
    elif column.kind is Kind.DATE:
        found += [dt.date(1899, 12, 31), dt.date(1, 1, 1)]
    elif column.kind in (Kind.INTEGER, Kind.NUMBER):
        of = int if column.kind is Kind.INTEGER else float
        found += [of(column.minimum - 1)] if column.minimum is not None else []
        found += [of(column.maximum + 1), of(2**62)] if column.maximum is not None else []
    return found


def exceed(name: str, row: Row, column: str, by: int) -> None:
    """Set a value so far past what other columns of the row allow; 0 is the bound itself, which is valid."""
    of = TABLES[name].columns[column]
    if of.not_before and row[of.not_before]:
        row[column] = row[of.not_before] - dt.timedelta(days=by)
    if of.not_after and row[of.not_after]:
        row[column] = row[of.not_after] + dt.timedelta(days=by)
    if of.at_most and row[of.at_most] is not None:
        row[column] = row[of.at_most] + by


def bounded(name: str) -> list[str]:
    """Return the columns that other columns of the row bound."""
    return [c for c, of in TABLES[name].columns.items() if of.not_before or of.not_after or of.at_most]


def a_value(draw: st.DrawFn, name: str, row: Row, _: Rows) -> None:
    wrong = {column: wrong_values(of) for column, of in TABLES[name].columns.items() if column != "household_id"}
    column = draw(st.sampled_from([column for column, values in wrong.items() if values]))
    row[column] = draw(st.sampled_from(wrong[column]))


def a_pair(draw: st.DrawFn, name: str, row: Row, _: Rows) -> None:
    exceed(name, row, draw(st.sampled_from(bounded(name))), draw(st.integers(0, 1)))


def a_day_to_come(draw: st.DrawFn, _: str, row: Row, __: Rows) -> None:
    row["known_on"] = AS_OF + dt.timedelta(days=draw(st.integers(0, 1)))
    if draw(st.booleans()):
        row["occurred_on"] = row["known_on"]


def a_second_row(_: st.DrawFn, name: str, row: Row, rows: Rows) -> None:
    rows[name].append(dict(row))


def an_item(_: st.DrawFn, __: str, ___: Row, rows: Rows) -> None:
    for row in rows["observations"][:1]:
        row["item"] = "tea"


def no_profile(_: st.DrawFn, __: str, row: Row, rows: Rows) -> None:
    rows["households"] = [of for of in rows["households"] if of["household_id"] != row["household_id"]]


def an_old_amount(draw: st.DrawFn, _: str, __: Row, rows: Rows) -> None:
    day = draw(st.sampled_from([dt.date(2018, 12, 31), dt.date(2019, 1, 1), dt.date(2019, 5, 31)]))
    for row in rows[draw(st.sampled_from(MONEY_TABLES))][:1]:
        row["occurred_on"] = day


def an_id(draw: st.DrawFn, _: str, row: Row, rows: Rows) -> None:
    wrong, household = draw(st.sampled_from([None, *IDS])), row["household_id"]
    for of in rows.values():
        for other in of:
            if other["household_id"] == household:
                other["household_id"] = wrong


BREAKING: list[Callable[[st.DrawFn, str, Row, Rows], None]] = [
    *(a_value, a_value, a_value, a_pair, a_day_to_come, a_second_row, an_item, no_profile, an_old_amount, an_id),
]


@st.composite
def some_broken(draw: st.DrawFn) -> Rows:
    """Return records of which a few values, in whatever tables, may break a rule."""
    rows = {name: [dict(row) for row in of] for name, of in draw(histories.tables(most=4)).items()}
    for _ in range(draw(st.integers(0, 4))):
        breaking = draw(st.sampled_from(BREAKING))
        name = draw(st.sampled_from([name for name in HISTORY if rows[name]] or ["visits"]))
        if rows[name]:
            breaking(draw, name, draw(st.sampled_from(rows[name])), rows)
    return rows


@given(some_broken())
def test_the_service_refuses_what_check_refuses_and_takes_what_it_takes(rows: Rows) -> None:
    assert refused_by_the_service(rows) == refused_by_check(rows)


def sound() -> Rows:
    """Return one row of every table, a value in every column, each bound by another one met exactly."""
    values: dict[Kind, Callable[[Column], Any]] = {
        Kind.ID: lambda _: "a1",
        Kind.TEXT: lambda _: "savings",
        Kind.CODE: lambda c: c.codes.values[0] if c.codes else None,
        Kind.CODE_SET: lambda c: c.codes.values[0] if c.codes else None,
        Kind.DATE: lambda _: DAY,
        Kind.INTEGER: lambda _: 1,
        Kind.NUMBER: lambda _: 1.0,
        Kind.FLAG: lambda _: True,
    }
    return {name: [{c: values[of.kind](of) for c, of in TABLES[name].columns.items()}] for name in HISTORY}


def test_every_rule_is_broken_the_same_way() -> None:
    assert refused_by_the_service(sound()) == refused_by_check(sound()) == set()
    broken: set[tuple[str, str, Any]] = set()

    def compare(name: str, row: Row, *more: Row) -> None:
        rows = sound() | {name: [row, *more]}
        found = refused_by_check(rows)
        assert refused_by_the_service(rows) == found
        broken.update((name, code, where[-1]) for code, where in found)

    for name, (row,) in sound().items():
        for column, of in TABLES[name].columns.items():
            for value in wrong_values(of):
                compare(name, row | {column: value})
        for column in bounded(name):
            past = dict(row)
            exceed(name, past, column, 1)
            compare(name, past)
        for day in (AS_OF, AS_OF + dt.timedelta(days=1)):
            compare(name, row | {"occurred_on": day, "known_on": day})
        compare(name, row, row)
        compare(name, row | {"household_id": "a2"})
        compare(name, row | {"occurred_on": dt.date(2019, 5, 31)})
    compare("observations", sound()["observations"][0] | {"item": "tea"})
    of_rows = {(name, rule.code, rule.column) for name in HISTORY for rule in ROW_RULES[name]}
    of_end = {(name, "RR010", column) for name in HISTORY for column in ("occurred_on", "known_on")}
    of_keys = {(name, "RR011", 0) for name in HISTORY}
    between = {(name, "RR017", "households") for name in HISTORY if name != "households"}
    between |= {(name, "RR015", "occurred_on") for name in MONEY_TABLES} | {("observations", "RR013", "item")}
    assert of_rows | of_end | of_keys | between <= broken
