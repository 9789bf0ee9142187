"""Random histories for Hypothesis: late records, corrections, equal dates, empty tables, any order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.records import Records
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings
from tests.support.ascii import settings

ITEMS = {"savings": {"zh": "积蓄", "en": "savings", "unit": "flag"}}
SETTINGS = settings(
    items=ITEMS,
    line={
        "months": 12,
        "steps": [
            {"since": "2000-01-01", "yuan": 6000.0},
            {"since": "2022-02-10", "yuan": 6900.0},
            {"since": "2021-06-01", "yuan": 9000.0, "area": "t1"},
        ],
    },
)
#: The same, where an account names all that came in.
COMPLETE = SETTINGS.model_copy(update={"data": SETTINGS.data.model_copy(update={"accounts_complete": True})})
FIRST, LAST = dt.date(2020, 1, 1), dt.date(2023, 6, 30)
#: A few days that windows begin and end on, so that edges are met often.
EDGES = [
    dt.date(2022, 4, 30),
    dt.date(2022, 10, 31),
    dt.date(2023, 2, 28),
    dt.date(2023, 4, 29),
    dt.date(2023, 4, 30),
]
HOUSEHOLDS = ("h1", "h2", "h3")
#: As texts, p10 comes first.
PERSONS = ("p2", "p2", "p10", "p10", "p9")
#: Who turns 6, 18 or 60 on days that rows look from, and others.
BIRTHS = [dt.date(2017, 4, 1), dt.date(2016, 10, 1), dt.date(2005, 2, 1), dt.date(1963, 4, 1), dt.date(1990, 7, 1)]

days = st.one_of(st.sampled_from(EDGES), st.dates(FIRST, LAST))
recent_days = st.one_of(st.sampled_from(EDGES), st.dates(dt.date(2022, 3, 1), LAST))
as_of_dates = st.one_of(st.sampled_from(EDGES), st.dates(dt.date(2021, 6, 1), dt.date(2023, 12, 31)))
#: Mostly known at once, sometimes after as_of dates.
lateness = st.one_of(st.just(0), st.just(0), st.integers(0, 3), st.integers(20, 400))


def _value(name: str, column: Column) -> st.SearchStrategy[Any]:
    kinds: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.ID: st.sampled_from(["a1", "a2", "t1", "t2"]),
        Kind.TEXT: st.sampled_from(list(ITEMS)),
        Kind.CODE: st.sampled_from(column.codes.values) if column.codes else st.nothing(),
        Kind.CODE_SET: _some_codes(column),
        Kind.DATE: days,
        Kind.INTEGER: st.integers(int(column.minimum or 0), min(int(column.maximum or 9), 5)),
        Kind.NUMBER: st.sampled_from([0.0, 0.5, 1.0, 12.5, 600.0, 2500.0]).filter(
            lambda x: x >= (column.minimum or 0) and x <= (column.maximum or 1e9)
        ),
        Kind.FLAG: st.booleans(),
    }
    few: dict[
        str, st.SearchStrategy[Any]
    ] = {  # few sources and parts, so that longer accounts cover one month twice
        "part": st.sampled_from([None, "pension", "crops"]),
        "source": st.sampled_from(["wage", "wage", "transfer", "business", "claim", "production_cost"]),
        "months": st.one_of(st.none(), st.just(1), st.integers(2, 18)),
        "person_id": st.sampled_from(PERSONS),
        "relation": st.sampled_from([None, "head", "head", "child", "parent"]),
        "birth_month": st.sampled_from([None, *BIRTHS]),
        "industry": st.sampled_from([None, "domestic", "construction", "trade"]),
        "ended_on": st.one_of(st.none(), st.integers(0, 500)),  # drawn as a length, see _row
    }
    if name in few:
        return few[name]
    values = kinds[column.kind]
    return st.one_of(values, values, st.none()) if column.nullable else values


def _some_codes(column: Column) -> st.SearchStrategy[Any]:
    """Return one code, or two joined by a comma."""
    if column.codes is None:
        return st.nothing()
    codes = [code for code in column.codes.values if code != column.codes.alone]
    two = st.lists(st.sampled_from(codes), min_size=2, max_size=2, unique=True).map(",".join)
    return st.one_of(st.sampled_from(column.codes.values), two)


@st.composite
def _row(draw: st.DrawFn, table: str) -> dict[str, Any]:
    columns = TABLES[table].columns
    row = {name: draw(_value(name, column)) for name, column in columns.items() if name != "household_id"}
    if table == "employment":  # the ledger of the last months counts
        row["occurred_on"] = draw(recent_days)
    # Households of several members are few, so that they have some.
    row["household_id"] = draw(st.sampled_from(("h1", "h1", "h2") if "person_id" in columns else HOUSEHOLDS))
    row["known_on"] = row["occurred_on"] + dt.timedelta(days=draw(lateness))
    if row.get("ended_on") is not None:
        row["ended_on"] = row["occurred_on"] + dt.timedelta(days=row["ended_on"])
    return _within_bounds(table, row)


def _within_bounds(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Move values to where the row's other columns allow them."""
    for name, column in TABLES[table].columns.items():
        for other, nearest in ((column.at_most, min), (column.not_after, min), (column.not_before, max)):
            if other and row[name] is not None and row[other] is not None:
                row[name] = nearest(row[name], row[other])
    if row.get("birth_month") is not None:
        row["birth_month"] = row["birth_month"].replace(day=1)
    return row


def _unique(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep one row of each key and day known; further days known are corrections."""
    key = (*TABLES[table].key, "known_on")
    return list({tuple(row[column] for column in key): row for row in rows}.values())


@st.composite
def tables(draw: st.DrawFn, most: int = 12) -> dict[str, list[dict[str, Any]]]:
    """Return rows of every table of up to three households; each household has a profile."""
    drawn: dict[str, list[dict[str, Any]]] = {}
    for name in TABLES:
        if name == "grids":
            continue
        rows = draw(st.lists(_row(name), max_size=most))
        corrected = draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else []
        for row in corrected:
            fresh = draw(_row(name))
            kept = {column: row[column] for column in (*TABLES[name].key, "occurred_on", "household_id")}
            later = row["known_on"] + dt.timedelta(days=draw(st.integers(1, 200)))
            rows.append(_within_bounds(name, {**fresh, **kept, "known_on": later}))
        drawn[name] = rows
    for household in HOUSEHOLDS:
        first = dict.fromkeys(TABLES["households"].columns) | {
            "household_id": household,
            "occurred_on": dt.date(2019, 12, 31),
            "known_on": dt.date(2019, 12, 31),
            "grid_id": "g1",
            "n_members": 3,
        }
        drawn["households"].append(first)
    return {name: draw(st.permutations(_unique(name, rows))) for name, rows in drawn.items()}


def as_records(rows: dict[str, list[dict[str, Any]]], used: Settings = SETTINGS) -> Records:
    """Return records of drawn rows."""
    arrow = {name: pa.Table.from_pylist(list(of), schema=arrow_schema(TABLES[name])) for name, of in rows.items()}
    return Records.from_tables(arrow, used)
