"""Labels against a slow reading of the same histories, row by row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from tests.support import histories
from tests.support.ascii import index
from tests.support.histories import HOUSEHOLDS, as_of_dates
from tests.support.oracle import Oracle, months_before

from relapse_risk.labelling import label_counts, labels, matures_on
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings

_STATUS = st.fixed_dictionaries(
    {
        "household_id": st.sampled_from(HOUSEHOLDS),
        "occurred_on": histories.days,
        "late": histories.lateness,
        "poor": st.booleans(),
        "origin": st.sampled_from(["registry", "survey"]),
    }
)


def as_records(drawn: list[dict[str, Any]], settings: Settings) -> Records:
    """Return records of statuses alone; of two versions known on one day, one stays."""
    rows = [{**row, "known_on": row["occurred_on"] + dt.timedelta(days=row.pop("late"))} for row in drawn]
    key = (*TABLES["statuses"].key, "known_on")
    unique = list({tuple(row[column] for column in key): row for row in rows}.values())
    day = dt.date(2019, 12, 31)
    profiles = [{"household_id": h, "occurred_on": day, "known_on": day, "grid_id": "g"} for h in HOUSEHOLDS]
    tables = {"households": profiles, "statuses": unique, "visits": [], "incomes": []}
    return histories.as_records(tables).with_settings(settings)


def read_slowly(records: Records, oracle: Oracle, household: str, as_of: dt.date) -> str:
    """Return the label or the reason there is none, from the statuses as lists of rows."""
    used = records.settings
    if matures_on(as_of, used.outcome) > records.end:
        return "immature"
    within = used.cohort.status_within_months
    since = dt.date.min if within is None else months_before(as_of, within)

    def poor_at_latest(day: dt.date) -> bool:
        rows = oracle._visible("statuses", household, day)
        before = [row["poor"] for row in rows if since <= row["occurred_on"] < as_of]
        return bool(before) and before[-1]

    if poor_at_latest(records.end) and not poor_at_latest(as_of):
        return "already_poor"
    horizon_end = months_before(as_of, -used.outcome.horizon_months)
    rows = oracle._visible("statuses", household, records.end)
    ahead = [row["poor"] for row in rows if as_of <= row["occurred_on"] < horizon_end]
    if used.outcome.kind == "panel" and not ahead:
        return "unobserved"
    return "positive" if any(ahead) else "negative"


@given(
    drawn=st.lists(_STATUS, max_size=25),
    dates=st.lists(as_of_dates, min_size=1, max_size=3, unique=True),
    horizon=st.integers(1, 13),
    end=st.dates(dt.date(2022, 6, 1), dt.date(2024, 12, 31)),
    kind=st.sampled_from(["registry", "panel"]),
    within=st.sampled_from([None, 5]),
)
def test_labels_equal_a_slow_reading(
    drawn: list[dict[str, Any]], dates: list[dt.date], horizon: int, end: dt.date, kind: str, within: int | None
) -> None:
    settings = histories.SETTINGS.model_copy(
        update={
            "outcome": Settings().outcome.model_copy(update={"horizon_months": horizon, "kind": kind}),
            "cohort": Settings().cohort.model_copy(update={"status_within_months": within}),
        }
    )
    records = as_records(drawn, settings).visible(end)
    pairs = index(*((household, day.isoformat()) for household in HOUSEHOLDS for day in dates))
    oracle = Oracle(records)
    want = [read_slowly(records, oracle, household, day.date()) for household, day in pairs]
    got = labels(records, pairs)
    names = {True: "positive", False: "negative"}
    assert [names.get(y, "none") for y in got.astype(object)] == [
        reason if reason in names.values() else "none" for reason in want
    ]
    assert {k: n for k, n in label_counts(records, pairs).items() if n} == pd.Series(want).value_counts().to_dict()
