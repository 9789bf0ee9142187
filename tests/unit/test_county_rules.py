"""The national form's consistency rules hold in a simulated county; each test says one of them.

One rule has nothing to hold on: the length of identity numbers, which records do not carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from relapse_risk.datasets.county import registry
from relapse_risk.datasets.county.parameters import Age, CountyParameters
from relapse_risk.datasets.county.registry import DEVELOPMENT, MEASURES
from relapse_risk.datasets.county.simulate import simulate_county
from relapse_risk.datasets.county.state import Month, Switches, Township
from relapse_risk.datasets.county.township import live
from relapse_risk.records.records import Records

#: Many more fall than in life, so that every rule has cases.
TROUBLED = CountyParameters(base=-6.2, tap_trouble=0.3)
#: By so many months before the end all is known that happened.
ALL_KNOWN = 6
MONTHS = 60


@dataclass(frozen=True)
class County:
    """Records by month (0 is 2020-01): cases on the list, and frames of all other tables."""

    records: Records
    cases: pd.DataFrame

    def frame(self, name: str) -> pd.DataFrame:
        frame = self.records.frame(name)
        return frame.assign(month=month_of(frame["occurred_on"]))

    def by_month(self, name: str, value: str, where: str) -> npt.NDArray[np.float64]:
        """Return sums of a column by household and month."""
        frame = self.frame(name).query(where)
        frame = frame[frame["month"] >= 0]
        summed = frame.pivot_table(index="household_id", columns="month", values=value, aggfunc="sum")
        return summed.reindex(index=self.ids, columns=range(MONTHS)).fillna(0.0).to_numpy()

    @property
    def ids(self) -> list[str]:
        return sorted(self.records.frame("households")["household_id"].unique())

    def profile(self, column: str) -> npt.NDArray[np.object_]:
        """Return a profile's column by household and month, as it was and not as it was known."""
        frame = self.frame("households")
        held = frame.set_index(["household_id", "month"])[column].unstack()  # noqa: PD010
        return held.reindex(index=self.ids, columns=range(MONTHS)).ffill(axis=1).to_numpy()

    def months_on_the_list(self, after: int) -> pd.DataFrame:
        """Return each case's months from so many after identification until elimination, by when all is known."""
        cases = self.cases.assign(row=np.searchsorted(self.ids, self.cases["household_id"]))
        parts = [
            cases[(cases["found"] + after <= month) & (month < cases["gone"])].assign(month=month)
            for month in range(MONTHS - ALL_KNOWN)
        ]
        return pd.concat(parts)


def month_of(day: pd.Series) -> pd.Series:
    return (day.dt.year - 2020) * 12 + day.dt.month - 1


@pytest.fixture(scope="module")
def county() -> County:
    records, _ = simulate_county(2000, MONTHS, 8, parameters=TROUBLED)
    statuses = records.frame("statuses").query("occurred_on >= '2020-01-01'")
    statuses = statuses.sort_values(["household_id", "occurred_on"])
    later = statuses.groupby("household_id")[["occurred_on", "poor"]].shift(-1)
    assert not (statuses["poor"] == later["poor"]).fillna(False).any(), "on and off the list in turn"
    found = statuses.assign(gone_on=later["occurred_on"])[statuses["poor"]]
    cases = pd.DataFrame(
        {
            "household_id": found["household_id"],
            "found_on": found["occurred_on"],
            "gone_on": found["gone_on"],
            "found": month_of(found["occurred_on"]),
            "gone": month_of(found["gone_on"]).fillna(MONTHS),
            "cause": found["risk_types"],
        }
    )
    return County(records, cases[cases["found"] < MONTHS - ALL_KNOWN].reset_index(drop=True))


def test_there_are_cases_of_every_cause(county: County) -> None:
    causes = county.cases["cause"].value_counts()
    assert set(causes.index) == set(MEASURES)
    assert causes.min() >= 5
    assert county.cases["gone_on"].notna().sum() > 100


def test_nobody_is_taken_off_within_six_months(county: County) -> None:
    gone = county.cases.dropna(subset="gone_on")
    assert (gone["gone_on"] >= gone["found_on"] + pd.DateOffset(months=6)).all()


def test_a_measure_against_the_cause_begins_within_a_month(county: County) -> None:
    """Unsafe water among the causes; so there is a measure for every risk."""
    supports = county.frame("supports")
    wanted = county.cases.assign(kind=county.cases["cause"].map(MEASURES))
    pairs = wanted.merge(supports, on=["household_id", "kind"])
    days = (pairs["occurred_on"] - pairs["found_on"]).dt.days
    helped = pairs[days.between(0, 31)][["household_id", "found_on"]].drop_duplicates()
    assert len(helped) == len(wanted)


def test_who_is_listed_for_illness_has_paid_for_it_within_a_year(county: County) -> None:
    paid = county.by_month("expenses", "self_paid_yuan", "kind == 'medical'")
    listed = county.months_on_the_list(0).query("cause == 'illness' and month >= 12")
    assert len(listed) > 500
    for row, month in zip(listed["row"], listed["month"], strict=True):
        assert paid[row, month - 11 : month + 1].sum() > 0


def test_unstable_work_needs_labour_and_work_records(county: County) -> None:
    labour = county.profile("n_labour")
    work = county.frame("employment")
    cases = county.months_on_the_list(0).query("cause == 'unstable_work' and month == found")
    assert len(cases) > 10
    case: Any
    for case in cases.itertuples():
        assert labour[case.row, case.found] > 0
        rows = work[(work["household_id"] == case.household_id) & work["month"].between(0, case.found + 12)]
        assert (rows["employed"] | (rows["months_worked"] > 0)).any()


def test_who_has_labour_gets_a_measure_of_development_within_six_months(county: County) -> None:
    labour = county.profile("n_labour")
    supports = county.frame("supports")
    supports = supports[supports["kind"].isin(DEVELOPMENT)].sort_values("occurred_on")
    listed = county.months_on_the_list(6)
    listed = listed[labour[listed["row"], listed["month"]] > 0]
    assert len(listed) > 500
    pairs = listed.merge(supports, on="household_id", suffixes=("", "_begun"))
    begun = pairs[(pairs["occurred_on"] >= pairs["found_on"]) & (pairs["month_begun"] <= pairs["month"])]
    assert len(begun[["household_id", "month"]].drop_duplicates()) == len(listed)


def test_who_has_no_labour_stays_on_the_list(county: County) -> None:
    labour = county.profile("n_labour")
    gone = county.months_on_the_list(0).query("month == gone - 1")
    assert (labour[gone["row"], gone["gone"].astype(int)] > 0).all()


def net_income(county: County) -> npt.NDArray[np.float64]:
    received = county.by_month("incomes", "amount_yuan", "source != 'production_cost'")
    return received - county.by_month("incomes", "amount_yuan", "source == 'production_cost'")


def test_income_after_medical_costs_is_above_the_line_at_elimination(county: County) -> None:
    account = net_income(county) - county.by_month("expenses", "self_paid_yuan", "self_paid_yuan > 0")
    members = county.profile("n_members").astype(float)
    gone = county.months_on_the_list(0).query("month == gone - 1 and gone >= 12")
    assert len(gone) > 100
    for row, month in zip(gone["row"], gone["gone"].astype(int), strict=True):
        line = TROUBLED.line_on((pd.Timestamp("2020-01-01") + pd.DateOffset(months=month)).date())
        assert account[row, month - 11 : month + 1].sum() / members[row, month] >= line


def test_after_elimination_income_and_guarantees_go_on_being_recorded(county: County) -> None:
    visits = county.frame("visits")
    incomes = county.frame("incomes")
    gone = county.cases[county.cases["gone"] < MONTHS - ALL_KNOWN - 12]
    assert len(gone) > 50
    case: Any
    for case in gone.itertuples():
        seen = visits[
            (visits["household_id"] == case.household_id) & visits["month"].between(case.gone, case.gone + 12)
        ]
        assert seen[["house", "tap", "children", "cupboard"]].notna().any()[["house", "tap", "cupboard"]].all()
        received = incomes[(incomes["household_id"] == case.household_id)]
        assert received["month"].between(case.gone, case.gone + 12).any()


def test_who_receives_dibao_or_tekun_has_transfer_income(county: County) -> None:
    transfer = county.by_month("incomes", "amount_yuan", "source == 'transfer'")
    receives = county.profile("dibao").astype(bool) | (county.profile("household_type") == "lifted_tekun")
    months = slice(1, MONTHS - ALL_KNOWN)
    both = receives[:, months] & receives[:, : MONTHS - ALL_KNOWN - 1]  # from the month after the one it began in
    assert both.sum() > 1000
    assert (transfer[:, months][both] > 0).all()


def test_destitute_support_comes_with_its_measure(county: County) -> None:
    tekun = set(county.frame("households").query("household_type == 'lifted_tekun'")["household_id"])
    covered = county.frame("supports").query("kind == 'comprehensive_security' and month < 0 and ended_on.isna()")
    assert tekun
    assert tekun == set(covered["household_id"])


def test_wages_are_none_or_100_yuan_at_least(county: County) -> None:
    wages = county.frame("incomes").query("source == 'wage'")["amount_yuan"]
    assert (wages == 0).any()
    assert not wages.between(0, 100, inclusive="neither").any()


def test_business_income_has_costs_and_income_a_head_is_in_range(county: County) -> None:
    business = county.by_month("incomes", "amount_yuan", "source == 'business'")
    costs = county.by_month("incomes", "amount_yuan", "source == 'production_cost'")
    kind, members = county.profile("household_type"), county.profile("n_members").astype(float)
    a_head = net_income(county) / members
    for year in range(4):
        months = slice(12 * year, 12 * year + 12)
        assert (costs[:, months].sum(axis=1) > 0)[business[:, months].sum(axis=1) > 0].all()
        on_forms = kind[:, 12 * year] != "ordinary"  # the form is filled for the lifted and the monitored
        income = a_head[:, months].sum(axis=1)[on_forms]
        assert (income > 0).all()
        assert (income <= 100_000).all()


def test_work_has_a_place_and_a_wage_and_at_most_twelve_months_a_year(county: County) -> None:
    work = county.frame("employment")
    assert (work["workplace"].notna() == work["employed"]).all()
    assert (work["wage_yuan"].notna() == work["employed"]).all()
    months = work.groupby(["person_id", work["occurred_on"].dt.year])["month"].agg(["size", "nunique"])
    assert (months["size"] == months["nunique"]).all()
    assert months["size"].max() <= 12


def test_no_dropout_at_elimination_and_who_is_of_age_and_healthy_can_work(monkeypatch: pytest.MonkeyPatch) -> None:
    eliminate, eliminated = registry.eliminate, 0

    def watched(t: Township, month: Month) -> None:
        nonlocal eliminated
        before = t.eliminated_on.copy()
        eliminate(t, month)
        rows = np.flatnonzero(before != t.eliminated_on)
        people = t.people
        assert not (people.dropout & people.here)[rows].any(), "a child out of school, and taken off the list"
        eliminated += len(rows)
        able = (people.age >= 22 * Age.YEAR) & (people.age < 60 * Age.YEAR)
        healthy = people.here & able & ~(people.major | people.disabled)
        assert (people.labour() | ~healthy).all(), "of age and healthy, and cannot work"
        assert not (people.student() & people.labour()).any(), "at school and at work"

    monkeypatch.setattr(registry, "eliminate", watched)
    township = Township(0, 600, 3, Switches(), TROUBLED)
    township.people.dropout[::2] = (township.people.age < Age.SENIOR)[::2]
    live(township, 48)
    assert eliminated > 30
