"""Whatever is made for a day stays what it was when later records come in."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from tests.support.small import model_of, save, small_county

from relapse_risk import Records, RelapseModel, attrition, build_features, cohort, label_counts, labels, load_model
from relapse_risk.features.catalogue import catalogue
from relapse_risk.labelling import matures_on
from relapse_risk.model.bundle import Bundle
from relapse_risk.records.tables import TABLES
from relapse_risk.scoring.ranking import ranked
from relapse_risk.settings import CohortSettings
from relapse_risk.training import evaluate as judging
from relapse_risk.training.baselines import Baseline
from relapse_risk.training.dataset import Dataset, make_dataset
from relapse_risk.training.evaluate import predictions_after, predictions_at_origins
from relapse_risk.training.splits import RollingOrigin, mature_dates

#: The model learns from what was known before this day, and is judged at these dates.
UNTIL = dt.date(2021, 10, 1)
JUDGED = (dt.date(2021, 11, 1), dt.date(2022, 1, 1))


@pytest.fixture(scope="module")
def later() -> Records:
    """Three years of a county."""
    return small_county(households=300, months=36, seed=5)


@pytest.fixture(scope="module")
def earlier(later: Records) -> Records:
    """The same county when nothing after September 2022 had come in: the rows themselves are gone."""
    end = dt.date(2022, 10, 1)
    tables = {name: later.visible(end).table(name) for name in TABLES}
    return Records.from_tables(tables, with_end(later, end).settings)


@pytest.fixture(scope="module")
def bundle(later: Records, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A model that learned from what was known before ``UNTIL``."""
    seen = later.visible(UNTIL)
    data = make_dataset(seen, mature_dates(seen), catalogue(seen.settings, seen.present))
    folder = tmp_path_factory.mktemp("models")
    return load_model(folder / save(model_of(seen, data), seen.settings, UNTIL, folder))


def with_end(records: Records, end: dt.date) -> Records:
    data = records.settings.data.model_copy(update={"end": end})
    return records.with_settings(records.settings.model_copy(update={"data": data}))


@pytest.mark.parametrize(
    "made",
    [
        lambda records, _: build_features(records, cohort(records, JUDGED)),
        lambda records, _: cohort(records, JUDGED).to_frame(),
        lambda records, _: cohort(records, JUDGED, purpose="train").to_frame(),
        lambda records, _: attrition(records, JUDGED),
        lambda records, _: labels(records, cohort(records, JUDGED)).to_frame(),
        lambda records, _: pd.Series(label_counts(records, cohort(records, JUDGED))).to_frame(),
        lambda records, bundle: bundle.score(records, as_of=JUDGED),
        lambda records, bundle: ranked(bundle, records, JUDGED[0]),
        lambda records, bundle: predictions_after(bundle, records, start=JUDGED[0], end=JUDGED[1]),
    ],
    ids=["features", "cohort", "train", "attrition", "labels", "label counts", "scores", "ranked", "predictions"],
)
def test_later_records_change_nothing(
    earlier: Records, later: Records, bundle: Bundle, made: Callable[[Records, Bundle], pd.DataFrame]
) -> None:
    assert later.table("visits").num_rows > earlier.table("visits").num_rows
    then, now = made(earlier, bundle), made(later, bundle)
    assert len(then) > 1
    pd.testing.assert_frame_equal(then, now, check_exact=True)


def test_a_household_that_moves_is_in_the_grid_known_at_the_time(later: Records, bundle: Bundle) -> None:
    day = JUDGED[0]
    before = ranked(bundle, later, day)
    mover = before["household_id"].iloc[0]
    profiles = later.frame("households")
    moved = profiles[profiles["household_id"] == mover].tail(1).assign(
        occurred_on=pd.Timestamp(day), known_on=pd.Timestamp(day), grid_id=before["grid_id"].iloc[-1],
        village_id=before["village_id"].iloc[-1], township_id=before["township_id"].iloc[-1],
    )  # fmt: skip
    frames: dict[str, Any] = {name: later.table(name) for name in TABLES}
    frames["households"] = pa.Table.from_pandas(pd.concat([profiles, moved]), preserve_index=False)
    records = Records.from_tables(frames, later.settings)
    pd.testing.assert_frame_equal(ranked(bundle, records, day), before, check_exact=True)
    after = ranked(bundle, records, day + dt.timedelta(days=1)).set_index("household_id")
    assert after.loc[mover, "grid_id"] == before["grid_id"].iloc[-1] != before["grid_id"].iloc[0]


class _Noted(Baseline):
    """Notes the rows it learns from, and gives them no score of worth."""

    name = "noted"

    def __init__(self) -> None:
        self.rows: list[pd.Index[Any]] = []

    def fit(self, data: Dataset, rows: npt.NDArray[np.bool_]) -> _Noted:
        self.rows.append(data.X.index[rows])
        return self

    def score(self, data: Dataset, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:  # noqa: ARG002
        return np.zeros(int(rows.sum()))


class _NotedModel(RelapseModel):
    rows: list[tuple[str, pd.MultiIndex]] = []  # noqa: RUF012

    def fit(self, X: Any, y: Any, *, scored: Any = None, sample_weight: Any = None) -> _NotedModel:
        self.rows.append(("fit", X.index))
        super().fit(X, y, scored=scored, sample_weight=sample_weight)
        return self

    def fit_trees(self, X: Any, y: Any, *, sample_weight: Any = None) -> _NotedModel:
        self.rows.append(("fit_trees", X.index))
        super().fit_trees(X, y, sample_weight=sample_weight)
        return self


def _lifted_only(records: Records) -> Records:
    """Learn from households that were poor before, and score every household."""
    rules = CohortSettings(previously_poor_only=False, train_on="cohort")
    return records.with_settings(records.settings.model_copy(update={"cohort": rules}))


def test_at_each_origin_everyone_learns_from_the_rows_to_learn_from_and_no_others(
    later: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = _lifted_only(later)
    dates = mature_dates(records)
    data = make_dataset(records, dates, catalogue(records.settings, records.present))
    assert 0 < data.to_train.sum() < data.in_cohort.sum()
    noted = _Noted()
    monkeypatch.setattr(judging, "baselines", lambda _: [noted])
    _NotedModel.rows.clear()
    origin = RollingOrigin(tuple(dates[:3]), dates[-1])
    predictions = predictions_at_origins(
        data, [origin], lambda: _NotedModel(n_trees=3, n_boosters=1, n_threads=1, outcome=records.settings.outcome)
    )
    expected = cohort(records, origin.train, purpose="train")
    expected = expected[labels(records, expected).notna().to_numpy()]
    for rows in (*noted.rows, *(index for _, index in _NotedModel.rows)):
        assert set(rows) == set(expected)
    assert {kind for kind, _ in _NotedModel.rows} == {"fit", "fit_trees"}
    assert set(predictions["household_id"]) == set(
        data.X.index[data.on([origin.test])].get_level_values("household_id")
    )


def test_judged_later_baselines_learn_only_from_what_was_known_when_the_model_was_trained(
    later: Records, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = _lifted_only(later)
    bundle = dataclasses.replace(bundle, settings=records.settings)
    noted = _Noted()
    monkeypatch.setattr(judging, "baselines", lambda _: [noted])
    predictions_after(bundle, records, start=JUDGED[0], end=JUDGED[1])
    seen = records.visible(UNTIL)
    expected = cohort(seen, mature_dates(seen), purpose="train")
    expected = expected[labels(seen, expected).notna().to_numpy()]
    (rows,) = noted.rows
    assert set(rows) == set(expected)


def test_a_date_is_judged_from_the_day_its_label_is_mature(later: Records, bundle: Bundle) -> None:
    first, last = JUDGED
    mature = matures_on(last, later.settings.outcome)
    on = predictions_after(bundle, later.visible(mature), start=first, end=last)
    assert sorted(set(on["as_of"].dt.date)) == [first, last]
    assert on.attrs["skipped"] == {}
    eve = mature - dt.timedelta(days=1)
    before = predictions_after(bundle, later.visible(eve), start=first, end=last)
    assert set(before["as_of"].dt.date) == {first}
    assert before.attrs["skipped"] == {last.isoformat(): f"not mature before the records' end ({eve})"}
