"""Rows that share a key, against a slow reading of the rule: what is held before every day, on two exports."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relapse_risk.datasets.exports.gather import Gathered, contradictions, gather, repeated_rows
from relapse_risk.datasets.exports.merge import first_import, merge
from relapse_risk.datasets.exports.rows import Part
from relapse_risk.datasets.exports.same_key import SameKey
from relapse_risk.datasets.exports.tablerows import TableRows
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES

FIRST = dt.date(2020, 1, 1)
#: Days of the two exports; what the first holds was known by its own.
EXPORTS = (20, 40)
Row = dict[str, Any]
Held = dict[tuple[Any, ...], Row]


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def days(number: int) -> int:
    return (day(number) - dt.date(1970, 1, 1)).days


@st.composite
def expenses(draw: st.DrawFn) -> Row:
    amount = st.sampled_from([None, 0.1, 0.2, 30.0])
    return {
        "household_id": draw(st.sampled_from(["a", "b"])),
        "occurred_on": FIRST,
        "known_on": day(draw(st.integers(1, 40))),
        "kind": "medical",
        "bill_id": draw(st.sampled_from([None, None, "n1"])),
        "total_yuan": draw(amount),
        "reimbursed_yuan": draw(amount),
        "self_paid_yuan": draw(amount),
    }


@st.composite
def incomes(draw: st.DrawFn) -> Row:
    return {
        "household_id": draw(st.sampled_from(["a", "b"])),
        "occurred_on": FIRST,
        "known_on": day(draw(st.integers(1, 40))),
        "source": draw(st.sampled_from(["wage", "claim"])),
        "part": None,
        "amount_yuan": draw(st.sampled_from([0.1, 0.2, 1e12])),
        "months": draw(st.sampled_from([None, None, 1, 12])),
    }


@st.composite
def employment(draw: st.DrawFn) -> Row:
    return {
        "household_id": "a",
        "occurred_on": FIRST,
        "known_on": day(draw(st.integers(1, 40))),
        "person_id": draw(st.sampled_from(["p", "q"])),
        "employed": draw(st.booleans()),
        "workplace": draw(st.sampled_from([None, "county", "township"])),
        "wage_yuan": draw(st.sampled_from([None, 100.0, 200.0])),
        "one_off_yuan": draw(st.sampled_from([None, 0.0, 50.0])),
        "formal": draw(st.sampled_from([None, True, False])),
        "ended_on": draw(st.sampled_from([None, day(30)])),
    }


@st.composite
def supports(draw: st.DrawFn) -> Row:
    ended = draw(st.sampled_from([None, 3, 10, 25, 38, 45, 60]))
    return {
        "household_id": draw(st.sampled_from(["a", "b"])),
        "occurred_on": FIRST,
        "known_on": day(draw(st.integers(1, 40))),
        "kind": "industry",
        "ended_on": None if ended is None else day(ended),
        "amount_yuan": draw(st.sampled_from([None, 5.0, 7.0])),
    }


def whole(rows: st.SearchStrategy[Row], name: str) -> st.SearchStrategy[Row]:
    """Return rows with every column of their table, missing where none is drawn."""
    return rows.map(lambda row: {column: row.get(column) for column in TABLES[name].columns})


DRAWN = {
    "expenses": expenses(),
    "incomes": incomes(),
    "employment": whole(employment(), "employment"),
    "supports": supports(),
}
CASES = [(name, rule) for name in DRAWN for rule in ("sum", "sum_of_day", "latest", "refuse")]
ADDED = {
    "expenses": ["total_yuan", "reimbursed_yuan", "self_paid_yuan"],
    "incomes": ["amount_yuan"],
    "employment": ["wage_yuan", "one_off_yuan"],
    "supports": ["amount_yuan"],
}


def of_a_key(rows: list[Row], name: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[column] for column in TABLES[name].key)].append(row)
    return found


def once(rows: list[Row]) -> list[Row]:
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def slow_sum(parts: list[Row], name: str) -> Row:
    """Return the sum of parts: the largest one's row with the amounts added."""
    first = ADDED[name][0]
    rest = [c for c in TABLES[name].columns if c not in (*TABLES[name].key, *ADDED[name], "known_on")]

    def largest_first(row: Row) -> tuple[Any, ...]:
        largest = (row[first] is None, -(row[first] or 0.0))
        return (*largest, *((row[c] is not None, row[c] if row[c] is not None else 0) for c in rest))

    whole = dict(sorted(parts, key=largest_first)[0])
    for column in ADDED[name]:
        amounts = [row[column] for row in parts if row[column] is not None]
        whole[column] = round(sum(amounts), 6) if amounts else None
    if name == "employment":
        for column in ("employed", "formal", "seeking"):
            flags = [row[column] for row in parts if row[column] is not None]
            whole[column] = any(flags) if flags else None
    return whole


def unlike(parts: list[Row], name: str) -> bool:
    """Return whether several parts cannot be added up: their periods or ends differ, or the sum is too large."""
    most = max(sum(row[c] or 0.0 for row in parts) for c in ADDED[name])
    ends = [row["ended_on"] if name == "supports" else None for row in parts]
    differ = len({(row.get("months") or 1, end) for row, end in zip(parts, ends, strict=True)}) > 1
    return len(parts) > 1 and (differ or most > 1e12)


def slow_sums(wholes: list[list[Row]], name: str) -> tuple[dict[dt.date, Row], list[Row]]:
    """Return what is known of the wholes by day, and the parts set aside."""
    versions: dict[dt.date, Row] = {}
    refused: list[Row] = []
    for parts in wholes:
        if unlike(parts, name):
            refused += parts
            continue
        for known in {row["known_on"] for row in parts}:
            versions[known] = slow_sum([row for row in parts if row["known_on"] <= known], name)
    return versions, refused


def slow_versions(rows: list[Row], name: str, rule: SameKey, export: int) -> tuple[Held, list[Row], int]:
    """Return the versions by key and day known, the rows set aside, and how many were repeated."""
    versions: Held = {}
    refused: list[Row] = []
    twice = 0
    for key, same_key in of_a_key(rows, name).items():
        distinct = once(same_key)
        twice += len(same_key) - len(distinct)
        if rule == "refuse" and len(distinct) > 1:
            refused += distinct
            continue
        if rule.startswith("sum") and not (name == "expenses" and distinct[0]["bill_id"] is not None):
            days_known = {row["known_on"] for row in distinct}
            alike_days = [[row for row in distinct if row["known_on"] == known] for known in days_known]
            by_day, aside = slow_sums(alike_days if rule == "sum_of_day" else [distinct], name)
            refused += aside
        else:
            by_day = {}
            for known in {row["known_on"] for row in distinct}:
                same = [row for row in distinct if row["known_on"] == known]
                if len(same) > 1:
                    refused += same
                else:
                    by_day[known] = same[0]
        for known, row in by_day.items():
            versions[(*key, known)] = {**row, "known_on": known}
        if name == "supports":
            split_ends(versions, key, by_day, export)
    return versions, refused, twice


def split_ends(versions: Held, key: tuple[Any, ...], by_day: dict[dt.date, Row], export: int) -> None:
    for known, row in by_day.items():
        ended = row["ended_on"]
        if ended is None or ended <= known:
            continue
        versions[(*key, known)] = {**row, "known_on": known, "ended_on": None}
        replaced = any(known < other <= ended for other in by_day)
        if ended <= day(export) and not replaced:
            versions[(*key, ended)] = {**row, "known_on": ended}


def slow_merge(held: Held, fresh: Held, name: str, export: int, held_until: int) -> tuple[Held, dict[str, int]]:
    """Return what is held once an export came on top: corrections from its day on, what it adds from the first day
    not covered before.
    """
    merged = dict(held)
    counts = {"new": 0, "corrected": 0}
    keys = {key[:-1] for key in fresh}
    for key in keys:
        versions = sorted((k for k in fresh if k[:-1] == key), key=lambda k: k[-1])
        before = sorted((k for k in held if k[:-1] == key), key=lambda k: k[-1])
        latest = fresh[versions[-1]]
        if before:
            was = held[before[-1]]
            if {**was, "known_on": 0} != {**latest, "known_on": 0}:
                merged[(*key, day(export))] = {**latest, "known_on": day(export)}
                counts["corrected"] += 1
            continue
        for version in versions:  # the last of those known too early holds
            known = max(version[-1], day(held_until))
            counts["new"] += (*key, known) not in merged
            merged[(*key, known)] = {**fresh[version], "known_on": known}
    return merged, counts


def table_rows(rows: list[Row], name: str, accounts: list[int] | None = None) -> TableRows:
    table = TABLES[name]
    data = pa.Table.from_pylist(rows, schema=arrow_schema(table))
    numbers = np.arange(2, len(rows) + 2, dtype=np.int64)
    if accounts is not None:
        numbers = np.array(accounts, np.int64)
    part = Part(data, "x.csv", numbers, {}, numbers, account=-1 if accounts is None else 0)
    return TableRows.of_parts(table, [part])


def fast(rows: list[Row], name: str, rule: SameKey, export: int) -> tuple[Gathered, list[int], int]:
    """Return the versions, the rows set aside and how many were repeated."""
    given = table_rows(rows, name)
    again = repeated_rows(given)
    kept, found = contradictions(given.keep(~again), rule)
    refused = sorted({int(row) for reject in found for row in reject.rows})
    return gather(kept, rule, days(export)), refused, int(again.sum())


def as_held(data: pa.Table, name: str) -> Held:
    rows = data.to_pylist()
    held = {(*(row[column] for column in TABLES[name].key), row["known_on"]): row for row in rows}
    assert len(held) == len(rows), "a key has one version a day"
    return held


@pytest.mark.parametrize(("name", "rule"), CASES)
@given(data=st.data())
def test_rows_that_share_a_key_become_what_the_rule_says(data: st.DataObject, name: str, rule: SameKey) -> None:
    rows = data.draw(st.lists(DRAWN[name], max_size=7))
    first = [row for row in rows if row["known_on"] <= day(EXPORTS[0])]
    held_slow: Held = {}
    held_fast = None
    for export, exported in zip(EXPORTS, (first, rows), strict=True):
        order = data.draw(st.permutations(exported))
        gathered, refused, again = fast(order, name, rule, export)
        versions, refused_slow, again_slow = slow_versions(exported, name, rule, export)
        assert as_held(gathered.data, name) == versions
        assert again == again_slow
        assert len(refused) == len(refused_slow)
        made = len(exported) - len(refused) - again
        assert made - gathered.added + gathered.sums + gathered.ends == gathered.data.num_rows
        if held_fast is None:
            held_fast = first_import(TABLES[name], gathered.data).data
            held_slow = versions
            continue
        until = EXPORTS[0] + 1
        merged = merge(TABLES[name], held_fast, gathered.data, days(export), days(until))
        held_slow, counts = slow_merge(held_slow, versions, name, export, until)
        assert as_held(merged.data, name) == held_slow
        c = merged.counts
        assert (c.new, c.corrected) == (counts["new"], counts["corrected"])
        assert c.new + c.corrected + c.unchanged + len(merged.stuck) == gathered.data.num_rows
        assert c.late <= c.new


@given(data=st.data())
def test_an_account_is_kept_refused_or_counted_as_repeated_only_as_a_whole(data: st.DataObject) -> None:
    """Wide rows: each account's rows are of one household and day, a row a source of income."""
    cells = st.dictionaries(st.sampled_from(["wage", "claim", "transfer"]), st.sampled_from([1.0, 2.0]), min_size=1)
    wide = data.draw(st.lists(st.tuples(st.sampled_from("ab"), cells, st.sampled_from([None, 12])), max_size=5))
    blank = {"occurred_on": FIRST, "known_on": day(1), "part": None}
    rows, accounts = [], []
    for number, (household, amounts, months) in enumerate(wide):
        for source, yuan in amounts.items():
            rows.append(
                blank | {"household_id": household, "source": source, "amount_yuan": yuan, "months": months}
            )
            accounts.append(number)
    given_rows = table_rows(rows, "incomes", accounts)
    again = repeated_rows(given_rows)
    kept = [account for place, account in enumerate(wide) if account not in wide[:place]]
    assert sorted(set(given_rows.rows[~again].tolist())) == [n for n, a in enumerate(wide) if a not in wide[:n]]
    left, found = contradictions(given_rows.keep(~again), "sum")
    fallen = {  # months that differ take both accounts with them
        n
        for n, (household, amounts, months) in enumerate(kept)
        for other, others, period in kept
        if other == household and set(amounts) & set(others) and (months or 1) != (period or 1)
    }
    left_over = [account for n, account in enumerate(kept) if n not in fallen]
    expected: dict[tuple[str, str], float] = defaultdict(float)
    for household, amounts, _ in left_over:
        for source, yuan in amounts.items():
            expected[household, source] += yuan
    made = gather(left, "sum", days(20)).data.to_pylist()
    assert {(row["household_id"], row["source"]): row["amount_yuan"] for row in made} == expected
    assert bool(found) == bool(fallen)
