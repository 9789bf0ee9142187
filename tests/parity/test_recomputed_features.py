"""Every feature of the catalogue is what its line in the data dictionary says, computed in plain Python.

The county is a simulated one, made worse on purpose: late rows, corrections, accounts of several months that
overlap, bills of one day, missing values, moves between townships, a line that steps in the middle of a month.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.support.ascii import settings, tables
from tests.support.recompute import codes_of, feature_lines, key_of, recompute

from relapse_risk.datasets import simulate_county
from relapse_risk.features import build_features, catalogue
from relapse_risk.records import TABLES, Records
from relapse_risk.settings import ItemSettings, LineSettings, LineStep

AS_OF = (
    "2020-02-29",
    "2021-03-31",
    "2021-08-17",
    "2021-12-31",
    "2022-02-28",
    "2022-07-15",
    "2022-10-30",
    "2023-01-01",
)
PAIRS = 150
#: float32 keeps 24 bits; differences of sums lose a few.
RTOL, ATOL = 2e-5, 1e-6

LINE = LineSettings(
    months=12,
    steps=(
        LineStep(since=dt.date(2000, 1, 1), yuan=5000),
        LineStep(since=dt.date(2021, 5, 17), yuan=6500),
        LineStep(since=dt.date(2022, 3, 1), yuan=7100),
        LineStep(since=dt.date(2020, 11, 10), yuan=7300, area="T02"),
        LineStep(since=dt.date(2022, 6, 20), yuan=8200, area="T02"),
    ),
)
ITEMS = {name: ItemSettings(zh=name, en=name) for name in ("savings", "debt")}


class Worse:
    """Makes frames worse, with one seed."""

    def __init__(self, frames: Mapping[str, pd.DataFrame], seed: int) -> None:
        self.frames = {name: frame.copy() for name, frame in frames.items()}
        self.random = np.random.default_rng(seed)
        self.households = self.frames["households"]["household_id"].unique()

    def some(self, table: str, share: float) -> pd.Index:
        """Return the index of some rows."""
        frame = self.frames[table]
        return frame.index[self.random.random(len(frame)) < share]

    def put(self, table: str, column: str, share: float, values: list[Any]) -> None:
        """Put values in a column of some rows."""
        frame, rows = self.frames[table], self.some(table, share)
        put = pd.Series(self._pick(values, len(rows)), index=rows, dtype=frame[column].dtype)
        frame.loc[rows, column] = put

    def _pick(self, values: list[Any], n: int) -> list[Any]:
        return [values[number] for number in self.random.integers(0, len(values), n)]

    def add(self, table: str, n: int, first: str = "2018-01-01", **columns: list[Any]) -> None:
        """Add rows of random households and days, known up to 90 days later."""
        day = pd.Timestamp(first) + pd.to_timedelta(self.random.integers(0, 1900, n), unit="D")
        known = day + pd.to_timedelta(self.random.integers(0, 90, n), unit="D")
        fresh = pd.DataFrame(
            {"household_id": self.random.choice(self.households, n), "occurred_on": day, "known_on": known}
        )
        for column, values in columns.items():
            fresh[column] = pd.Series(self._pick(values, n), dtype=object)
        self.join(table, fresh)

    def join(self, table: str, fresh: pd.DataFrame) -> None:
        """Add rows to a table, or a table."""
        old = self.frames.get(table)
        if old is not None:
            fresh = fresh.reindex(columns=old.columns).astype(old.dtypes)
        self.frames[table] = pd.concat([old, fresh], ignore_index=True)

    def correct(self, table: str, share: float, columns: list[str]) -> None:
        """Correct some rows later: other values of the same column, under the same key."""
        frame = self.frames[table]
        fresh = frame.loc[self.some(table, share)].copy()
        fresh["known_on"] += pd.to_timedelta(self.random.integers(1, 300, len(fresh)), unit="D").as_unit("ms")
        for column in columns:
            fresh[column] = frame[column].sample(len(fresh), random_state=int(self.random.integers(1 << 30))).array
        self.join(table, fresh)

    def delay(self, table: str, share: float) -> None:
        """Let some rows come in late."""
        rows = self.some(table, share)
        late = pd.to_timedelta(self.random.integers(30, 400, len(rows)), unit="D").as_unit("ms")
        self.frames[table].loc[rows, "known_on"] += late

    def done(self) -> dict[str, pd.DataFrame]:
        """Return the frames, one row of a key and day known."""
        unique = {}
        for name, frame in self.frames.items():
            for column, described in TABLES[name].columns.items():
                if described.at_most:
                    over = frame[column] > frame[described.at_most]
                    frame.loc[over, column] = frame.loc[over, described.at_most]
            unique[name] = frame.drop_duplicates([*key_of(name), "known_on"]).reset_index(drop=True)
        return unique


def worse(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return frames in which every rule of the dictionary matters to some household."""
    w = Worse(frames, seed=11)

    w.put("households", "township_id", 0.3, ["T01", "T02", "T09", None])
    w.put("households", "line_units", 0.3, [1.5, 2.7, 4.1])
    w.put("households", "n_members", 0.05, [None])
    w.put("households", "n_disabled", 0.2, [0, 1, 2])
    for column in ("n_labour", "n_students", "n_chronic", "dibao", "housing_grade", "land_mu", "household_type"):
        w.put("households", column, 0.1, [None])
    w.put("households", "lifted_on", 0.3, [pd.Timestamp("2016-12-31"), pd.Timestamp("2019-06-30"), pd.NaT])
    w.correct("households", 0.3, ["n_members", "n_labour", "n_chronic", "township_id", "line_units"])

    w.put("visits", "clue_raised", 0.1, [True, None])
    for look in ("yard", "house", "cupboard", "tap", "health", "children"):
        w.put("visits", look, 0.3, [0, 1, 2, None, None])
    again = w.frames["visits"].loc[w.some("visits", 0.1)].copy()
    again["visit_id"] = again["visit_id"] + "-again"
    again["yard"], again["health"] = again["health"].array, again["yard"].array
    w.join("visits", again)
    w.correct("visits", 0.1, ["yard", "house", "occurred_on"])
    moved = w.frames["visits"]
    moved["known_on"] = moved[["known_on", "occurred_on"]].max(axis=1)

    incomes = w.frames["incomes"] = w.frames["incomes"].drop(index=w.some("incomes", 0.3)).reset_index(drop=True)
    w.put("incomes", "part", 0.3, [None])
    w.put("incomes", "months", 0.1, [1, 2, 3, 6, 12, 12, 18])
    incomes["amount_yuan"] *= incomes["months"].fillna(1).astype(float)
    middle = w.some("incomes", 0.05)
    incomes.loc[middle, "occurred_on"] -= pd.to_timedelta(15, unit="D")
    sources = ["wage", "wage", "business", "property", "transfer", "claim", "production_cost"]
    parts = ["pension", "dibao", "tekun", "social_relief", "crops", None, None]
    amounts = [0.0, 300.0, 1500.0, 9000.0, 40_000.0]
    w.add("incomes", 1500, source=sources, part=parts, amount_yuan=amounts, months=[None, 1, 3, 6, 12])
    w.correct("incomes", 0.1, ["amount_yuan", "months"])

    kinds = ["medical", "medical", "education", "housing", "other"]
    w.add(
        "expenses",
        600,
        kind=kinds,
        bill_id=["b1", "b2", None],
        total_yuan=[0.0, 900.0, 5000.0],
        reimbursed_yuan=[0.0, 500.0, None],
        self_paid_yuan=[0.0, 70.0, 4000.0, None],
    )
    again = w.frames["expenses"].loc[w.some("expenses", 0.3)].copy()
    again["bill_id"], again["self_paid_yuan"] = "b9", again["self_paid_yuan"] / 2
    w.join("expenses", again)
    w.put("expenses", "total_yuan", 0.1, [None])
    w.correct("expenses", 0.1, ["self_paid_yuan"])

    risks = [
        None,
        "illness",
        "illness,schooling",
        "disability,other",
        "natural_disaster,accident,industry_failure",
        "unstable_work,labour_shortage,unsafe_water",
        "schooling,accident",
    ]
    origins = ["registry", "income_account", "survey"]
    w.add("statuses", 500, poor=[True, False], origin=origins, risk_types=risks)
    again = w.frames["statuses"].loc[w.some("statuses", 0.4)].copy()
    again["origin"], again["poor"] = "survey", ~again["poor"]
    w.join("statuses", again)
    w.correct("statuses", 0.1, ["poor", "risk_types"])

    w.add("shocks", 600, kind=["illness", "accident", "disaster", "job_loss", "crop_failure", "market"])
    w.add("supports", 900, kind=codes_of("supports", "kind"), amount_yuan=[None, 0.0, 500.0, 12_000.0])
    supports = w.frames["supports"]
    lengths = pd.to_timedelta(w.random.choice([0, 30, 200, 700], len(supports)), unit="D").as_unit("ms")
    supports["ended_on"] = (supports["occurred_on"] + lengths).where(w.random.random(len(supports)) < 0.6)
    ends = w.some("supports", 0.3)
    supports.loc[ends, "ended_on"] = pd.Timestamp(AS_OF[5])
    supports.loc[supports["ended_on"] < supports["occurred_on"], "ended_on"] = pd.NaT
    w.correct("supports", 0.2, ["amount_yuan"])

    _worsen_persons(w)

    w.add("observations", 1200, item=list(ITEMS), value=[0.0, 1.0, 2.5, None])
    w.frames["observations"]["value"] = w.frames["observations"]["value"].astype(float)
    w.correct("observations", 0.2, ["value"])
    for table in w.frames:
        if table != "grids":
            w.delay(table, 0.1)
    return w.done()


def _worsen_persons(w: Worse) -> None:
    people = ["p1", "p2", "p3", "p10"]
    w.add(
        "employment",
        2500,
        person_id=people,
        employed=[True, True, True, False],
        wage_yuan=[None, 0.0, 800.0, 4000.0, 4000.0],
        workplace=["township", "county", "province", "other_province", "other", None],
    )
    w.put("employment", "employed", 0.2, [True, False])
    w.put("employment", "wage_yuan", 0.1, [None])
    w.put("employment", "one_off_yuan", 0.5, [0.0, 500.0])
    w.put("employment", "industry", 0.8, [*codes_of("employment", "industry"), "domestic", "construction"])
    for column in ("work_status", "contract"):
        w.put("employment", column, 0.8, codes_of("employment", column))
    w.put("employment", "formal", 0.8, [True, False])
    w.put("employment", "months_worked", 0.8, [0.0, 3.5, 12.0])
    w.put("employment", "hours_week", 0.8, [0.0, 20.0, 44.0])
    w.put("employment", "seeking", 0.8, [True, False])
    jobs = w.frames["employment"]
    for column, share in (("started_on", 0.7), ("seeking_since", 0.6)):
        length = pd.to_timedelta(w.random.choice([0, 20, 364, 365, 900], len(jobs)), unit="D").as_unit("ms")
        jobs[column] = (jobs["occurred_on"] - length).where(w.random.random(len(jobs)) < share)
    length = pd.to_timedelta(w.random.choice([0, 20, 183, 300], len(jobs)), unit="D").as_unit("ms")
    jobs["ended_on"] = (jobs["occurred_on"] + length).where(w.random.random(len(jobs)) < 0.6)
    w.correct("employment", 0.1, ["employed", "wage_yuan", "workplace", "formal", "contract"])

    born = [pd.Timestamp(day) for day in ("2016-02-01", "2015-08-01", "2004-01-01", "1962-07-01", "1985-05-01")]
    coded = {
        column: [None, *codes_of("members", column)]
        for column in ("relation", "sex", "schooling", "at_school", "labour_skill")
    }
    w.add(
        "members",
        1500,
        person_id=people,
        in_household=[True, None, None, False],
        birth_month=[*born, None],
        health=[None, "healthy", "chronic", "chronic,disabled", "major_illness,chronic"],
        insurance=[None, "none", "resident_medical", "resident_medical,resident_pension", "employee_pension"],
        first="2018-01-01",
        **coded,
    )
    w.frames["members"]["birth_month"] = pd.to_datetime(w.frames["members"]["birth_month"])
    w.put("members", "relation", 0.3, ["head"])
    w.correct("members", 0.2, ["in_household", "relation", "schooling", "health"])


@pytest.fixture(scope="module")
def county() -> Records:
    """A county of every trouble."""
    simulated, _ = simulate_county(150, 40, 5)
    settings = simulated.settings.model_copy(
        update={"line": LINE, "items": ITEMS, "data": simulated.settings.data.model_copy(update={"end": None})}
    )
    return Records.from_frames(worse({name: simulated.frame(name) for name in sorted(simulated.present)}), settings)


@pytest.fixture(scope="module")
def index(county: Records) -> pd.MultiIndex:
    """Some households and days; each day comes about as often."""
    households = county.frame("households")["household_id"].unique()
    random = np.random.default_rng(7)
    days = np.resize(pd.to_datetime(list(AS_OF)), PAIRS)
    pairs = zip(random.choice(households, PAIRS, replace=False), days, strict=True)
    return pd.MultiIndex.from_tuples(sorted(pairs), names=["household_id", "as_of"])


def of(county: Records, horizon: int, *, is_complete: bool) -> Records:
    """Return the county under other settings."""
    old = county.settings
    settings = old.model_copy(
        update={
            "outcome": old.outcome.model_copy(update={"horizon_months": horizon}),
            "data": old.data.model_copy(update={"accounts_complete": is_complete}),
        }
    )
    return county.with_settings(settings)


def differences(got: pd.DataFrame, expected: pd.DataFrame, lines: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return in words where features are not what the dictionary says."""
    found = []
    for name in map(str, got):
        if lines[name]["codes"]:
            pairs = zip(got[name].astype(object), expected[name], strict=True)
            differ = np.array([not (a == b or (pd.isna(a) and b is None)) for a, b in pairs])
        else:
            one, other = (frame[name].to_numpy(float) for frame in (got, expected))
            differ = ~np.isclose(one, other, rtol=RTOL, atol=ATOL, equal_nan=True)
        at = np.flatnonzero(differ)
        if len(at):
            household, as_of = expected.index[at[0]]
            line = {word: text for word, text in lines[name].items() if text and word not in ("zh", "en")}
            found.append(
                f"{name}: {len(at)} differ, the first of {household} on {as_of:%Y-%m-%d}: "
                f"{got[name].iloc[at[0]]!r}, by the dictionary {expected[name].iloc[at[0]]!r}\n    {line}"
            )
    return found


@pytest.mark.parametrize("is_complete", [False, True], ids=["accounts not complete", "accounts complete"])
def test_every_feature_is_what_its_line_of_the_dictionary_says(
    county: Records, index: pd.MultiIndex, is_complete: bool
) -> None:
    counties = [of(county, horizon, is_complete=is_complete) for horizon in (6, 12)]
    lines = [feature_lines(records.settings) for records in counties]
    found = []
    for records, of_horizon, expected in zip(counties, lines, recompute(counties[0], index, *lines), strict=True):
        features = build_features(records, index, catalogue(records.settings))
        assert set(features) == set(expected)
        found += differences(features, expected, of_horizon)
    assert not found, f"{len(found)} features differ:\n" + "\n".join(found)


def test_a_correction_to_fewer_months_gives_back_the_months_it_no_longer_covers() -> None:
    records = Records.from_tables(
        tables(
            """
            households
            | household_id | occurred_on | n_members |
            | h            | 2019-01-01  | 1         |
            visits
            | household_id | occurred_on |
            | h            | 2019-01-02  |
            statuses
            | household_id | occurred_on | poor |
            | h            | 2019-01-02  | no   |
            incomes
            | household_id | occurred_on | known_on   | source | amount_yuan | months |
            | h            | 2022-02-28  | 2022-02-28 | wage   | 1000        |        |
            | h            | 2022-03-31  | 2022-03-31 | wage   | 1000        |        |
            | h            | 2022-04-30  | 2022-04-30 | wage   | 1000        |        |
            | h            | 2022-05-31  | 2022-06-01 | wage   | 800         | 4      |
            | h            | 2022-05-31  | 2022-06-10 | wage   | 800         | 1      |
            """
        ),
        settings(),
    )
    index = pd.MultiIndex.from_arrays([["h", "h"], pd.to_datetime(["2022-06-05", "2022-06-15"])])
    index.names = ["household_id", "as_of"]
    got = build_features(records, index, catalogue(records.settings))
    np.testing.assert_allclose(got["net_mean_12m"], [0.2, 0.95])


def test_every_feature_of_the_dictionary_is_in_the_catalogue(county: Records) -> None:
    lines = feature_lines(county.settings).values()
    assert {line["name"] for line in lines if line["feature"] == "True"} == {
        f.name for f in catalogue(county.settings)
    }


def test_every_feature_is_exercised(county: Records, index: pd.MultiIndex) -> None:
    """A feature of one value, or always missing, would be compared in vain."""
    records = of(county, 6, is_complete=False)
    got = build_features(records, index, catalogue(records.settings))
    assert [name for name in got if got[name].nunique() < 2] == []
