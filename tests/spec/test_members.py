"""Features of a household's members and their jobs, drawn by hand.

The line is 1,000 yuan a member and month, and households have one member by their profile unless a case says
otherwise: pay of 2,000 yuan is 2 lines.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.support import ascii as drawn

from relapse_risk.features.build import build_features
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Across, Feature, How, Series
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.records.codes import Label
from relapse_risk.records.records import Records

NAN = float("nan")


def values(records: Records, day: str, *names: str, household: str = "h1") -> list[float]:
    """Return features of a household on a day."""
    features = {feature.name: feature for feature in catalogue(records.settings)}
    row = build_features(records, drawn.index((household, day)), [features[name] for name in names])
    return row.iloc[0].astype(float).tolist()


def about(*expected: float) -> object:
    return pytest.approx(list(expected), rel=1e-6, abs=1e-6, nan_ok=True)


FAMILY = """
members
| household_id | person_id | occurred_on | relation | sex    | birth_month | schooling | at_school | health           | insurance                         |
| h1           | f         | 2020-01-01  | head     | male   | 1980-05-01  | junior    | no        | healthy          | resident_medical,employee_pension |
| h1           | m         | 2020-01-01  | spouse   | female | 1984-03-01  | senior    | no        | chronic,disabled | none                              |
| h1           | c         | 2020-01-01  | child    | male   | 2018-03-01  |           | preschool | healthy          |                                   |
| h1           | g         | 2020-01-01  | parent   | female | 1950-03-01  | primary   | no        |                  | resident_pension                  |
"""  # noqa: E501


# ---- ages and schooling -----------------------------------------------------------------------------------------


def test_a_child_turns_six_on_the_first_day_of_its_month_of_birth() -> None:
    records = drawn.records(FAMILY)
    names = ("members_under_6", "members_under_18", "age_youngest")
    assert values(records, "2024-02-29", *names) == about(1, 1, 71 / 12)
    assert values(records, "2024-03-01", *names) == about(0, 1, 6)


def test_a_member_counts_as_sixty_from_that_month_on() -> None:
    records = drawn.records(
        """
        members
        | household_id | person_id | occurred_on | birth_month |
        | h1           | a         | 2020-01-01  | 1964-03-01  |
        """
    )
    assert values(records, "2024-02-29", "members_60_and_over") == about(0)
    assert values(records, "2024-03-01", "members_60_and_over") == about(1)


def test_members_are_counted_by_what_is_recorded_of_them() -> None:
    records = drawn.records(FAMILY)
    names = ("members_chronic", "members_disabled", "members_at_school", "members_not_fully_able")
    assert values(records, "2024-03-01", *names) == about(1, 1, 1, NAN)  # labour skill of nobody is known
    # uninsured: the mother has none, the grandmother a pension only; of the child nothing is known
    assert values(records, "2024-03-01", "members_without_medical") == about(2)
    assert values(records, "2024-03-01", "schooling_mean", "schooling_highest") == about((9 + 12 + 6) / 3, 12)
    ages = [43 + 10 / 12, 40, 6, 74]
    assert values(records, "2024-03-01", "age_mean", "age_oldest") == about(float(np.mean(ages)), 74)
    assert values(records, "2024-03-01", "head_age", "head_schooling", "head_in_work") == about(ages[0], 9, NAN)


def test_the_head_s_sex_is_a_category() -> None:
    records = drawn.records(FAMILY)
    assert build_features(records, drawn.index(("h1", "2024-03-01")))["head_sex"].tolist() == ["male"]


# ---- who is a member --------------------------------------------------------------------------------------------

LEFT = """
members
| household_id | person_id | occurred_on | known_on   | in_household | relation | birth_month |
| h1           | a         | 2020-01-01  | 2020-01-01 | yes          | head     | 1980-01-01  |
| h1           | b         | 2020-01-01  | 2020-01-01 |              | child    | 2000-01-01  |
| h1           | b         | 2023-06-01  | 2023-07-01 | no           |          |             |
| h1           | c         | 2023-09-01  | 2023-09-01 |              | child    | 2023-09-01  |
employment
| household_id | person_id | occurred_on | employed | wage_yuan |
| h1           | b         | 2023-05-31  | yes      | 3000      |
| h1           | d         | 2023-05-31  | yes      | 1000      |
"""


def test_who_left_is_no_member_from_the_day_that_is_known() -> None:
    records = drawn.records(LEFT)
    names = ("workers", "pay_largest", "age_youngest", "members_left_12m")
    assert values(records, "2023-07-01", *names) == about(2, 3, 23.5, 0)
    assert values(records, "2023-07-02", *names) == about(1, 1, 43.5, 1)
    assert values(records, "2024-06-01", "members_left_12m") == about(1)
    assert values(records, "2024-06-02", "members_left_12m") == about(0)  # a year ago b had left already


def test_a_head_or_main_earner_who_left_is_neither() -> None:
    records = drawn.records(
        """
        members
        | household_id | person_id | occurred_on | in_household | relation | birth_month |
        | h1           | a         | 2020-01-01  |              | head     | 1960-01-01  |
        | h1           | b         | 2020-01-01  |              | child    | 1990-01-01  |
        | h1           | a         | 2023-12-01  | no           | head     | 1960-01-01  |
        | h1           | b         | 2023-12-01  |              | head     | 1990-01-01  |
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan |
        | h1           | a         | 2023-11-30  | yes      | 3000      |
        | h1           | b         | 2023-11-30  | yes      | 1000      |
        """
    )
    assert values(records, "2023-12-01", "head_age", "main_earner_age") == about(63 + 11 / 12, 63 + 11 / 12)
    assert values(records, "2024-01-01", "head_age", "main_earner_age") == about(34, 34)


def test_who_joined_was_in_no_row_of_the_member_table_a_year_ago() -> None:
    records = drawn.records(LEFT)
    assert values(records, "2023-09-02", "members_joined_12m") == about(1)
    assert values(records, "2024-09-02", "members_joined_12m") == about(0)
    # before the table began nobody is known to have joined
    assert values(records, "2020-06-01", "members_joined_12m") == about(NAN)


def test_who_came_back_is_a_member_again() -> None:
    back = "| h1 | b | 2023-08-01 | 2023-08-01 | yes | child | |"
    records = drawn.records(LEFT.replace("| h1           | c", back + "\n| h1           | c"))
    assert values(records, "2023-08-02", "workers", "age_youngest") == about(2, 23 + 7 / 12)


def test_a_person_only_in_the_ledger_is_a_member_and_one_without_a_household_is_not() -> None:
    records = drawn.records(
        """
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan |
        | h1           | a         | 2023-12-31  | yes      | 2000      |
        """
    )
    assert values(records, "2024-01-01", "workers", "pay_largest", "age_mean") == about(1, 2, NAN)
    assert values(records, "2024-01-01", "workers", "pay_largest", household="nobody") == about(NAN, NAN)


# ---- jobs -------------------------------------------------------------------------------------------------------

JOBS = """
members
| household_id | person_id | occurred_on | relation | birth_month | schooling  |
| h1           | a         | 2020-01-01  | head     | 1980-01-01  | primary    |
| h1           | b         | 2020-01-01  | spouse   | 1982-01-01  | senior     |
| h1           | c         | 2020-01-01  | child    | 2004-01-01  | university |
employment
| household_id | person_id | occurred_on | employed | wage_yuan | one_off_yuan | formal | contract   | industry     | started_on | ended_on   | hours_week | months_worked |
| h1           | a         | 2023-12-31  | yes      | 3000      | 1000         | yes    | open_ended | government   | 2020-01-01 |            | 40         | 12            |
| h1           | b         | 2023-12-31  | yes      | 2000      |              | no     | casual     | domestic     | 2023-06-01 | 2024-03-31 | 20         | 5             |
| h1           | c         | 2022-12-31  | yes      | 4000      |              | yes    |            |              |            |            |            |               |
"""  # noqa: E501


def test_pay_is_taken_across_members_without_one_off_parts() -> None:
    records = drawn.records(JOBS)
    # a and b have 2 lines each; c's month in the ledger is older than a year
    names = (
        "pay_formal",
        "pay_informal",
        "pay_temporary",
        "pay_largest",
        "pay_informal_share",
        "pay_concentration",
    )
    assert values(records, "2024-01-01", *names) == about(2, 2, 2, 2, 0.5, 0.5)
    assert values(records, "2022-12-31", *names) == about(0, 0, 0, NAN, NAN, NAN)
    assert values(records, "2023-01-01", "pay_formal", "pay_informal_share", "pay_concentration") == about(4, 0, 1)


def test_workers_are_counted_by_their_jobs() -> None:
    records = drawn.records(JOBS)
    names = ("workers", "workers_formal", "workers_informal", "workers_temporary", "workers_domestic")
    assert values(records, "2024-01-01", *names) == about(2, 1, 1, 1, 1)
    assert values(records, "2024-01-01", "workers_share", "schooling_of_workers") == about(2 / 3, 9)
    assert values(records, "2024-01-01", "hours_mean", "hours_total", "months_worked_least") == about(30, 60, 5)
    # b began on 2023-06-01: 365 days later the year is over; the work ends on 2024-03-31, 90 days after New Year
    assert values(records, "2024-05-30", "workers_new", "workers_ending_6m") == about(1, 0)
    assert values(records, "2024-05-31", "workers_new") == about(0)
    assert values(records, "2024-01-01", "workers_new", "workers_ending_6m") == about(1, 1)
    assert values(records, "2024-01-01", "tenure_mean") == about((1461 + 214) / 2)


def test_whether_work_is_formal_may_be_unknown() -> None:
    records = drawn.records(
        """
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan | formal |
        | h1           | a         | 2023-11-30  | yes      | 2000      | yes    |
        | h1           | a         | 2023-12-31  | yes      | 2000      |        |
        """
    )
    # the latest month does not say, and an older one is not the latest
    names = ("workers", "workers_formal", "workers_informal", "main_earner_formal")
    assert values(records, "2024-01-01", *names) == about(1, 0, 0, NAN)
    assert values(records, "2023-12-31", *names) == about(1, 1, 0, 1)


def test_the_main_earner_has_the_largest_pay_and_the_first_id_of_equals() -> None:
    records = drawn.records(
        """
        members
        | household_id | person_id | occurred_on | birth_month |
        | h1           | p9        | 2020-01-01  | 1990-01-01  |
        | h1           | p10       | 2020-01-01  | 1980-01-01  |
        | h1           | p2        | 2020-01-01  | 1970-01-01  |
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan |
        | h1           | p9        | 2023-10-31  | yes      | 2000      |
        | h1           | p10       | 2023-11-30  | yes      | 2000      |
        | h1           | p2        | 2023-11-30  | yes      | 1000      |
        | h1           | p2        | 2023-12-31  | yes      | 2500      |
        """
    )
    assert values(records, "2023-12-31", "main_earner_age") == about(43 + 11 / 12)  # p10 is before p9, as texts are
    assert values(records, "2024-01-01", "main_earner_age") == about(54)
    without_pay = drawn.records(
        """
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan | months_worked |
        | h1           | p1        | 2023-12-31  | no       |           | 3             |
        """
    )
    assert values(without_pay, "2024-01-01", "main_earner_months_worked") == about(NAN)


def test_who_works_no_longer_stopped_within_a_year() -> None:
    records = drawn.records(
        """
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan | seeking | seeking_since |
        | h1           | a         | 2023-06-30  | yes      | 2000      |         |               |
        | h1           | a         | 2023-07-31  | no       |           | yes     | 2023-07-01    |
        | h1           | b         | 2023-07-31  | no       |           | no      |               |
        """
    )
    assert values(records, "2023-07-31", "stopped_work_12m", "workers") == about(0, 1)
    assert values(records, "2023-08-01", "stopped_work_12m", "workers") == about(1, 0)
    assert values(records, "2023-08-01", "seekers", "search_longest") == about(1, 31)
    assert values(records, "2024-07-01", "stopped_work_12m") == about(0)  # the month in work is a year ago
    assert values(records, "2023-08-01", "months_in_work_least") == about(1)


def test_the_largest_fall_of_pay_is_that_of_one_member() -> None:
    records = drawn.records(
        """
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan |
        | h1           | a         | 2022-12-31  | yes      | 3000      |
        | h1           | a         | 2023-12-31  | yes      | 1000      |
        | h1           | b         | 2022-12-31  | yes      | 1000      |
        | h1           | b         | 2023-12-31  | yes      | 4000      |
        """
    )
    assert values(records, "2024-01-01", "pay_change_lowest") == about(-2)
    assert values(records, "2023-01-01", "pay_change_lowest") == about(NAN)


@pytest.mark.parametrize(
    ("wage", "status", "expected"),
    [("0", "", 1), ("", "family_worker", 1), ("", "", 0), ("500", "family_worker", 0)],
)
def test_work_without_pay_is_a_wage_of_zero_or_help_in_the_family_business(
    wage: str, status: str, expected: float
) -> None:
    records = drawn.records(
        f"""
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan | work_status |
        | h1           | a         | 2023-12-31  | yes      | {wage}    | {status}    |
        """
    )
    assert values(records, "2024-01-01", "workers_unpaid") == about(expected)


def test_pay_is_a_ratio_to_the_household_s_line_of_the_as_of_day() -> None:
    steps = [{"since": "2020-01-01", "yuan": 500.0}, {"since": "2024-02-01", "yuan": 800.0}]
    records = drawn.records(
        """
        households
        | household_id | occurred_on | n_members |
        | h1           | 2020-01-01  | 2         |
        | h2           | 2020-01-01  |           |
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan |
        | h1           | a         | 2023-12-31  | yes      | 2400      |
        | h2           | a         | 2023-12-31  | yes      | 2400      |
        """,
        drawn.settings(line={"months": 1, "steps": steps}),
    )
    assert values(records, "2024-01-31", "pay_largest") == about(2.4)
    assert values(records, "2024-02-01", "pay_largest") == about(1.5)
    assert values(records, "2024-02-01", "pay_largest", household="h2") == about(NAN)


# ---- ways to take members together ------------------------------------------------------------------------------

PAID = """
members
| household_id | person_id | occurred_on | relation |
| h1           | c         | 2023-01-01  | head     |
employment
| household_id | person_id | occurred_on | employed | wage_yuan |
| h1           | a         | 2023-12-31  | yes      | 3000      |
| h1           | b         | 2023-12-31  | yes      | 1000      |
| h1           | c         | 2023-12-31  | yes      | 0         |
| h1           | d         | 2023-12-31  | yes      |           |
"""
WAYS = {
    How.COUNT: 4,
    How.SHARE: 1,
    How.SUM: 4000,
    How.MEAN: 4000 / 3,
    How.MIN: 0,
    How.MAX: 3000,
    How.CONCENTRATION: (9 + 1) / 16,
    How.OF_HEAD: 0,
    How.OF_MAIN_EARNER: 3000,
}


@pytest.mark.parametrize("how", How, ids=lambda how: how.name)
def test_members_are_taken_together_in_every_way(how: How) -> None:
    pay = Series("employment", "wage_yuan", by_person=True)
    feature = Feature("x", Label("x", "x"), "", pay, A.LAST, across=Across(how))
    got = build_features(drawn.records(PAID), drawn.index(("h1", "2024-01-01"), ("h2", "2024-01-01")), [feature])[
        "x"
    ]
    assert got.tolist() == about(WAYS[how], NAN)


# ---- income without what does not come again --------------------------------------------------------------------


def test_steady_income_leaves_one_off_parts_out_and_the_pay_that_is_least_sure() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | source   | part         | amount_yuan |
        | h1           | 2023-11-30  | transfer | unemployment | 800         |
        | h1           | 2023-12-31  | wage     |              | 3000        |
        | h1           | 2023-12-31  | wage     | bonus        | 5000        |
        | h1           | 2023-12-31  | transfer | pension      | 500         |
        employment
        | household_id | person_id | occurred_on | employed | wage_yuan | formal | contract   |
        | h1           | a         | 2023-12-31  | yes      | 2000      | no     | open_ended |
        | h1           | b         | 2023-12-31  | yes      | 1000      | yes    | fixed_term |
        """
    )
    names = ("net_last", "steady_last", "steady_mean_12m", "steady_less_informal", "steady_less_temporary")
    # November is a month of the account, in which nothing came that comes again
    assert values(records, "2024-01-01", *names) == about(8.5, 3.5, 1.75, 1.5, 2.5)


# ---- tables that records lack -----------------------------------------------------------------------------------


def test_records_without_members_have_no_features_of_members() -> None:
    tables = {"households", "visits", "incomes", "statuses", "employment"}
    names = {feature.name for feature in catalogue(tables=tables)}
    assert {"pay_largest", "workers", "steady_less_informal"} <= names
    assert not {"age_mean", "head_age", "workers_share", "workers_without_pension", "main_earner_age"} & names
    names = {feature.name for feature in catalogue(tables={"members", "incomes"})}
    assert {"age_mean", "head_age", "steady_last"} <= names
    assert not {"head_in_work", "main_earner_age", "workers", "steady_less_informal"} & names
