"""Probabilities: what their shape and their level are learned from."""

from __future__ import annotations

import datetime as dt
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.base import clone

from relapse_risk.errors import OutcomeNotGiven
from relapse_risk.model.calibration import SigmoidCalibrator, Timing, base_rate_trend, fit_sigmoid, level_shift
from relapse_risk.model.calibration_split import (
    FEWEST_OF_A_CLASS,
    LATER,
    OTHER_HOUSEHOLDS,
    Split,
    calibration_splits,
    label_timing,
)
from relapse_risk.model.estimator import RelapseModel
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
def test_the_trees_behind_the_sigmoid_learn_no_label_that_was_not_mature_by_its_first_date(
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
    mature = days[split.train].max() + pd.DateOffset(months=horizon) + pd.Timedelta(days=lag)
    assert mature <= first
    assert set(split.test) == set(np.flatnonzero(days >= first)), "every later row is calibrated on"
    usable = days + pd.DateOffset(months=horizon) + pd.Timedelta(days=lag) <= first
    assert set(split.train) == set(np.flatnonzero(usable)), "no mature label is left out"
    assert len(split.test) >= share * len(index) - 1e-9
    assert (days > first).mean() < share, "no more than the share asks for"


def test_immature_labels_by_hand() -> None:
    """Calibrated from 2021-03-01 on: 2020-07-01 is mature on 2021-01-31, 2020-09-01 only on 2021-03-31."""
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
    assert len(splits) == 5
    ids = index.get_level_values("household_id")
    for split in splits:
        assert not set(ids[split.train]) & set(ids[split.test])


def at_once(n: int) -> Timing:
    """Labels of one day."""
    return Timing(np.zeros(n))


def test_the_number_foreseen_becomes_the_number_that_came_true() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-1.0, 1.5, 400_000)
    y = rng.random(len(log_odds)) < expit(log_odds - 1.2)  # it came true far less often than foreseen
    shift = level_shift(log_odds, y, at_once(len(y)))
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
    shift = level_shift(np.zeros(1000), y, at_once(1000))
    assert shift == pytest.approx(whole * positives / (positives + 30), rel=1e-6)


@pytest.mark.parametrize("y", [np.zeros(50, bool), np.ones(50, bool), np.zeros(0, bool)])
def test_labels_of_one_class_shift_no_level(y: npt.NDArray[np.bool_]) -> None:
    assert level_shift(np.zeros(len(y)), y, at_once(len(y))) == 0.0


def test_the_newest_labels_count_most() -> None:
    assert Timing(np.array([0.0, 1.0, 2.0])).weights.tolist() == [1.0, 0.5, 0.25]
    age = np.repeat([0.0, 1.0], 20_000)
    y = np.tile(np.arange(20_000) / 20_000, 2) < np.where(age == 0.0, 0.1, 0.4)
    newest, oldest = (expit(level_shift(np.zeros(len(y)), y, Timing(a))) for a in (age, 1.0 - age))
    assert newest == pytest.approx(0.2, abs=0.002)
    assert oldest == pytest.approx(0.3, abs=0.002)


def test_what_is_scored_is_set_right_among_itself() -> None:
    log_odds = np.zeros(200_000)
    scored = np.arange(200_000) % 4 == 0
    y = np.arange(200_000) % 1000 < np.where(scored, 200, 40)
    alike, apart = (level_shift(log_odds, y, at_once(len(y)), whom) for whom in (None, scored))
    assert expit(alike) == pytest.approx(y.mean(), rel=0.01)
    assert expit(apart) == pytest.approx(y[scored].mean(), rel=0.01)


def _dated(log_odds: list[float], rows: int = 20_000, carried: float = 0.0) -> tuple[npt.NDArray[np.bool_], Timing]:
    """Labels of a date every half year, the oldest first, with these base rates; a horizon is half a year."""
    y = np.concatenate([np.arange(rows) < expit(one) * rows for one in log_odds])
    age = np.repeat(np.arange(len(log_odds))[::-1] / 2, rows)
    return y, Timing(age, horizon=0.5, carried=carried)


def test_a_steady_trend_is_trusted_and_a_fluctuating_rate_is_not() -> None:
    slope, trust = base_rate_trend(*_dated([-2.0 - 0.2 * k for k in range(6)]))
    assert slope == pytest.approx(-0.4, rel=0.01)
    assert trust > 0.95
    up_and_down = base_rate_trend(*_dated([-2.0, -2.6, -1.9, -2.7, -2.1, -2.4]))
    assert up_and_down[1] < 0.15
    few_dates = base_rate_trend(*_dated([-2.0, -2.2, -2.4]))
    assert few_dates == (0.0, 0.0)
    few_positives = base_rate_trend(*_dated([-2.0 - 0.2 * k for k in range(6)], rows=20))
    assert few_positives[1] < 0.8


def test_dates_that_share_a_horizon_are_hardly_more_than_one() -> None:
    """Six dates of one month each and a horizon of six: what looks like a trend is one chance."""
    y, timing = _dated([-2.0, -2.2, -2.1, -2.4, -2.3, -2.5])
    apart = base_rate_trend(y, timing)[1]
    shared = base_rate_trend(y, Timing(timing.age, horizon=3.0))[1]
    assert shared < apart - 0.2


def test_along_a_trend_the_held_out_level_is_carried_on() -> None:
    y, timing = _dated([-2.0 - 0.2 * k for k in range(6)], carried=0.5)
    slope, trust = base_rate_trend(y, timing)
    level = level_shift(np.zeros(len(y)), y, Timing(timing.age))
    assert level < -1.5
    shift = level_shift(np.zeros(len(y)), y, timing)
    assert shift == pytest.approx((1 - trust) * level + trust * slope * 0.5)
    assert shift == pytest.approx(-0.2, abs=0.1), "what the sigmoid said, and half a year's fall"


def test_how_far_a_level_is_carried() -> None:
    """In months before the newest date: sigmoid of 4, its trees of 20, those kept of 14; the newest label is mature
    after 7.
    """
    dates = [dt.date(2022, m, 1) for m in (1, 3, 5, 7, 9, 11)]
    index = pairs(dates, 1)
    split = Split(train=np.array([0, 1]), test=np.array([4, 5]))
    timing = label_timing(index, 6, OUTCOME, [split])
    month = 365.25 / 12
    newest = dates[-1]
    age = [(newest - day).days / 365.25 for day in dates]
    assert timing.age == pytest.approx(age)
    assert timing.horizon == 0.5
    ahead = (dt.date(2023, 5, 31) - newest).days / 365.25
    expected = np.mean(age[4:]) - (np.mean(age[:2]) - np.mean(age)) + ahead
    assert timing.carried == pytest.approx(expected)
    assert timing.carried * 12 == pytest.approx(1 - (9 - 5) + 6.93, abs=0.1), month


def test_without_dates_or_outcome_nothing_is_carried() -> None:
    index = pairs([dt.date(2022, 7, 1), dt.date(2023, 7, 1)], 2)
    timing = label_timing(index, 4, None, [])
    assert (timing.horizon, timing.carried) == (0.0, 0.0)
    assert timing.age == pytest.approx([365 / 365.25, 0.0] * 2)
    undated = label_timing(None, 3, OUTCOME, [])
    assert (undated.age.tolist(), undated.horizon, undated.carried) == ([0.0] * 3, 0.0, 0.0)


def _county(seed: int, households: int, log_odds: list[float]) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Rows of a county with a base rate for each round; one column of four carries the risk."""
    rng = np.random.default_rng(seed)
    index = pairs(rounds(len(log_odds)), households)
    risk = rng.normal(size=len(index))
    y = rng.random(len(index)) < expit(np.array(log_odds)[index.codes[1]] + risk)
    columns = np.column_stack([risk, rng.normal(size=(len(index), 3))]).astype(np.float32)
    return pd.DataFrame(columns, index=index, columns=list("abcd")), y


def _unfitted() -> RelapseModel:
    return RelapseModel(n_trees=60, n_boosters=1, learning_rate=0.1, monotone=None, outcome=OUTCOME, n_threads=1)


def _old_and_new(log_odds: list[float]) -> tuple[float, float]:
    """Foreseen over came true, by the sigmoid of earlier trees alone and by the estimator, eight months ahead."""
    X, y = _county(0, 1500, log_odds)
    days = X.index.get_level_values("as_of")
    train, test = days <= "2022-05-01", days == "2023-01-01"
    X_train, y_train, came_true = X[train], y[train], y[test].sum()
    model = _unfitted().fit(X_train, y_train)
    raw = model.decision_function(X[test])
    (split,), kind = calibration_splits(cast("pd.MultiIndex", X_train.index), y_train, OUTCOME, share=0.2, seed=0)
    assert kind == model.calibrated_on_ == LATER
    earlier = clone(model).fit_trees(X_train.iloc[split.train], y_train[split.train])
    sigmoid = fit_sigmoid(earlier.decision_function(X_train.iloc[split.test]), y_train[split.test])
    return sigmoid(raw).sum() / came_true, model.calibrator_(raw).sum() / came_true


def test_rows_with_dates_and_no_outcome_are_calibrated_on_other_households_with_a_warning() -> None:
    X, y = _county(0, 300, [-1.2] * 12)
    with pytest.warns(OutcomeNotGiven, match="Give RelapseModel.outcome=records.settings.outcome") as warned:
        without = _unfitted().set_params(outcome=None).fit(X, y)
    assert warned[0].filename == __file__
    assert without.calibrated_on_ == OTHER_HOUSEHOLDS
    assert _unfitted().fit(X, y).calibrated_on_ == LATER
    undated = X.reset_index(drop=True)  # no warning: there is nothing that an outcome would be needed for
    assert _unfitted().set_params(outcome=None).fit(undated, y).calibrated_on_ == OTHER_HOUSEHOLDS


@pytest.mark.parametrize(("first", "last"), [(-2.4, -2.4), (-1.2, -3.6), (-3.6, -1.2)])
def test_the_number_foreseen_follows_the_base_rate(first: float, last: float) -> None:
    _, by_estimator = _old_and_new(list(np.linspace(first, last, 19)))
    assert abs(np.log(by_estimator)) < np.log(1.2)


def test_on_a_falling_base_rate_the_sigmoid_alone_runs_high() -> None:
    alone, by_estimator = _old_and_new(list(np.linspace(-1.2, -3.6, 19)))
    assert alone > 1.2
    assert by_estimator < alone - 0.1


def test_after_a_permanent_fall_it_is_no_worse_than_the_sigmoid_alone() -> None:
    alone, by_estimator = _old_and_new([-1.8] * 9 + [-2.8] * 10)
    assert abs(np.log(by_estimator)) < abs(np.log(alone))


def test_rows_that_would_be_scored_are_distinguished_from_those_learned_from() -> None:
    X, y = _county(7, 1000, [-1.8] * 3)
    assert isinstance(X.index, pd.MultiIndex)
    scored = X.index.codes[0] % 3 == 0
    y = y | (scored & (np.arange(len(y)) % 10 == 0))  # they fall more often, which no column shows
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


def test_a_row_of_weight_k_counts_as_k_rows_in_all_of_calibration() -> None:
    rng = np.random.default_rng(0)
    index = pairs(rounds(12), 60)
    n = len(index)
    raw, times = rng.normal(-1.0, 1.0, n), rng.integers(1, 4, n)
    y, scored = rng.random(n) < expit(raw), rng.random(n) < 0.5
    weight, again = times.astype(float), np.repeat(np.arange(n), times)

    sigmoid, of_copies = fit_sigmoid(raw, y, weight), fit_sigmoid(raw[again], y[again])
    assert sigmoid.slope == pytest.approx(of_copies.slope, rel=1e-4)
    assert sigmoid.intercept == pytest.approx(of_copies.intercept, rel=1e-4)

    splits, kind = calibration_splits(index, y, OUTCOME, share=0.3, seed=0, sample_weight=weight)
    copied, kind_of_copies = calibration_splits(index[again], y[again], OUTCOME, share=0.3, seed=0)
    assert kind == kind_of_copies == LATER
    assert set(index[splits[0].test]) == set(index[again][copied[0].test])

    timing = label_timing(index, n, OUTCOME, splits, weight)
    timing_of_copies = label_timing(index[again], len(again), OUTCOME, copied)
    assert timing.carried == pytest.approx(timing_of_copies.carried)

    assert base_rate_trend(y, timing, weight) == pytest.approx(base_rate_trend(y[again], timing_of_copies))
    shift = level_shift(raw, y, timing, scored, weight)
    assert shift == pytest.approx(level_shift(raw[again], y[again], timing_of_copies, scored[again]))
    assert abs(shift - level_shift(raw, y, timing, scored)) > 1e-4


def test_the_share_calibrated_on_is_one_of_weight_not_of_rows() -> None:
    """Of ten dates with equal rows, the last counts for nine tenths: it alone is enough."""
    index = pairs(rounds(10), 100)
    y = np.asarray(index.codes[0]) % 2 == 0
    last = np.asarray(index.codes[1]) == 9
    weight = np.where(last, 81.0, 1.0)
    (split,), kind = calibration_splits(index, y, OUTCOME, share=0.3, seed=0, sample_weight=weight)
    assert kind == LATER
    assert set(split.test) == set(np.flatnonzero(last))
