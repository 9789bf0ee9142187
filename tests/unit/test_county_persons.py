"""The persons of a simulated county: their profiles and jobs agree with their household's and with their life."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from relapse_risk.datasets import simulate_county
from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.state import Switches, Township
from relapse_risk.datasets.county.township import live
from relapse_risk.records import codes
from relapse_risk.records.records import Records

MONTHS = 48
COUNTED = ("n_members", "n_labour", "n_students", "n_elderly", "n_chronic", "n_major_illness", "n_disabled")


@pytest.fixture(scope="module")
def records() -> Records:
    return simulate_county(1500, MONTHS, 3, parameters=CountyParameters(base=-6.5))[0]


@pytest.fixture(scope="module")
def members(records: Records) -> pd.DataFrame:
    return records.frame("members").sort_values(["person_id", "occurred_on"])


@pytest.fixture(scope="module")
def work(records: Records) -> pd.DataFrame:
    return records.frame("employment").sort_values(["person_id", "occurred_on"])


def counted(members: pd.DataFrame, days: pd.Series, by: str) -> pd.DataFrame:
    """Return the counts of a household's profile, from the rows of its members that hold at some days.

    ``days`` is indexed by household; rows count whose ``by`` date is not after the day.
    """
    day = members["household_id"].map(days)
    held = members[members[by] <= day].drop_duplicates("person_id", keep="last")
    held = held[held["in_household"].astype(bool)]
    day = held["household_id"].map(days)
    born = held["birth_month"]
    months = (day.dt.year - born.dt.year) * 12 + day.dt.month - born.dt.month
    flags = pd.DataFrame(
        {
            "n_members": 1,
            "n_labour": held["labour_skill"].isin(["ordinary", "skilled"]),
            "n_students": held["at_school"] != "no",
            "n_elderly": months >= 60 * 12,
            "n_chronic": held["health"].str.contains("chronic"),
            "n_major_illness": held["health"].str.contains("major_illness"),
            "n_disabled": held["health"].str.contains("disabled"),
        }
    )
    return flags.astype(float).groupby(held["household_id"]).sum()


def test_members_are_those_their_household_counts_on_every_day_a_profile_holds(
    records: Records, members: pd.DataFrame
) -> None:
    """Each profile of each household, in turn: the n-th profile of all households at a time."""
    profiles = records.frame("households").sort_values(["household_id", "occurred_on"])
    turn = profiles.groupby("household_id").cumcount()
    assert turn.max() > 4
    for n in range(turn.max() + 1):
        at = profiles[turn == n].set_index("household_id")
        got = counted(members, at["occurred_on"], "occurred_on").reindex(at.index)
        assert got.astype(float).equals(at[list(COUNTED)].astype(float))


def test_what_is_known_of_members_agrees_with_what_is_known_of_the_household(
    records: Records, members: pd.DataFrame
) -> None:
    """Forms come in late, but in order and whole; elderly apart, whom the last known form did not count yet."""
    for name in ("households", "members"):
        forms = records.frame(name).sort_values(["household_id", "occurred_on"])
        assert not (forms.groupby("household_id")["known_on"].diff().dt.days < 0).any()
    for day in pd.date_range("2020-02-16", "2023-05-16", freq="3MS"):
        profiles = records.frame("households").query("known_on <= @day").sort_values("occurred_on")
        at = profiles.drop_duplicates("household_id", keep="last").set_index("household_id").sort_index()
        days = pd.Series(day, at.index)
        got = counted(members, days, "known_on").reindex(at.index)
        some = [name for name in COUNTED if name != "n_elderly"]
        assert got[some].equals(at[some].astype(float))


def test_nobody_is_known_before_birth_and_a_person_is_one_person(members: pd.DataFrame) -> None:
    assert (members["birth_month"] <= members["occurred_on"]).all()
    assert (members["birth_month"] <= members["known_on"]).all()
    persons = members[["person_id", "household_id", "sex", "birth_month"]].drop_duplicates()
    assert persons["person_id"].is_unique
    assert (members["birth_month"] > "2020-01-01").any(), "children are born"
    gone = ~members["in_household"].astype(bool)
    assert gone.any()
    assert (gone == (gone & ~members["person_id"].duplicated(keep="last"))).all(), "who left does not come back"


def test_everyone_who_lives_there_has_a_profile_and_nobody_else() -> None:
    """Where many die and are born in one month: a child never takes the place of one who left unrecorded."""
    crowded = CountyParameters(births_per_year=4.0, deaths_by_age={0: 0.2, 90: 0.6})
    township = Township(0, 200, 1, Switches(delay=False), crowded)
    members = live(township, 24).tables()["members"].to_pandas().sort_values(["person_id", "occurred_on"])
    last = members.drop_duplicates("person_id", keep="last")
    people = township.people
    ids = np.array(township.person_ids().to_pylist())
    assert set(last["person_id"][last["in_household"].astype(bool)]) == set(ids[people.person[people.here]])
    assert len(last) > 1.3 * people.here.sum(), "many have left"


def test_person_ids_say_nothing_of_the_person(members: pd.DataFrame) -> None:
    """Neither the household nor the order in it: heads are not the first."""
    first = members.drop_duplicates("person_id")
    ids = first.groupby("household_id")["person_id"]
    is_first = (first["person_id"] == ids.transform("min"))[first["relation"] == "head"]
    assert is_first.mean() == pytest.approx((1 / ids.size()).mean(), abs=0.03)
    assert not any(h in p for h, p in zip(first["household_id"], first["person_id"], strict=True))


def test_a_household_has_one_head_and_its_relations_hold(members: pd.DataFrame) -> None:
    for day in pd.to_datetime(["2020-01-01", "2023-12-01"]):
        held = members[members["occurred_on"] <= day].drop_duplicates("person_id", keep="last")
        held = held[held["in_household"].astype(bool)]
        assert (held["relation"].eq("head").groupby(held["household_id"]).sum() == 1).all()
        assert held["relation"].eq("spouse").groupby(held["household_id"]).sum().max() == 1
    age = 2020 - members["birth_month"].dt.year
    medians = age.groupby(members["relation"]).median()
    assert medians["grandchild"] < medians["child"] < medians["head"] < medians["parent"]


def test_relations_are_of_the_age_they_need(members: pd.DataFrame) -> None:
    """Of the households as founded; heads who are lost later are followed by whoever is there."""
    held = members[members["occurred_on"] <= "2020-01-01"].drop_duplicates("person_id", keep="last")
    born = held["birth_month"].dt.year
    head = born[held["relation"] == "head"].set_axis(held["household_id"][held["relation"] == "head"])
    younger = (born - held["household_id"].map(head)).groupby(held["relation"])
    least = younger.min()
    assert least["child"] >= 15
    assert least["child_in_law"] >= 15
    assert least["grandchild"] >= 35
    assert younger.max()["parent"] < 0


def test_schooling_or_the_school_attended_is_stated_as_the_form_asks(members: pd.DataFrame) -> None:
    """文化程度 XOR 在校生状况, from school age on."""
    here = members[members["in_household"].astype(bool)]
    of_age = here["birth_month"] + pd.DateOffset(years=6) <= here["occurred_on"]
    assert (here["schooling"].notna() ^ (here["at_school"] != "no"))[of_age].all()
    assert here["schooling"].isna()[~of_age].all()
    assert set(codes.SCHOOL_STAGE.values) - set(here["at_school"]) == {"preschool"}
    assert set(here["labour_skill"]) == set(codes.LABOUR_SKILL.values)


def test_a_persons_ledger_adds_up_to_the_households_wages(records: Records, work: pd.DataFrame) -> None:
    """Pay of employees is wage income; of those on their own account it is business income after costs."""
    status = work["work_status"].fillna("none")
    own = work[status == "self_employed"].groupby(["household_id", "occurred_on"]).size()
    ledger = work[status != "self_employed"].groupby(["household_id", "occurred_on"])["wage_yuan"].sum()
    paid_out = records.frame("incomes").query("source == 'wage'")
    wages = paid_out.groupby(["household_id", "occurred_on"])["amount_yuan"].sum()
    both = pd.concat([ledger, wages], axis=1, join="inner")
    both = both.loc[both.index.difference(own.index)]
    assert len(both) > 5000
    assert (both["wage_yuan"] == both["amount_yuan"]).all()
    bonus = records.frame("incomes").query("part == 'bonus'").set_index(["household_id", "occurred_on"])
    one_off = work.groupby(["household_id", "occurred_on"])["one_off_yuan"].sum()
    paid = bonus["amount_yuan"].reindex(one_off.index[one_off > 0]).dropna()
    assert paid.equals(one_off.loc[paid.index].rename("amount_yuan"))
    assert len(paid) > 50


def test_a_job_is_the_same_from_its_start_to_its_end(work: pd.DataFrame) -> None:
    own = ["industry", "work_status", "contract", "formal", "workplace", "distance_km", "hours_week", "channel"]
    in_work = work[work["employed"].astype(bool)]
    jobs = in_work[["person_id", "started_on", *own]].drop_duplicates()
    assert not jobs.duplicated(["person_id", "started_on"]).any()
    assert (in_work["started_on"] <= in_work["occurred_on"]).all()
    out = work[~work["employed"].astype(bool)]
    assert out[["industry", "wage_yuan", "started_on", "ended_on"]].isna().all(axis=None)
    assert (out["seeking_since"].notna() == out["seeking"].astype(bool)).all()
    assert not in_work["seeking"].any()
    assert in_work["formal"][in_work["contract"].isin(["none", "casual"])].sum() == 0


def test_months_worked_are_those_of_the_ledger(work: pd.DataFrame) -> None:
    """Of persons with a row in each of the last twelve months."""
    employed = work.set_index("occurred_on").groupby("person_id")["employed"]
    last = employed.rolling(12).sum().reset_index(drop=True).to_numpy()
    month = work["occurred_on"].dt.year * 12 + work["occurred_on"].dt.month
    whole = (month - month.groupby(work["person_id"]).shift(11) == 11).to_numpy()
    assert whole.sum() > 5000
    np.testing.assert_array_equal(work["months_worked"].to_numpy()[whole], last[whole])


def test_worse_jobs_are_lost_more_often(work: pd.DataFrame) -> None:
    """The quality of a job shows in what comes next, so that it can be learned."""
    stays = work.groupby("person_id")["employed"].shift(-1)
    rows = work[work["employed"].astype(bool) & stays.notna()]
    lost = ~stays[rows.index].astype(bool)
    by_contract = lost.groupby(rows["contract"]).mean()
    assert by_contract["casual"] > 2 * by_contract["fixed_term"] > 2 * by_contract["open_ended"]
    by_formal = lost.groupby(rows["formal"].astype(bool)).mean()
    assert by_formal[False] > 1.7 * by_formal[True]
    new = (rows["occurred_on"] - rows["started_on"]).dt.days < 365
    assert lost[new].mean() > 1.4 * lost[~new].mean()
    pay = rows["wage_yuan"].groupby(rows["formal"].astype(bool)).mean()
    assert pay[True] > 1.05 * pay[False]


@pytest.mark.parametrize(
    ("column", "published", "within"),
    [("manufacturing", 0.275, 0.3), ("construction", 0.154, 0.3), ("trade", 0.132, 0.35)],
)
def test_workers_far_from_home_are_spread_over_industries_as_published(
    work: pd.DataFrame, column: str, published: float, within: float
) -> None:
    away = work[work["workplace"].isin(["province", "other_province"])]
    assert (away["industry"] == column).mean() == pytest.approx(published, rel=within)
