"""Probabilities: what their shape and their level are learned from."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.base import clone

from relapse_risk.model.calibration import SigmoidCalibrator, Timing, fit_sigmoid, newest_level
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.model.split import FEWEST_OF_A_CLASS, LATER, OTHER_HOUSEHOLDS, calibration_splits, label_timing
from relapse_risk.settings import OutcomeSettings

OUTCOME = OutcomeSettings(horizon_months=6, reporting_lag_days=30)


def pairs(dates: list[dt.date], households: int) -> pd.MultiIndex:
    """Every household on every date."""
    ids = [f"h{k:04d}" for k in range(households)]
    return pd.MultiIndex.from_product([ids, pd.to_datetime(dates)], names=["household_id", "as_of"])


def rounds(n: int, months: int = 2) -> list[dt.date]:
    return [day.date() for day in pd.date_range("2020-01-01", periods=n, freq=pd.DateOffset(months=months))]


@given(
    n_dates=st.integers(4, 24),
    months=st.integers(1, 4),
    horizon=st.integers(1, 13),
    lag=st.integers(0, 90),
    share=st.floats(0.05, 0.6),
)
def test_the_trees_behind_the_sigmoid_learn_no_label_that_was_not_settled_by_its_first_date(
    n_dates: int, months: int, horizon: int, lag: int, share: float
) -> None:
    dates = rounds(n_dates, months)
    index = pairs(dates, 100)
    y = np.arange(len(index)) % 2 == 0
    outcome = OutcomeSettings(horizon_months=horizon, reporting_lag_days=lag)
    splits, kind = calibration_splits(index, y, outcome, share=share, seed=0)
    if kind != LATER:
        return
    (split,) = splits
    days = pd.DatetimeIndex(index.get_level_values("as_of"))
    first = days[split.test].min()
    settled = days[split.train].max() + pd.DateOffset(months=horizon) + pd.Timedelta(days=lag)
    assert settled <= first
    assert set(split.test) == set(np.flatnonzero(days >= first)), "every later row is calibrated on"
    usable = days + pd.DateOffset(months=horizon) + pd.Timedelta(days=lag) <= first
    assert set(split.train) == set(np.flatnonzero(usable)), "nothing settled is left out"
    assert len(split.test) >= share * len(index) - 1e-9
    assert (days > first).mean() < share, "no more than the share asks for"


def test_immature_labels_by_hand() -> None:
    """Calibrated from 2021-03-01 on: 2020-07-01 is settled on 2021-01-31, 2020-09-01 only on 2021-03-31."""
    dates = rounds(10)
    assert dates[-3] == dt.date(2021, 3, 1)
    index = pairs(dates, 100)
    (split,), kind = calibration_splits(index, np.arange(len(index)) % 2 == 0, OUTCOME, share=0.3, seed=0)
    days = pd.DatetimeIndex(index.get_level_values("as_of")).date
    assert kind == LATER
    assert min(days[split.test]) == dt.date(2021, 3, 1)
    assert max(days[split.train]) == dt.date(2020, 7, 1)


def test_without_enough_later_positives_the_sigmoid_is_learned_on_other_households() -> None:
    index = pairs(rounds(10), 100)
    y = np.zeros(len(index), bool)
    y[index.get_level_values("as_of") <= "2020-05-01"] = np.arange(300) % 2 == 0
    late = np.flatnonzero(index.get_level_values("as_of") >= "2021-05-01")
    y[late[: FEWEST_OF_A_CLASS - 1]] = True
    splits, kind = calibration_splits(index, y, OUTCOME, share=0.2, seed=0)
    assert kind == OTHER_HOUSEHOLDS
    ids = index.get_level_values("household_id")
    for split in splits:
        assert not set(ids[split.train]) & set(ids[split.test])


def at_once(n: int) -> Timing:
    """Labels of one day, and scores made from then on."""
    return Timing(np.zeros(n), 0.0)


def test_the_number_foreseen_becomes_the_number_that_came_true() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-1.0, 1.5, 400_000)
    y = rng.random(len(log_odds)) < expit(log_odds - 1.2)  # it came true far less often than foreseen
    shift = newest_level(log_odds, y, at_once(len(y)))
    assert expit(log_odds + shift).sum() == pytest.approx(y.sum(), rel=0.002)
    assert expit(log_odds).sum() > 1.5 * y.sum()


def test_a_shift_moves_probabilities_and_not_their_order() -> None:
    raw = np.linspace(-3, 3, 50)
    sigmoid = SigmoidCalibrator(slope=-0.8, intercept=0.5)
    moved = sigmoid.shifted(0.3)
    assert moved.log_odds(raw) == pytest.approx(sigmoid.log_odds(raw) + 0.3)
    assert moved(raw) == pytest.approx(expit(moved.log_odds(raw)))
    assert (np.diff(moved(raw)) > 0).all()


@pytest.mark.parametrize("positives", [1, 10, 30, 300])
def test_few_positives_move_the_level_little(positives: int) -> None:
    """Of the whole move, ``positives / (positives + 30)`` is made."""
    y = np.arange(1000) < positives
    whole = np.log(positives / (1000 - positives))
    assert newest_level(np.zeros(1000), y, at_once(1000)) == pytest.approx(
        whole * positives / (positives + 30), rel=1e-4
    )


@pytest.mark.parametrize("y", [np.zeros(50, bool), np.ones(50, bool), np.zeros(0, bool)])
def test_one_class_alone_moves_nothing(y: npt.NDArray[np.bool_]) -> None:
    assert newest_level(np.zeros(len(y)), y, at_once(len(y))) == 0.0


def test_the_newest_labels_count_most() -> None:
    assert Timing(np.array([0.0, 1.0, 2.0]), 0.0).weights.tolist() == [1.0, 0.25, 0.0625]
    age = np.repeat([0.0, 1.0], 20_000)
    rate = np.where(age == 0.0, 0.1, 0.4)
    y = np.tile(np.arange(20_000) / 20_000, 2) < rate
    newest = expit(newest_level(np.zeros(len(y)), y, Timing(age, 0.0)))
    oldest = expit(newest_level(np.zeros(len(y)), y, Timing(1.0 - age, 0.0)))
    assert newest < 0.15
    assert oldest > 0.35


def _rows(rates: list[float], rows: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Labels of one date every half year, the newest first, with these rates."""
    y = np.concatenate([np.arange(rows) < rate * rows for rate in rates])
    return y, np.repeat(np.arange(len(rates)) / 2, rows)


def test_a_drift_that_many_labels_show_is_carried_on_until_scores_are_made() -> None:
    """Log-odds fall by 0.4 a year: half a year after the newest label they are lower by another 0.2."""
    rates = [float(expit(-2.0 + 0.2 * k)) for k in range(6)]
    y, age = _rows(rates, 100_000)
    level = newest_level(np.zeros(len(y)), y, Timing(age, 0.0))
    later = newest_level(np.zeros(len(y)), y, Timing(age, 0.5))
    assert level == pytest.approx(-2.0, abs=0.02)
    assert later == pytest.approx(-2.2, abs=0.02)


def test_a_drift_that_few_labels_show_is_hardly_followed() -> None:
    rates = [float(expit(-2.0 + 0.2 * k)) for k in range(6)]
    y, age = _rows(rates, 60)
    drift = newest_level(np.zeros(len(y)), y, Timing(age, 1.0)) - newest_level(
        np.zeros(len(y)), y, Timing(age, 0.0)
    )
    assert -0.2 < drift < 0.0


def test_what_is_scored_is_set_right_among_itself() -> None:
    log_odds = np.zeros(200_000)
    scored = np.arange(200_000) % 4 == 0
    y = np.arange(200_000) % 1000 < np.where(scored, 200, 40)
    alike, apart = (newest_level(log_odds, y, at_once(len(y)), whom) for whom in (None, scored))
    assert expit(alike) == pytest.approx(y.mean(), rel=0.01)
    assert expit(apart) == pytest.approx(y[scored].mean(), rel=0.01)


def test_a_label_is_aged_from_the_newest_and_scores_are_made_once_it_is_mature() -> None:
    index = pairs([dt.date(2022, 7, 1), dt.date(2023, 7, 1)], 2)
    told = label_timing(index, 4, OUTCOME)
    assert told.age == pytest.approx([365 / 365.25, 0.0] * 2)
    assert told.ahead == pytest.approx((dt.date(2024, 1, 31) - dt.date(2023, 7, 1)).days / 365.25)
    assert label_timing(index, 4, None).ahead == 0.0
    undated = label_timing(None, 3, OUTCOME)
    assert (undated.age.tolist(), undated.ahead) == ([0.0] * 3, 0.0)


def _county(seed: int, households: int, log_odds: list[float]) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Rows of a county with a base rate for each round; one column of four tells risk."""
    rng = np.random.default_rng(seed)
    index = pairs(rounds(len(log_odds)), households)
    risk = rng.normal(size=len(index))
    y = rng.random(len(index)) < expit(np.array(log_odds)[index.codes[1]] + risk)
    columns = np.column_stack([risk, rng.normal(size=(len(index), 3))]).astype(np.float32)
    return pd.DataFrame(columns, index=index, columns=list("abcd")), y


def _unfitted() -> RelapseModel:
    return RelapseModel(n_trees=60, n_boosters=1, learning_rate=0.1, monotone=None, outcome=OUTCOME, n_threads=1)


@pytest.mark.parametrize(
    ("course", "log_odds"),
    [
        ("steady", [-2.4] * 19),
        ("fell and stays", [-1.8] * 9 + [-2.8] * 10),
        ("peaked and falls", [*np.linspace(-3.0, -1.8, 9), *np.linspace(-1.8, -3.0, 10)]),
        ("was low and rises", [*np.linspace(-1.8, -3.0, 9), *np.linspace(-3.0, -1.8, 10)]),
    ],
)
def test_the_number_foreseen_follows_the_base_rate(course: str, log_odds: list[float]) -> None:
    """Nearer to what came true than the sigmoid of earlier trees, whichever way the base rate went."""
    X, y = _county(0, 1500, log_odds)
    days = X.index.get_level_values("as_of")
    train, test = days <= "2022-05-01", days == "2023-01-01"
    X_train, y_train, came_true = X[train], y[train], y[test].sum()
    model = _unfitted().fit(X_train, y_train)
    raw = model.decision_function(X[test])
    assert isinstance(X_train.index, pd.MultiIndex)
    (split,), kind = calibration_splits(X_train.index, y_train, OUTCOME, share=0.2, seed=0)
    assert kind == model.calibrated_on_ == LATER
    earlier = clone(model).grow(X_train.iloc[split.train], y_train[split.train])
    sigmoid = fit_sigmoid(earlier.decision_function(X_train.iloc[split.test]), y_train[split.test])
    now, before = (abs(np.log(of(raw).sum() / came_true)) for of in (model.calibrator_, sigmoid))
    if course == "steady":
        assert now < np.log(1.2)
    else:
        assert now < before - 0.03


def test_rows_that_would_be_scored_are_told_apart_from_those_learned_from() -> None:
    X, y = _county(7, 1000, [-1.8] * 19)
    assert isinstance(X.index, pd.MultiIndex)
    scored = X.index.codes[0] % 3 == 0
    y = y | (scored & (np.arange(len(y)) % 10 == 0))  # they fall more often, which no column tells
    fitted = {}
    for whom in (None, scored):
        model = RelapseModel(
            n_trees=30, n_boosters=1, learning_rate=0.1, monotone=None, outcome=OUTCOME, n_threads=1
        )
        fitted[whom is None] = model.fit(X, y, scored=whom)
    came_true = y[scored].sum()
    assert fitted[True].predict_proba(X[scored])[:, 1].sum() < 0.9 * came_true
    assert fitted[False].predict_proba(X[scored])[:, 1].sum() == pytest.approx(came_true, rel=0.03)
    assert np.array_equal(fitted[True].decision_function(X), fitted[False].decision_function(X)), "the order stays"
