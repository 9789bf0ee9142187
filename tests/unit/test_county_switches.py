"""Selection, treatment and delay can be switched off, one by one, and each shows the bias it brings."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from relapse_risk.datasets import CountyParameters, Switches, simulate_county
from relapse_risk.datasets.county import hazard, registry
from relapse_risk.datasets.county.arrays import NEVER
from relapse_risk.datasets.county.state import Month, Township
from relapse_risk.datasets.county.township import SIMULATED, live
from relapse_risk.records.records import Records

#: Many fall, and few are found by chance, so that a small county shows what a large one would.
TROUBLED = CountyParameters(base=-5.6, found_otherwise=0.03)


@lru_cache
def county(**switched: bool) -> tuple[Records, pd.DataFrame]:
    records, truth = simulate_county(1500, 48, 1, switches=Switches(**switched), parameters=TROUBLED)
    return records, truth.to_pandas()


def identified(records: Records) -> pd.DataFrame:
    statuses = records.frame("statuses")
    return statuses[statuses["poor"] & (statuses["occurred_on"] >= "2020-01-01")]


@pytest.mark.parametrize(("selection", "unseen"), [(True, True), (False, False)])
def test_with_selection_off_everyone_who_falls_is_found(
    selection: bool, unseen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts who falls, and who of them recovers and was never found."""
    fall, find, fell, recovered = hazard.fall, registry.find, 0, 0

    def counted_fall(t: Township, month: Month, hazards: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        nonlocal fell
        before = t.in_need_since < NEVER
        bill = fall(t, month, hazards)
        fell += int(((t.in_need_since < NEVER) & ~before).sum())
        return bill

    def counted_find(t: Township, month: Month) -> None:
        nonlocal recovered
        before = t.in_need_since < NEVER
        find(t, month)
        recovered += int((before & (t.in_need_since == NEVER)).sum())

    monkeypatch.setattr(hazard, "fall", counted_fall)
    monkeypatch.setattr(registry, "find", counted_find)
    live(Township(0, 800, 1, Switches(selection=selection), TROUBLED), 48)
    assert fell > 100
    assert (recovered > 0) == unseen


def test_selection_finds_less_and_later_where_workers_tick_fine() -> None:
    """What the registry holds is partly who was visited by whom."""
    everyone, some = (len(identified(county(selection=on)[0])) for on in (False, True))
    assert some < 0.9 * everyone
    unfound: dict[bool, dict[bool, float]] = {}
    for on in (True, False):
        township = Township(0, 3000, 2, Switches(selection=on), TROUBLED)
        live(township, 18)  # so long are grids as first drawn
        plan, waiting = township.place.plans[0], township.waiting(NEVER)
        in_need = waiting | (township.identified_on < NEVER)
        ticks = plan.ticks_fine[plan.worker]
        unfound[on] = {fine: waiting[ticks == fine].sum() / in_need[ticks == fine].sum() for fine in (True, False)}
    assert unfound[True][True] > 2 * unfound[True][False]
    assert unfound[False] == {True: 0, False: 0}


def test_selection_sends_more_visits_where_trouble_is_known() -> None:
    def visits_of_the_known(records: Records) -> float:
        known = set(identified(records)["household_id"])
        visits = records.frame("visits")["household_id"]
        per = visits.value_counts()
        return float(per[per.index.isin(known)].mean() / per[~per.index.isin(known)].mean())

    assert visits_of_the_known(county()[0]) > 1.1
    assert visits_of_the_known(county(selection=False)[0]) == pytest.approx(1.0, abs=0.06)


def test_with_treatment_off_more_fall_again() -> None:
    """Aid prevents what was predicted: without it, twice as many of the eliminated are back within a year."""
    strong = dataclasses.replace(TROUBLED, of_support=-2.0)
    back = {}
    for on in (True, False):
        records, _ = simulate_county(2000, 60, 1, switches=Switches(treatment=on), parameters=strong)
        statuses = records.frame("statuses").query("occurred_on >= '2020-01-01'")
        statuses = statuses.sort_values(["household_id", "occurred_on"])
        again = statuses.groupby("household_id")["occurred_on"].shift(-1) - statuses["occurred_on"]
        gone = (~statuses["poor"]) & (statuses["occurred_on"] < "2023-12-01")
        back[on] = (again[gone].dt.days <= 365).mean()
    assert back[False] > 1.5 * back[True]


def test_treatment_lowers_the_true_hazard_of_those_it_reaches() -> None:
    (records, with_it), (_, without) = county(), county(treatment=False)
    first = identified(records)["occurred_on"].min()
    both = with_it.merge(without, on=["household_id", "month"], suffixes=("", "_without")).dropna()
    both["month"] = pd.to_datetime(both["month"])
    before = both[both["month"] < first]
    assert before["hazard"].equals(before["hazard_without"].rename("hazard"))
    helped = records.frame("supports")["household_id"].unique()
    after = both[(both["month"] >= "2022-01-01") & both["household_id"].isin(helped)]
    assert (np.log(after["hazard"]) - np.log(after["hazard_without"])).mean() < -0.05


def test_with_delay_off_all_is_known_on_the_day_itself() -> None:
    records, _ = county(delay=False)
    late = {name: _late(records, name) for name in SIMULATED}
    assert late == dict.fromkeys(SIMULATED, 0)
    on = county()[0]
    assert all(_late(on, name) > 0 for name in SIMULATED if name != "grids")


def _late(records: Records, name: str) -> int:
    frame = records.frame(name)
    happened = frame["occurred_on"]
    if name == "supports":  # a measure's end is entered when it ends, as a later version of its row
        happened = frame["ended_on"].fillna(happened)
    return int((frame["known_on"] > happened).sum())


def test_delay_lets_identification_come_weeks_after_the_clue() -> None:
    """With delay on, no clue of a visit is an identification in the same week."""
    days = {}
    for on in (True, False):
        records, _ = county(delay=on)
        visits = records.frame("visits").query("clue_raised")[["household_id", "occurred_on"]]
        pairs = identified(records)[["household_id", "occurred_on"]].merge(visits, on="household_id")
        gap = (pairs["occurred_on_x"] - pairs["occurred_on_y"]).dt.days
        days[on] = gap[gap.between(0, 60)].groupby(pairs["household_id"]).min()
    assert days[False].median() == 0
    assert days[True].median() >= 6
