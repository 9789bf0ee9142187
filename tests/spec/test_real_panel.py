"""The real panel, whole: what its institute published comes out of the records, and households are ranked by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relapse_risk import Records, cohort, label_counts, labels
from relapse_risk.cohorts import attrition
from relapse_risk.datasets.eph import PanelImport, import_eph
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.training.dataset import make_dataset
from relapse_risk.training.metrics import ranking_metrics
from relapse_risk.training.splits import mature_dates

pytestmark = pytest.mark.xdist_group("panel")

#: Share of persons who are poor, by half-year (INDEC, Incidencia de la pobreza; .002 is what its own bases leave).
PUBLISHED = {"2016H2": 0.303, "2017H1": 0.286, "2018H1": 0.273, "2018H2": 0.320}


#: Unemployed of all active persons, by quarter (INDEC, Mercado de trabajo; published to 0.1 points).
UNEMPLOYED = {
    "2016Q2": 0.093,
    "2016Q3": 0.085,
    "2016Q4": 0.076,
    "2017Q1": 0.092,
    "2017Q2": 0.087,
    "2017Q3": 0.083,
    "2017Q4": 0.072,
    "2018Q1": 0.091,
    "2018Q2": 0.096,
    "2018Q3": 0.090,
    "2018Q4": 0.091,
    "2019Q1": 0.101,
}


@pytest.fixture(scope="module")
def with_persons(panel_file: Path, panel_persons_file: Path) -> PanelImport:
    return import_eph([panel_persons_file, panel_file])


@pytest.fixture(scope="module")
def panel(panel_file: Path) -> Records:
    imported = import_eph([panel_file])
    return Records.from_tables(imported.tables, imported.settings)


def test_published_poverty_rates_are_reproduced(panel: Records, panel_file: Path) -> None:
    answers = pd.read_parquet(panel_file)
    answers["household_id"] = answers["CODUSU"] + "-" + answers["NRO_HOGAR"].astype(str)
    answers["quarter"] = answers["ANO4"] * 10 + answers["TRIMESTRE"]
    statuses = panel.frame("statuses")
    statuses["quarter"] = statuses["occurred_on"].dt.year * 10 + statuses["occurred_on"].dt.quarter
    both = statuses.merge(answers, on=["household_id", "quarter"], validate="one_to_one")
    both["half"] = both["ANO4"].astype(str) + np.where(both["TRIMESTRE"] <= 2, "H1", "H2")
    both["persons"] = both["PONDIH"] * both["n_members"]
    both["poor_persons"] = both["persons"] * both["poor"].astype(float)
    sums = both.groupby("half")[["poor_persons", "persons"]].sum()
    rates = (sums["poor_persons"] / sums["persons"])[list(PUBLISHED)]
    assert rates.to_dict() == pytest.approx(PUBLISHED, abs=0.002)


def test_every_household_is_accounted_for(panel: Records) -> None:
    rules = attrition(panel, "2018-04-01")
    assert rules["left"].iloc[0] == panel.visible("2018-04-01").frame("households")["household_id"].nunique()
    assert (rules["left"].shift(1) - rules["removed"]).iloc[1:].equals(rules["left"].iloc[1:].astype(float))
    index = cohort(panel, "2018-04-01")
    assert rules["left"].iloc[-1] == len(index)
    counts = label_counts(panel, index)
    assert counts["unobserved"] > 0, "a household that was not seen again is unobserved, not fine"
    assert counts["positive"] + counts["negative"] == labels(panel, index).notna().sum()
    assert sum(counts.values()) == len(index)


def test_a_model_of_the_past_ranks_later_relapses_better_than_income_does(panel: Records) -> None:
    until = "2018-04-01"
    past = panel.visible(until)
    train = make_dataset(past, mature_dates(past))
    model = RelapseModel(n_trees=150, n_boosters=1, outcome=panel.settings.outcome)
    model.fit(train.X[train.to_train], train.y[train.to_train])
    later = make_dataset(panel, [day for day in mature_dates(panel) if day.isoformat() >= until])
    X, y = later.X[later.in_cohort], later.y[later.in_cohort]
    assert len(later.dates) > len(y) > 500
    by_model = ranking_metrics(model.predict_proba(X)[:, 1], y, 0.1)
    by_income = ranking_metrics(-X["net_last"].to_numpy(), y, 0.1)
    assert by_model["auc_pooled"] > by_income["auc_pooled"] + 0.02
    assert by_model["average_precision"] > by_model["base_rate"] * 1.4


def test_published_unemployment_is_reproduced(with_persons: PanelImport, panel_file: Path) -> None:
    columns = ["household_id", "occurred_on", "employed", "seeking"]
    work = with_persons.tables["employment"].select(columns).to_pandas()
    visits = pd.read_parquet(panel_file, columns=["CODUSU", "NRO_HOGAR", "ANO4", "TRIMESTRE", "PONDERA"])
    visits["household_id"] = visits["CODUSU"] + "-" + visits["NRO_HOGAR"].astype(str)
    visits["quarter"] = visits["ANO4"].astype(str) + "Q" + visits["TRIMESTRE"].astype(str)
    work["quarter"] = pd.to_datetime(work["occurred_on"]).dt.to_period("Q").astype(str)
    work = work.merge(visits, on=["household_id", "quarter"], validate="many_to_one")
    out_of_work = ~work["employed"].astype(bool) & work["seeking"].astype(bool)
    work["unemployed"] = work["PONDERA"] * out_of_work
    work["active"] = work["PONDERA"] * (work["employed"].astype(bool) | out_of_work)
    sums = work.groupby("quarter")[["unemployed", "active"]].sum()
    rates = (sums["unemployed"] / sums["active"])[list(UNEMPLOYED)]
    assert rates.to_dict() == pytest.approx(UNEMPLOYED, abs=0.001)


def test_persons_add_up_to_their_households(with_persons: PanelImport) -> None:
    members, households = (with_persons.tables[name].to_pandas() for name in ("members", "households"))
    here = members[members["in_household"].astype(bool)].groupby(["household_id", "occurred_on"]).size()
    profiles = households.set_index(["household_id", "occurred_on"])["n_members"]
    assert here.sort_index().eq(profiles.sort_index()).all()
    differing = with_persons.counts["visits whose persons' incomes do not add up to the household's"]
    answered = with_persons.counts["rows read"] - with_persons.counts["income not answered"]
    assert differing < answered / 10_000


def test_records_with_persons_are_sound(with_persons: PanelImport) -> None:
    records = Records.from_tables(with_persons.tables, with_persons.settings)
    assert {"members", "employment"} <= set(records.present)
