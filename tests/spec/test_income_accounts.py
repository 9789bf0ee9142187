"""Accounts of several months, accounts that name some sources, and the balance a county judges by, drawn by hand.

The line is 1,000 yuan a member and month and households have one member, unless a case says otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.support import ascii as drawn

from relapse_risk.features.build import build_features
from relapse_risk.features.catalogue import catalogue
from relapse_risk.records import codes
from relapse_risk.records.records import Records
from relapse_risk.settings import Settings

NAN = float("nan")
COMPLETE = drawn.settings(data={"accounts_complete": True})


def values(records: Records, day: str, *names: str, household: str = "h1") -> list[float]:
    """Return features of a household on a day."""
    features = {feature.name: feature for feature in catalogue(records.settings)}
    row = build_features(records, drawn.index((household, day)), [features[name] for name in names])
    return row.iloc[0].astype(float).tolist()


def about(*expected: float | np.floating[Any]) -> object:
    return pytest.approx(list(expected), rel=1e-6, abs=1e-6, nan_ok=True)


# ---- periods ---------------------------------------------------------------------------------------------------


def test_a_quarter_s_sum_is_three_months_of_a_third_of_it() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | known_on   | source | amount_yuan | months |
        | h1           | 2023-09-30  | 2023-10-05 | wage   | 2400        | 3      |
        | h1           | 2023-12-31  | 2024-01-05 | wage   | 9000        | 3      |
        """
    )
    names = (
        "wage_last",
        "net_last",
        "wage_mean_2m",
        "wage_mean_6m",
        "income_months_12m",
        "net_min_6m",
        "net_max_24m",
    )
    # July to September 0.8 lines a month, October to December 3
    assert values(records, "2024-01-06", *names) == about(3, 3, 3, 1.9, 6, 0.8, 3)
    # before the second was known nothing is known of its months
    assert values(records, "2024-01-05", *names) == about(0.8, 0.8, NAN, 0.8, 3, 0.8, 0.8)


def test_a_window_takes_the_part_of_an_account_that_falls_inside() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | source | amount_yuan | months |
        | h1           | 2023-12-15  | wage   | 12000       | 12     |
        """
    )
    # the last part is dated to the account's own day, the others to the last days of the months before
    assert values(records, "2024-01-01", "income_months_12m", "net_ratio_2m", "net_ratio_12m") == about(12, 1, 1)
    assert values(records, "2024-06-01", "income_months_12m", "net_mean_12m") == about(7, 1)  # June to December
    assert values(records, "2024-12-15", "income_months_12m") == about(1)
    assert values(records, "2024-12-16", "income_months_12m", "net_mean_12m", "net_last") == about(0, NAN, 1)


def test_a_correction_of_an_account_replaces_all_its_months() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | known_on   | source | amount_yuan | months |
        | h1           | 2023-12-31  | 2024-01-05 | wage   | 12000       | 12     |
        | h1           | 2023-12-31  | 2024-02-05 | wage   | 6000        | 2      |
        """
    )
    assert values(records, "2024-02-01", "income_months_12m", "wage_last") == about(11, 1)
    assert values(records, "2024-03-01", "income_months_12m", "wage_last") == about(2, 3)


def test_months_that_two_accounts_cover_count_once_as_the_later_one_says() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | known_on   | source   | part    | amount_yuan | months |
        | h1           | 2023-03-10  | 2023-03-10 | wage     |         | 700         |        |
        | h1           | 2023-06-30  | 2023-07-05 | wage     |         | 12000       | 12     |
        | h1           | 2023-12-31  | 2024-01-05 | wage     |         | 24000       | 12     |
        | h1           | 2023-11-30  | 2023-12-05 | transfer | pension | 300         |        |
        """
    )
    # in July the account of the year holds in March too, where 700 was recorded before
    assert values(records, "2023-07-06", "wage_mean_12m", "wage_last") == about(1, 1)
    # in January: 2 a month of 2023, and 1 a month of July to December 2022 before; another source stays as it is
    assert values(records, "2024-01-06", "wage_mean_12m", "wage_mean_24m", "net_ratio_12m") == about(
        2, 30 / 18, 24.3 / 12
    )


# ---- sources that an account does not name ---------------------------------------------------------------------

NO_WAGE_LATELY = """
households
| household_id | occurred_on | n_members | n_labour |
| h1           | 2020-01-01  | 1         | 1        |
incomes
| household_id | occurred_on | source   | part    | amount_yuan |
| h1           | 2023-01-31  | wage     |         | 3000        |
| h1           | 2023-01-31  | transfer | pension | 500         |
| h1           | 2023-06-30  | wage     |         | 2000        |
| h1           | 2023-12-31  | transfer |         | 400         |
"""
LAST = ("wage_last", "wage_per_labour", "pension_last", "business_last", "nonwage_last", "wage_step")


def test_a_source_the_latest_account_does_not_name_is_unknown_never_an_older_value() -> None:
    records = drawn.records(NO_WAGE_LATELY)
    assert values(records, "2024-01-01", *LAST) == about(NAN, NAN, NAN, NAN, 0.4, NAN)
    assert values(records, "2023-07-01", *LAST) == about(2, 2, NAN, NAN, NAN, -1)
    assert values(records, "2024-01-01", "wage_mean_12m", "wage_std_12m", "wage_share_12m") == about(
        2.5, np.sqrt(0.5), 5 / 5.9
    )


def test_a_source_that_a_complete_account_does_not_name_brought_nothing() -> None:
    records = drawn.records(NO_WAGE_LATELY, COMPLETE)
    assert values(records, "2024-01-01", *LAST) == about(0, 0, 0, 0, 0.4, -2)
    assert values(records, "2023-07-01", *LAST) == about(2, 2, 0, 0, 0, -1)
    # wages of the three months with an account: 3, 2, 0; months without any account stay unknown
    assert values(records, "2024-01-01", "wage_mean_12m", "wage_std_12m", "wage_share_12m") == about(
        5 / 3, np.std([3, 2, 0], ddof=1), 5 / 5.9
    )
    assert values(records, "2023-01-01", *LAST) == about(*[NAN] * 6)


def test_what_accounts_name_travels_with_the_records_settings() -> None:
    records = drawn.records(NO_WAGE_LATELY)
    assert values(records, "2024-01-01", "wage_last") == about(NAN)
    under = records.with_settings(records.settings.model_copy(update={"data": COMPLETE.data}))
    assert values(under, "2024-01-01", "wage_last") == about(0)
    assert values(under.with_model_settings(Settings()), "2024-01-01", "wage_last") == about(0)


def test_a_member_not_in_work_earned_nothing_that_month() -> None:
    records = drawn.records(
        """
        employment
        | household_id | occurred_on | employed | wage_yuan |
        | h1           | 2023-10-31  | yes      | 3000      |
        | h1           | 2023-11-30  | no       |           |
        """
    )
    assert values(records, "2023-11-30", "ledger_wage_last") == about(3)
    assert values(records, "2023-12-01", "ledger_wage_last", "ledger_wage_mean_2m") == about(0, 1.5)
    unknown = drawn.records(
        """
        employment
        | household_id | occurred_on | employed | wage_yuan |
        | h1           | 2023-10-31  | yes      | 3000      |
        | h1           | 2023-11-30  | yes      |           |
        """
    )
    assert values(unknown, "2023-12-01", "ledger_wage_last") == about(NAN)


# ---- kinds of sources ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", codes.INCOME_SOURCE.values)
def test_every_source_enters_the_account_by_its_kind(source: str) -> None:
    """A source added to the code list has no kind until it is declared, and this fails."""
    kind = codes.INCOME_KIND[source]
    wages = "" if source == "wage" else "| h1 | 2023-12-31 | wage | 4000 |"
    records = drawn.records(
        f"""
        incomes
        | household_id | occurred_on | source | amount_yuan |
        | h1 | 2023-12-31 | {source} | 1000 |
        {wages}
        """
    )
    earned = 4.0 if wages else 0.0
    rest = -1.0 if kind == "cost" else 1.0
    whole = earned + (1.0 if kind == "income" else 0.0)
    got = values(records, "2024-01-01", "net_last", "net_now_12m", "wage_share_12m", "nonwage_last")
    assert got == about(earned + rest, earned + rest, (earned or 1.0) / whole, rest if wages else NAN)
    without_wages = rest if wages else 0.0
    assert values(records, "2024-01-01", "balance_without_wages_12m") == about(without_wages)


# ---- the balance -----------------------------------------------------------------------------------------------


def test_the_balance_is_income_and_claims_less_self_paid_bills_to_the_members_and_the_line_of_the_day() -> None:
    monthly = "\n".join(
        f"| h1 | 2023-{month:02d}-28 | {source} | {amount} |"
        for month in range(1, 13)
        for source, amount in (("wage", 2000), ("production_cost", 200))
    )
    steps = [{"since": "2020-01-01", "yuan": 6000.0}, {"since": "2024-01-01", "yuan": 7200.0}]
    records = drawn.records(
        f"""
        households
        | household_id | occurred_on | n_members |
        | h1           | 2020-01-01  | 2         |
        | h1           | 2023-12-01  | 3         |
        incomes
        | household_id | occurred_on | source | amount_yuan |
        {monthly}
        | h1           | 2023-07-31  | claim  | 3000        |
        expenses
        | household_id | occurred_on | kind    | total_yuan | reimbursed_yuan | self_paid_yuan |
        | h1           | 2022-12-31  | medical | 90000      | 0               | 90000          |
        | h1           | 2023-07-10  | medical | 12000      | 6000            | 5400           |
        | h1           | 2023-09-01  | other   | 600        |                 |                |
        """,
        drawn.settings(line={"months": 12, "steps": steps}),
    )
    # (24,000 - 2,400 + 3,000 - 5,400) / 3 members / 7,200; on the last day of 2023 the line was 6,000
    assert values(records, "2024-01-01", "balance_12m") == about(19_200 / 3 / 7_200)
    assert values(records, "2023-12-31", "balance_12m") == about((19_200 - 90_000) / 3 / 6_000)
    assert values(records, "2024-01-01", "net_now_12m", "paid_now_12m") == about(
        24_600 / 3 / 7_200, 5_400 / 3 / 7_200
    )
    assert values(records, "2024-01-01", "balance_6m") == about((12_000 - 1_200 + 3_000 - 5_400) / 3 / 3_600)
    # months: 1,800 each, but 1,800 + 3,000 - 5,400 in July, of a line of 1,800
    months = np.array([1_800.0] * 11 + [-600.0]) / 1_800
    assert values(records, "2024-01-01", "balance_std_12m", "balance_below_12m", "balance_gap_12m") == about(
        np.std(months, ddof=1), 1, (months.mean() - 1) / (np.std(months, ddof=1) + 0.1)
    )
    slope = np.polyfit(np.arange(12), np.r_[months[:6], months[-1], months[6:11]], 1)[0]
    assert values(records, "2024-01-01", "balance_slope_12m") == about(slope)


def test_a_household_without_income_records_has_no_balance_and_one_without_bills_spent_nothing() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | source | amount_yuan |
        | h1           | 2023-12-31  | wage   | 1500        |
        expenses
        | household_id | occurred_on | kind    | self_paid_yuan |
        | h2           | 2023-12-31  | medical | 1500           |
        """
    )
    # the county adds up a year, whatever of it is on record; of the one month accounted for, it is 1.5 lines
    names = ("balance_12m", "balance_accounted_12m", "balance_below_12m")
    assert values(records, "2024-01-01", *names) == about(1.5 / 12, 1.5, 0)
    assert values(records, "2024-01-01", *names, household="h2") == about(NAN, NAN, NAN)
    assert values(records, "2024-01-01", "paid_now_12m", household="h2") == about(1.5 / 12)


def test_a_household_of_unknown_size_has_no_line_and_so_no_balance() -> None:
    records = drawn.records(
        """
        households
        | household_id | occurred_on | n_members |
        | h1           | 2020-01-01  |           |
        | h2           | 2020-01-01  | 1         |
        incomes
        | household_id | occurred_on | source | amount_yuan |
        | h1           | 2023-12-31  | wage   | 1500        |
        | h2           | 2023-12-31  | wage   | 1500        |
        """
    )
    names = ("balance_12m", "balance_accounted_12m", "balance_without_wages_12m", "net_ratio_12m", "cost_ratio_12m")
    assert values(records, "2024-01-01", *names) == about(*[NAN] * len(names))
    assert values(records, "2024-01-01", *names, household="h2") == about(1.5 / 12, 1.5, 0, 1.5, 0)


def test_a_month_in_which_the_line_is_unknown_is_not_accounted_for() -> None:
    records = drawn.records(
        """
        households
        | household_id | occurred_on | n_members |
        | h1           | 2020-01-01  |           |
        | h1           | 2023-11-15  | 1         |
        incomes
        | household_id | occurred_on | source | amount_yuan |
        | h1           | 2023-09-30  | wage   | 9000        |
        | h1           | 2023-11-30  | wage   | 1000        |
        | h1           | 2023-12-31  | wage   | 3000        |
        """
    )
    # of the line of each month, November and December count; of the line now, September and October do too
    assert values(records, "2024-01-01", "net_ratio_12m", "net_now_12m") == about(4 / 2, 13 / 4)


def test_a_month_of_which_only_bills_are_known_is_no_month_of_the_account() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | known_on   | source | amount_yuan |
        | h1           | 2023-10-31  | 2023-11-05 | wage   | 2000        |
        | h1           | 2023-11-30  | 2024-01-05 | wage   | 2000        |
        expenses
        | household_id | occurred_on | known_on   | kind    | self_paid_yuan |
        | h1           | 2023-11-10  | 2023-11-12 | medical | 1500           |
        | h1           | 2023-12-10  | 2023-12-12 | medical | 1500           |
        """
    )
    # November's bill counts with November's wages, December's with none; the year's balance has both at once
    assert values(records, "2024-01-05", "balance_below_12m", "balance_std_12m") == about(0, NAN)
    assert values(records, "2024-01-06", "balance_below_12m", "balance_std_12m") == about(1, np.sqrt(1.125))
    assert values(records, "2024-01-05", "paid_now_12m") == about(3 / 12)
    assert values(records, "2024-01-05", "balance_12m") == about((2 - 3) / 12)


def test_a_household_without_wages_has_a_balance_whatever_wages_are_asked_about() -> None:
    records = drawn.records(
        """
        incomes
        | household_id | occurred_on | source   | amount_yuan |
        | pension      | 2023-12-31  | transfer | 600         |
        | wages        | 2023-12-31  | wage     | 600         |
        """
    )
    names = ("balance_without_wages_12m", "balance_at_recent_wages_12m", "balance_at_horizon_12m")
    assert values(records, "2024-01-01", *names, household="pension") == about(0.6, 0.6, 0.6)
    assert values(records, "2024-01-01", *names, household="wages") == about(0.0, 0.6, 0.6)


def test_what_the_balance_would_be_with_other_wages_and_in_the_coming_season() -> None:
    rows = [(f"2023-{month:02d}-28", "wage", 2_400 if month <= 9 else 600) for month in range(1, 13)]
    rows += [(f"2023-{month:02d}-28", "transfer", 120) for month in range(1, 13)]
    rows += [("2023-03-28", "business", 6_000), ("2022-03-28", "business", 1_200)]
    monthly = "\n".join(f"| h1 | {day} | {source} | {amount} |" for day, source, amount in rows)
    records = drawn.records(
        f"""
        incomes
        | household_id | occurred_on | source | amount_yuan |
        {monthly}
        expenses
        | household_id | occurred_on | kind      | self_paid_yuan |
        | h1           | 2023-03-01  | education | 1800           |
        | h1           | 2023-09-01  | education | 1200           |
        """
    )
    others, paid = (12 * 0.12 + 6) / 12, 3 / 12
    wages, recent = (9 * 2.4 + 3 * 0.6) / 12, 0.6
    assert values(records, "2024-01-01", "balance_12m") == about(others + wages - paid)
    assert values(records, "2024-01-01", "balance_without_wages_12m") == about(others - paid)
    assert values(records, "2024-01-01", "balance_at_recent_wages_12m") == about(others + recent - paid)
    # January to June 2023
    assert values(records, "2024-01-01", "balance_ahead_last_year") == about((6 * 2.52 + 6 - 1.8) / 6)
    # July to December 2023 as they were, then six months of the year before with wages of 0.6
    kept = (3 * 2.4 + 3 * 0.6) / 12
    assert values(records, "2024-01-01", "balance_at_horizon_12m") == about(others + kept + 0.5 * recent - paid)
    # the only account of 2022 is of March: it and what follows until December, ten months
    assert values(records, "2024-01-01", "balance_change_12m") == about(others + wages - paid - 1.2 / 1)


# ---- bills -----------------------------------------------------------------------------------------------------


def test_several_bills_of_a_day_and_kind_are_kept_apart() -> None:
    records = drawn.records(
        """
        expenses
        | household_id | occurred_on | known_on   | kind    | bill_id | self_paid_yuan |
        | h1           | 2023-12-20  | 2023-12-20 | medical | B2      | 3000           |
        | h1           | 2023-12-20  | 2023-12-20 | medical | B1      | 600            |
        | h1           | 2023-12-20  | 2023-12-20 | medical |         | 300            |
        | h1           | 2023-12-20  | 2023-12-28 | medical | B1      | 900            |
        | h1           | 2023-12-22  | 2023-12-22 | medical | B1      |                |
        """
    )
    names = ("medical_bills_12m", "medical_max_12m", "medical_paid_12m", "medical_days_since")
    assert values(records, "2023-12-28", *names) == about(4, 3, 3.9 / 12, 6)
    assert values(records, "2023-12-29", *names) == about(4, 3, 4.2 / 12, 7)
