"""Every aggregation kind, as input next to expected output. Windows are half-open and look back from as_of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from tests.support import ascii as drawn

from relapse_risk.features.build import build_features
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Scale, Series
from relapse_risk.records.codes import Label

NAN = float("nan")
GRADE = Series("visits", "yard")
NET = Series("incomes", "net_yuan", by_month=True, scale=Scale.LINE)
WAGE = Series("incomes", "amount_yuan", where=(("source", ("wage",)),), by_month=True, scale=Scale.LINE)
BUSINESS = Series("incomes", "amount_yuan", where=(("source", ("business",)),), by_month=True, scale=Scale.LINE)
CLAIM = Series("incomes", "amount_yuan", where=(("source", ("claim",)),), by_month=True, scale=Scale.LINE)
ACCOUNTS = Series("incomes", "net_yuan", by_month=True)
MEMBERS = Series("households", "n_members")
TERMS = (
    (1.0, Feature("last", Label("x", "x"), "", WAGE, A.LAST)),
    (-0.5, Feature("mean", Label("x", "x"), "", NET, A.RATIO, 2)),
)
ALL = Series("incomes", "amount_yuan", by_month=True, scale=Scale.LINE)

VISITS = """
visits
| household_id | occurred_on | known_on   | yard |
| h1           | 2023-01-31  | 2023-01-31 | 2    |
| h1           | 2023-12-31  | 2023-12-31 | 1    |
| h1           | 2024-01-01  | 2024-01-01 | 0    |
| h1           | 2024-02-15  | 2024-02-15 |      |
| h1           | 2024-02-20  | 2024-03-10 | 2    |
| h1           | 2024-02-29  | 2024-02-29 | 2    |
| h1           | 2024-03-01  | 2024-03-01 | 1    |
"""
INCOMES = """
incomes
| household_id | occurred_on | source          | amount_yuan |
| h1           | 2023-02-10  | wage            | 600         |
| h1           | 2024-01-05  | wage            | 1500        |
| h1           | 2024-01-31  | business        | 900         |
| h1           | 2024-01-31  | production_cost | 400         |
| h1           | 2024-02-10  | wage            | 500         |
"""
LATER_TRANSFER = "| h1           | 2024-03-31  | transfer        | 500         |"


@dataclass(frozen=True)
class Case:
    """One expectation: an aggregation over drawn records, seen on a day."""

    aggregation: A
    series: Series
    window: int | None
    as_of: str
    expected: float
    drawing: str
    skip: int = 0
    of: Series | None = None
    missing: Missing = Missing.NOT_RECORDED
    more: dict[str, Any] = field(default_factory=dict)


# The line is 1,000 yuan a member and month, the household has one member: 2,000 yuan are 2 lines.
CASES = [
    # windows: [as_of - w, as_of): 01-01 is in, the as_of day is out; 02-20 was not yet known on 03-01
    Case(A.COUNT, Series("visits"), 2, "2024-03-01", 3, VISITS),
    Case(A.COUNT, Series("visits"), 2, "2024-03-11", 4, VISITS),
    Case(A.COUNT, Series("visits"), None, "2024-03-02", 6, VISITS),
    Case(A.COUNT, Series("visits"), 2, "2022-03-01", 0, VISITS),
    Case(A.COUNT, Series("visits", where=(("yard", ("1", "2")),)), 12, "2024-03-02", 3, VISITS),
    # a grade that was not given is no observation
    Case(A.SUM, GRADE, 2, "2024-03-01", 2, VISITS),
    Case(A.SUM, GRADE, 2, "2022-03-01", NAN, VISITS),
    Case(A.SUM, GRADE, 2, "2022-03-01", 0, VISITS, missing=Missing.ZERO),
    Case(A.MEAN, GRADE, 2, "2024-03-01", 1, VISITS),
    Case(A.MEAN, GRADE, 12, "2024-03-01", 1, VISITS),
    Case(A.MEAN, GRADE, 24, "2024-03-01", 1.25, VISITS),
    Case(A.MIN, GRADE, 2, "2024-03-01", 0, VISITS),
    Case(A.MAX, GRADE, 2, "2024-03-01", 2, VISITS),
    Case(A.STD, GRADE, 2, "2024-03-01", np.sqrt(2), VISITS),
    Case(A.STD, GRADE, 1, "2024-02-01", NAN, VISITS),
    # 59 days apart, from 0 to 2: two grades in 59 / 30.4369 months
    Case(A.SLOPE, GRADE, 2, "2024-03-01", 2 / (59 / (365.2425 / 12)), VISITS),
    Case(A.SLOPE, GRADE, 1, "2024-02-01", NAN, VISITS),
    Case(A.LAST, GRADE, None, "2024-03-01", 2, VISITS),
    Case(A.LAST, GRADE, None, "2024-03-02", 1, VISITS),
    Case(A.LAST, GRADE, None, "2023-01-31", NAN, VISITS),
    Case(A.STEP, GRADE, None, "2024-03-01", 2, VISITS),
    Case(A.STEP, GRADE, None, "2023-02-01", NAN, VISITS),
    Case(A.DAYS_SINCE, Series("visits"), None, "2024-03-01", 1, VISITS),
    Case(A.DAYS_SINCE, GRADE, None, "2024-02-20", 50, VISITS),
    Case(A.DAYS_SINCE, GRADE, None, "2023-01-31", NAN, VISITS),
    # a month's rows are one observation: January 1,500 + 900 - 400 = 2 lines, February half a line
    Case(A.COUNT, NET, 2, "2024-03-01", 2, INCOMES),
    Case(A.MEAN, NET, 2, "2024-03-01", 1.25, INCOMES),
    Case(A.RATIO, NET, 2, "2024-03-01", 1.25, INCOMES),
    Case(A.RATIO, NET, 12, "2024-03-01", 2.5 / 12, INCOMES),
    Case(A.SLOPE, NET, 2, "2024-03-01", -1.5, INCOMES),
    Case(A.BELOW, NET, 12, "2024-03-01", 1, INCOMES),
    Case(A.BELOW, NET, 2, "2022-03-01", NAN, INCOMES),
    # mean 1.25, standard deviation 1.0607
    Case(A.MARGIN, NET, 2, "2024-03-01", 0.25 / (1.5 / np.sqrt(2)), INCOMES),
    Case(A.MARGIN, NET, 2, "2024-03-01", 0.25 / (1.5 / np.sqrt(2) + 0.1), INCOMES, more={"cushion": 0.1}),
    Case(A.MARGIN, NET, 1, "2024-03-01", NAN, INCOMES),
    Case(A.SHARE, WAGE, 2, "2024-03-01", 2.0 / 3.3, INCOMES, of=ALL),
    Case(A.SHARE, WAGE, 1, "2023-12-01", NAN, INCOMES, of=ALL),
    Case(A.PER, WAGE, None, "2024-03-01", 0.5, INCOMES, of=Series("households", "n_members")),
    Case(A.PER, WAGE, None, "2024-03-01", NAN, INCOMES, of=Series("households", "n_labour")),
    # January and February 2024 against January and February 2023
    Case(A.CHANGE, NET, 2, "2024-03-01", 1.25 - 0.6, INCOMES),
    Case(A.CHANGE, NET, 2, "2023-03-01", NAN, INCOMES),
    # a year's window begins in March 2023, after the first account: its two accounts are those of twelve months
    Case(A.MONTHLY, NET, 12, "2024-03-01", 2.5 / 12, INCOMES, more={"account": NET}),
    # the accounts end in February 2024: [2023-05-01, 2024-05-01) holds ten months until then
    Case(A.MONTHLY, NET, 12, "2024-05-01", 2.5 / 10, INCOMES, more={"account": NET}),
    # they begin in February 2023: 24 months back nothing was accounted for before
    Case(A.MONTHLY, NET, 24, "2024-03-01", 3.1 / 13, INCOMES, more={"account": NET}),
    # no claim in the accounts is 0; without accounts nothing is known
    Case(A.MONTHLY, CLAIM, 2, "2024-03-01", 0, INCOMES, more={"account": NET}),
    Case(A.MONTHLY, CLAIM, 2, "2023-12-01", NAN, INCOMES, more={"account": NET}),
    # the latest account names no business: what business brought the month before is not its value
    Case(A.LAST, BUSINESS, None, "2024-02-01", 0.9, INCOMES, more={"account": ACCOUNTS}),
    Case(A.LAST, BUSINESS, None, "2024-03-01", NAN, INCOMES, more={"account": ACCOUNTS}),
    Case(A.STEP, WAGE, None, "2024-03-01", -1.0, INCOMES, more={"account": ACCOUNTS}),
    Case(A.STEP, WAGE, None, "2024-04-01", NAN, INCOMES + LATER_TRANSFER, more={"account": ACCOUNTS}),
    Case(A.PER, WAGE, None, "2024-04-01", NAN, INCOMES + LATER_TRANSFER, of=MEMBERS, more={"account": ACCOUNTS}),
    # the last wage less half of what two months brought in all
    Case(A.TERMS, WAGE, None, "2024-03-01", 0.5 - 0.5 * 1.25, INCOMES, more={"terms": TERMS}),
    # the same months a year ago: [2023-02-01, 2023-05-01)
    Case(A.MEAN, NET, 3, "2024-02-01", 0.6, INCOMES, skip=9),
    Case(
        A.OPEN,
        Series("supports", "runs_until"),
        None,
        "2024-03-01",
        2,
        """
        supports
        | household_id | occurred_on | known_on   | kind     | ended_on   |
        | h1           | 2023-05-01  | 2023-05-01 | industry |            |
        | h1           | 2023-05-01  | 2024-02-01 | industry | 2024-03-01 |
        | h1           | 2023-06-01  | 2023-06-01 | health   | 2024-02-29 |
        | h1           | 2023-07-01  | 2023-07-01 | finance  |            |
        """,
    ),
    Case(
        A.LAST_CHANGE,
        Series("households", "n_members"),
        None,
        "2024-03-01",
        -1,
        """
        households
        | household_id | occurred_on | n_members |
        | h1           | 2022-01-01  | 5         |
        | h1           | 2023-03-01  | 4         |
        | h1           | 2023-04-01  | 3         |
        | h1           | 2024-02-01  | 4         |
        visits
        | household_id | occurred_on |
        | h1           | 2024-01-01  |
        """,
    ),
    Case(
        A.ELAPSED,
        Series("households", "lifted_on"),
        None,
        "2019-03-01",
        59,
        """
        households
        | household_id | occurred_on | lifted_on  |
        | h1           | 2017-01-01  |            |
        | h1           | 2018-12-31  | 2019-01-01 |
        visits
        | household_id | occurred_on |
        | h1           | 2019-01-01  |
        """,
    ),
    # born in March 2018: on the last day of February 2024 in the 72nd month
    Case(
        A.AGE,
        Series("members", "born_month"),
        None,
        "2024-02-29",
        71 / 12,
        """
        members
        | household_id | occurred_on | birth_month |
        | h1           | 2020-01-01  | 2018-03-01  |
        """,
    ),
    Case(A.CALENDAR, Series("calendar", "month_of_year"), None, "2024-03-01", 3, VISITS),
    Case(A.CALENDAR, Series("calendar", "months_since_harvest"), None, "2024-03-01", 4, VISITS),
    Case(A.CALENDAR, Series("calendar", "months_since_harvest"), None, "2024-11-01", 0, VISITS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.aggregation.name}-{c.window}-{c.as_of}")
def test_an_aggregation_gives_what_the_table_says(case: Case) -> None:
    feature = Feature(
        *("x", Label("x", "x"), "", case.series, case.aggregation, case.window, case.skip, case.of, case.missing),
        **case.more,
    )
    records = drawn.records(case.drawing)
    got = build_features(records, drawn.index(("h1", case.as_of)), [feature])["x"].iloc[0]
    assert got == pytest.approx(case.expected, rel=1e-6, nan_ok=True)


def test_no_aggregation_lacks_a_case() -> None:
    assert {case.aggregation for case in CASES} == set(A)


def test_a_corrected_amount_counts_from_the_day_the_correction_was_known() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | known_on   | source | amount_yuan |
        | h1           | 2024-01-10  | 2024-01-10 | wage   | 3000        |
        | h1           | 2024-01-10  | 2024-02-05 | wage   | 1000        |
        """
    )
    feature = Feature("wage", Label("x", "x"), "line", WAGE, A.LAST)
    days = ["2024-01-10", "2024-01-11", "2024-02-05", "2024-02-06"]
    got = build_features(records, drawn.index(*(("h1", day) for day in days)), [feature])["wage"]
    np.testing.assert_array_equal(got, np.array([np.nan, 3.0, 3.0, 1.0]))


def test_the_line_is_that_of_the_day_the_profile_and_the_area() -> None:
    steps = [
        {"since": "2023-01-01", "yuan": 6000.0},
        {"since": "2023-03-15", "yuan": 7200.0},
        {"since": "2023-01-01", "yuan": 12000.0, "area": "dear"},
    ]
    records = drawn.records(
        """
        households
        | household_id | occurred_on | township_id | n_members | line_units |
        | h1           | 2023-01-01  | cheap       | 2         |            |
        | h1           | 2023-04-01  | cheap       | 2         | 1.5        |
        | h2           | 2023-01-01  | dear        | 1         |            |
        incomes
        | household_id | occurred_on | source | amount_yuan |
        | h1           | 2023-02-01  | wage   | 1000        |
        | h1           | 2023-03-14  | wage   | 1000        |
        | h1           | 2023-03-15  | wage   | 1200        |
        | h1           | 2023-04-01  | wage   | 900         |
        | h2           | 2023-02-01  | wage   | 1000        |
        """,
        drawn.settings(line={"months": 12, "steps": steps}),
    )
    wage = (("source", ("wage",)),)
    feature = Feature(
        "wage", Label("x", "x"), "line", Series("incomes", "amount_yuan", wage, scale=Scale.LINE), A.LAST
    )
    days = [("h1", d) for d in ("2023-02-02", "2023-03-15", "2023-03-16", "2023-04-02")]
    got = build_features(records, drawn.index(*days, ("h2", "2023-02-02")), [feature])["wage"].tolist()
    # 1000 / (2 x 500) until the day before the step, 1200 / (2 x 600), 900 / (1.5 x 600), 1000 / (1 x 1000)
    assert got == [1.0, 1.0, 1.0, 1.0, 1.0]


def test_a_line_is_of_the_row_s_day_of_the_as_of_day_or_of_one_head() -> None:
    steps = [{"since": "2023-01-01", "yuan": 6000.0}, {"since": "2024-01-10", "yuan": 7200.0}]
    records = drawn.records(
        """
        households
        | household_id | occurred_on | n_members |
        | h1           | 2023-01-01  | 2         |
        | h1           | 2024-01-01  | 3         |
        incomes
        | household_id | occurred_on | source | amount_yuan |
        | h1           | 2023-12-31  | wage   | 3600        |
        """,
        drawn.settings(line={"months": 12, "steps": steps}),
    )
    features = [
        Feature(scale.name, Label("x", "x"), "line", Series("incomes", "amount_yuan", scale=scale), A.LAST)
        for scale in Scale
    ]
    got = build_features(records, drawn.index(("h1", "2024-01-10"), ("h1", "2024-01-11")), features)
    # 2 members at 500 on the row's day; 3 at 600 on 01-10, the first day of the step
    assert got.iloc[0].to_dict() == pytest.approx({"NONE": 3600, "LINE": 3.6, "LINE_NOW": 2.0, "HEAD": 7.2})
    assert got.iloc[1].to_dict() == pytest.approx(got.iloc[0].to_dict())


def test_an_unknown_household_has_counts_of_zero_and_nothing_else() -> None:
    records = drawn.records(VISITS)
    features = [
        Feature("n", Label("x", "x"), "", Series("visits"), A.COUNT),
        Feature("last", Label("x", "x"), "", GRADE, A.LAST),
    ]
    got = build_features(records, drawn.index(("nobody", "2024-03-01")), features)
    assert got["n"].iloc[0] == 0
    assert np.isnan(got["last"].iloc[0])


def test_categories_are_the_codes_in_the_order_of_their_list() -> None:
    records = drawn.records(
        """
        households
        | household_id | occurred_on | household_type | housing_grade |
        | h1           | 2023-01-01  | lifted_dibao   |               |
        visits
        | household_id | occurred_on |
        | h1           | 2023-01-01  |
        """
    )
    got = build_features(records, drawn.index(("h1", "2024-03-01")))
    assert got["household_type"].tolist() == ["lifted_dibao"]
    assert list(got["housing_grade"].cat.categories) == ["A", "B", "C", "D"]
    assert got["housing_grade"].isna().all()


def test_moved_dates_are_those_of_the_calendar() -> None:
    from relapse_risk.dates import add_months, from_days, to_days

    drawing = """
    | day        | months | moved      |
    | 2024-03-31 | -1     | 2024-02-29 |
    | 2023-03-31 | -1     | 2023-02-28 |
    | 2024-02-29 | -12    | 2023-02-28 |
    | 2024-01-31 | -2     | 2023-11-30 |
    | 2023-12-31 | 2      | 2024-02-29 |
    | 2024-05-15 | -24    | 2022-05-15 |
    """
    for row in drawn.rows(drawing):
        moved = from_days(int(add_months(to_days(row["day"]), int(row["months"]))))
        assert moved == dt.date.fromisoformat(row["moved"]), row
