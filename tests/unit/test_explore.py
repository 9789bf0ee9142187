"""Tables to look at before anything is learned: contents, missing values, delays, rates, a household's history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.support.small import Small, small_county

from relapse_risk import Records, attrition, build_features, catalogue, cohort, labels
from relapse_risk.errors import NotFoundError, UsageError
from relapse_risk.explore import (
    columns_of,
    delays,
    missingness,
    outcomes_by_date,
    outcomes_by_value,
    rows_by_month,
    timeline,
)
from relapse_risk.explore.rates import wilson
from relapse_risk.features.derive import LOOKS
from relapse_risk.labelling import label_counts
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import LineSettings, LineStep, Settings

DAY = dt.date.fromisoformat


def profile(household: str = "h1", **more: object) -> dict[str, object]:
    row = {
        "household_id": household,
        "occurred_on": DAY("2020-01-01"),
        "known_on": DAY("2020-01-01"),
        "grid_id": "g",
    }
    return {**row, "household_type": "lifted", "n_members": 4, "n_labour": 2, **more}


def county(*, with_line: bool = True, **tables: list[dict[str, object]]) -> Records:
    """Return records with a line of 1,200 yuan a head and year, 2,400 from 2022 on."""
    steps = (LineStep(since=DAY("2015-01-01"), yuan=1200), LineStep(since=DAY("2022-01-01"), yuan=2400))
    given: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("households", "visits", "incomes", "statuses")
    } | tables
    frames = {name: pa.Table.from_pylist(rows, arrow_schema(TABLES[name])) for name, rows in given.items()}
    return Records.from_tables(frames, Settings(line=LineSettings(steps=steps) if with_line else LineSettings()))


def event(occurred: str, known: str, **more: object) -> dict[str, object]:
    return {"household_id": "h1", "occurred_on": DAY(occurred), "known_on": DAY(known), **more}


def income(occurred: str, known: str, yuan: float, source: str = "wage", **more: object) -> dict[str, object]:
    return event(occurred, known, source=source, amount_yuan=yuan, **more)


def test_a_share_missing_is_of_the_rows_of_its_period_and_a_period_without_rows_has_none() -> None:
    visits = [
        event("2020-05-01", "2020-05-01", visit_id="a", yard=0),
        event("2020-06-01", "2020-06-01", visit_id="b"),
        event("2022-01-01", "2022-01-01", visit_id="c", yard=1),
    ]
    shares: Any = missingness(county(households=[profile()], visits=visits))
    assert list(shares.columns) == ["all", "2020", "2021", "2022"]
    yard: Any = shares.loc[("visits", "yard")]
    assert yard["all"] == pytest.approx(1 / 3)
    assert yard["2020"] == 0.5
    assert np.isnan(yard["2021"])
    assert yard["2022"] == 0.0
    assert ("visits", "visit_id") not in shares.index  # may never be missing
    assert list(missingness(county(households=[profile()], visits=visits), "quarter").columns[:3]) == [
        "all",
        "2020Q1",
        "2020Q2",
    ]
    monthly: Any = missingness(county(households=[profile()], visits=visits), "month")
    assert monthly.columns[-1] == "2022-01"
    assert monthly.loc[("visits", "yard"), "2020-06"] == 1.0


def test_missingness_of_nothing_is_an_empty_table_and_an_unknown_period_is_refused() -> None:
    assert missingness(county()).empty
    with pytest.raises(UsageError, match="'year', 'quarter', 'month'"):
        missingness(county(), "week")  # type: ignore[arg-type]


def test_columns_say_what_they_hold_and_never_an_id() -> None:
    incomes = [income("2021-01-31", "2021-02-01", 100), income("2021-02-28", "2021-03-01", 300, "transfer")]
    incomes.append(income("2021-03-31", "2021-04-01", 200))
    statuses = [
        event("2021-01-01", "2021-01-01", poor=True, origin="registry", risk_types="illness,schooling"),
        event("2021-02-01", "2021-02-01", poor=False, origin="registry"),
    ]
    records = county(households=[profile()], incomes=incomes, statuses=statuses)
    held = columns_of(records, "incomes")["holds"]
    assert held["household_id"] == "1 different"
    assert held["source"] == "wage 工资性收入 67%, transfer 转移性收入 33%"
    assert held["amount_yuan"] == "100 | 200 | 300"
    assert held["occurred_on"] == "2021-01-31 | 2021-02-28 | 2021-03-31"
    of_status: Any = columns_of(records, "statuses")
    assert of_status.loc["poor", "holds"] == "true 50%"
    assert of_status.loc["risk_types", "holds"] == "illness 因病 100%, schooling 因学 100%"
    assert of_status.loc["risk_types", "missing"] == 0.5
    assert "h1" not in columns_of(records, "incomes").to_csv()


def test_rows_are_counted_by_the_month_they_occurred_in_and_a_gap_is_zero() -> None:
    visits = [event(day, "2021-04-01", visit_id=day) for day in ("2021-01-05", "2021-01-20", "2021-03-31")]
    found: Any = rows_by_month(county(households=[profile()], visits=visits))
    assert found["visits"].to_dict() == {
        pd.Timestamp("2021-01-01"): 2,
        pd.Timestamp("2021-02-01"): 0,
        pd.Timestamp("2021-03-01"): 1,
    }
    assert list(found) == ["visits"]
    assert rows_by_month(county(households=[profile()])).empty


def test_delays_are_days_from_happening_to_being_known() -> None:
    visits = [
        event("2021-01-01", known, visit_id=known)
        for known in ("2021-01-01", "2021-01-03", "2021-01-11", "2021-02-10")
    ]
    found: Any = delays(county(households=[profile()], visits=visits)).loc["visits"]
    assert found.to_dict() == {"rows": 4, "median": 2, "p90": 40, "longest": 40, "late": 0.25}


def test_the_intervals_are_those_of_a_published_table() -> None:
    """Wilson's interval without continuity correction: Newcombe 1998, table I, method 3."""
    low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)
    assert np.isnan(wilson([0], [0])[0]).all()


def test_outcomes_by_date_add_up_to_the_label_counts(small: Small) -> None:
    days = [dt.date(2020, 11, 1), dt.date(2021, 5, 1), small.as_of]
    index = cohort(small.records, days, purpose="train")
    found: Any = outcomes_by_date(labels(small.records, index))
    counts = label_counts(small.records, index)
    assert found["poor"].sum() == counts["positive"] > 0
    assert found["labelled"].sum() == counts["positive"] + counts["negative"]
    left = attrition(small.records, days, purpose="train").groupby("as_of")["left"].min()
    assert found["households"].tolist() == left.tolist()
    assert found["rate"].iloc[0] == found["poor"].iloc[0] / found["labelled"].iloc[0]
    assert np.isnan(found["rate"].iloc[-1])  # the horizon of the records' end is not over


def test_outcomes_by_value_put_every_row_in_its_group() -> None:
    values = pd.Series([1.0, 2.0, 3.0, 4.0, np.nan, 2.0])
    truth = pd.Series([True, False, True, pd.NA, True, True], dtype="boolean")
    found: Any = outcomes_by_value(values, truth, groups=2)
    assert found["households"].to_dict() == {"1 to 2": 1, "2 to 4": 4, "missing": 1}
    assert found["labelled"].to_dict() == {"1 to 2": 1, "2 to 4": 3, "missing": 1}
    assert found["poor"].to_dict() == {"1 to 2": 1, "2 to 4": 2, "missing": 1}
    few: Any = outcomes_by_value(values, truth, groups=4)
    assert list(few.index) == ["1", "2", "3", "4", "missing"]
    assert few.loc["4", "labelled"] == 0
    assert np.isnan(few.loc["4", "rate"])
    kind = pd.Series(pd.Categorical(["b", "a", None, "b", "a", "a"], categories=["b", "a", "c"]))
    assert outcomes_by_value(kind, truth)["households"].to_dict() == {"b": 2, "a": 3, "missing": 1}
    with pytest.raises(UsageError, match="different rows"):
        outcomes_by_value(values, truth.iloc[::-1])


@pytest.mark.parametrize("groups", [3, 10])
def test_groups_of_numbers_are_about_equal_and_in_order(groups: int) -> None:
    rng = np.random.default_rng(0)
    values = pd.Series(rng.normal(size=1_000))
    found: Any = outcomes_by_value(values, pd.Series(np.full(1_000, False), dtype="boolean"), groups)
    assert len(found) == groups
    assert found["households"].between(1_000 // groups - 2, 1_000 // groups + 2).all()
    lowest = [float(name.split(" to ")[0]) for name in found.index]
    assert lowest == sorted(lowest)


def test_a_history_holds_the_latest_version_known_and_nothing_of_another_household() -> None:
    records = county(
        households=[profile(lifted_on=DAY("2019-12-31")), profile("h2")],
        incomes=[
            income("2021-01-31", "2021-02-10", 500),
            income("2021-01-31", "2021-03-10", 700),  # corrected
            income("2021-01-31", "2021-02-10", 200, "production_cost"),
            {**income("2021-01-31", "2021-02-10", 9_999), "household_id": "h2"},
        ],
        shocks=[event("2021-01-15", "2021-01-20", kind="illness")],
        supports=[event("2021-02-01", "2021-02-05", kind="health", amount_yuan=300.0)],
        expenses=[event("2021-01-20", "2021-02-02", kind="medical", self_paid_yuan=450.0)],
        members=[
            event(
                "2021-01-01",
                known,
                person_id="p1",
                relation="spouse",
                sex="female",
                health=health,
                birth_month=DAY("1970-05-01"),
            )
            for known, health in (("2021-01-02", "healthy"), ("2021-01-20", "chronic,disabled"))
        ],
        employment=[
            event("2021-02-10", "2021-02-20", person_id="p1", employed=True, workplace="county", wage_yuan=900.0)
        ],
    )
    history = timeline(records, "h1")
    of: Any = dict(iter(history.groupby("track")))
    assert of["income"].set_index("kind")["value"].to_dict() == {"wage": 700.0, "production_cost": -200.0}
    assert of["lifted"]["occurred_on"].tolist() == [pd.Timestamp("2019-12-31")]
    assert of["shock"]["zh"].tolist() == ["疾病"]
    assert of["support"]["zh"].tolist() == ["健康帮扶 300元"]
    assert of["support"]["until"].isna().all()
    assert of["expense"]["en"].tolist() == ["medical, self-paid, 450 yuan"]
    assert of["member"]["zh"].tolist() == ["配偶 女 1970-05生 长期慢性病 残疾"]
    assert of["member"]["en"].tolist() == ["spouse, female, born 1970-05, a chronic illness, a disability"]
    job: Any = of["job"].iloc[0]
    assert (job["person_id"], job["value"], job["zh"]) == ("p1", 900.0, "务工 乡外县内 900元")
    assert job["until"] == pd.Timestamp("2021-02-28")
    assert history["occurred_on"].is_monotonic_increasing

    before = timeline(records, "h1", as_of="2021-03-01")
    wage = before[(before["track"] == "income") & (before["kind"] == "wage")]
    assert wage["value"].tolist() == [500.0]  # the correction had not come in


def test_a_history_spreads_a_years_account_and_follows_the_line_and_the_members() -> None:
    records = county(
        households=[
            profile(n_members=4),
            profile(n_members=5, occurred_on=DAY("2022-03-01"), known_on=DAY("2022-03-05")),
        ],
        incomes=[
            income("2021-12-31", "2022-01-05", 12_000, "business", months=12),
            income("2022-04-30", "2022-05-20", 1.0),
        ],
    )
    history = timeline(records, "h1")
    spread = history[(history["track"] == "income") & (history["kind"] == "business")]
    assert spread["value"].tolist() == [1_000.0] * 12
    assert spread["occurred_on"].iloc[0] == pd.Timestamp("2021-01-01")
    line: Any = history[history["track"] == "line"].set_index("occurred_on")["value"]
    assert line["2021-12-01"] == 400.0  # 4 members, 100 yuan a month
    assert line["2022-01-01"] == 800.0
    assert line["2022-03-01"] == 1_000.0


def test_without_a_line_a_history_has_neither_line_nor_balance() -> None:
    visits = [event("2021-01-05", "2021-01-05", visit_id="a", yard=0)]
    history = timeline(county(with_line=False, households=[profile()], visits=visits), "h1")
    assert set(history["track"]) == {"profile", "visit"}


def test_the_balance_in_a_history_is_the_feature_that_a_county_judges_by() -> None:
    records = small_county(households=60, months=30)
    household = records.table("incomes")["household_id"][0].as_py()
    history = timeline(records, household).set_index("occurred_on")
    balance = history.loc[history["track"] == "balance", "value"]
    line: Any = history.loc[history["track"] == "line", "value"]
    assert len(balance) >= 12
    index = pd.MultiIndex.from_product([[household], balance.index], names=["household_id", "as_of"])
    feature = [f for f in catalogue() if f.name == "balance_12m"]
    expected = build_features(records, index, feature)["balance_12m"].to_numpy() * line[balance.index].to_numpy()
    np.testing.assert_allclose(balance.to_numpy(), expected, rtol=1e-6)


def test_a_history_has_each_look_of_each_visit_and_says_what_was_not_looked_at() -> None:
    visits = [event("2021-01-05", "2021-01-05", visit_id="a", yard=0, health=2, clue_raised=True)]
    history = timeline(county(households=[profile()], visits=visits), "h1")
    grades: Any = history[history["track"] == "visit"].set_index("kind")
    assert set(grades.index) == set(LOOKS)
    assert grades.loc["health", "zh"] == "看健康:严重"
    assert grades.loc["tap", "en"] == "the tap (water): not looked at"
    assert np.isnan(grades.loc["tap", "value"])
    assert (history["track"] == "clue").sum() == 1


def test_a_household_that_is_not_there_is_refused_without_its_id() -> None:
    with pytest.raises(NotFoundError, match="no household of this id") as caught:
        timeline(county(households=[profile()]), "secret-17")
    assert "secret" not in str(caught.value)
    with pytest.raises(NotFoundError):
        timeline(county(households=[profile()]), "h1", as_of="2019-01-01")


def test_a_history_says_when_a_member_left() -> None:
    members = [
        event("2020-01-01", "2020-01-01", person_id="p", relation="child", in_household=True),
        event("2021-06-01", "2021-06-03", person_id="p", relation="child", in_household=False),
    ]
    history = timeline(county(households=[profile()], members=members), "h1")
    shown = history[history["track"] == "member"]
    assert shown["en"].tolist() == ["son or daughter", "son or daughter, left the household"]
    assert shown["zh"].tolist() == ["子女", "子女 已不在户"]
