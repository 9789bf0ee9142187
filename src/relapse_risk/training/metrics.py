"""How good a ranking is, at the number of visits there is time for. Ties are broken against the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def visited_first(score: Numbers, y: Flags, capacity: float) -> Flags:
    """Return who is visited when the riskiest ``capacity`` share is.

    Of households with equal scores at the edge, those that will not fall back are visited first, so that ties never
    improve a metric.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Higher is riskier; missing scores come last.
    y : ndarray of bool, shape (n,)
        The outcome.
    capacity : float
        Share visited; at least one household is.

    Examples
    --------
    >>> import numpy as np
    >>> score = np.array([0.9, 0.5, 0.5, 0.1])
    >>> visited_first(score, np.array([True, True, False, False]), 0.5).tolist()
    [True, False, True, False]
    """
    n_visits = max(1, round(capacity * len(score)))
    filled = np.where(np.isnan(score), -np.inf, score)
    order = np.lexsort((y, -filled))
    visited = np.zeros(len(score), bool)
    visited[order[:n_visits]] = True
    return visited


def ranking_metrics(
    score: Numbers, y: Flags, capacity: float, lists: npt.NDArray[Any] | None = None
) -> dict[str, float]:
    """Return the quality of a ranking, or of several lists that are ranked each by itself.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Higher is riskier; missing scores come last.
    y : ndarray of bool, shape (n,)
        The outcome; both classes must occur.
    capacity : float
        Share that can be visited.
    lists : ndarray, shape (n,), optional
        Which list each row is on, such as its as_of date. Visits are made list by list, so all metrics but
        ``auc_pooled`` compare rows of one list only. One list otherwise.

    Returns
    -------
    dict
        - ``auc_within_dates``: of the pairs of a positive and a negative on the same list, the share that is ranked
          the right way round, equal scores counting half. It is the mean of the lists' AUCs, weighted by their
          positives times negatives; NaN if no list has both.
        - ``auc_pooled``: the same of all pairs, whatever their lists. It also rewards a score that is higher on the
          dates with more positives, which orders no visit.
        - ``average_precision``: the lists' average precision, weighted by their positives.
        - ``recall``, ``precision``: when the riskiest share of each list is visited.
        - ``n``, ``positives``, ``base_rate``: rows, and how many and what share have the outcome.
    """
    filled = np.where(np.isnan(score), np.nanmin(score, initial=0.0) - 1.0, score)
    visited = np.zeros(len(y), bool)
    pairs, right, precision = 0, 0.0, 0.0
    which = np.zeros(len(y), np.int64) if lists is None else np.unique(lists, return_inverse=True)[1]
    for one in range(int(which.max()) + 1):
        rows = np.flatnonzero(which == one)
        truth = y[rows]
        visited[rows] = visited_first(score[rows], truth, capacity)
        positives = int(truth.sum())
        if 0 < positives < len(rows):
            of_list = positives * (len(rows) - positives)
            pairs, right = pairs + of_list, right + of_list * float(roc_auc_score(truth, filled[rows]))
        if positives:
            precision += positives * float(average_precision_score(truth, filled[rows]))
    found, positives = int((visited & y).sum()), int(y.sum())
    return {
        "auc_within_dates": right / pairs if pairs else float("nan"),
        "auc_pooled": float(roc_auc_score(y, filled)),
        "average_precision": precision / positives,
        "recall": found / positives,
        "precision": found / int(visited.sum()),
        "n": len(y),
        "positives": positives,
        "base_rate": float(y.mean()),
    }


def probability_metrics(probability: Numbers, y: Flags) -> dict[str, float]:
    """Return how well probabilities are calibrated.

    Returns
    -------
    dict
        ``brier``, the mean squared error; ``mean_probability``, to compare with the base rate; and
        ``calibration_error``, the mean gap between probability and frequency over ten equal groups.
    """
    order = np.argsort(probability, kind="stable")
    groups = [group for group in np.array_split(order, 10) if group.size]
    gaps = [abs(probability[group].mean() - y[group].mean()) * len(group) for group in groups]
    return {
        "brier": float(np.mean((probability - y) ** 2)),
        "mean_probability": float(probability.mean()),
        "calibration_error": float(sum(gaps) / len(y)),
    }


def foreseen_by_date(
    dates: npt.NDArray[np.datetime64], probability: Numbers, y: Flags
) -> dict[str, dict[str, float | int | None]]:
    """Return how many were foreseen at each date beside how many came true.

    Parameters
    ----------
    dates : ndarray of datetime64, shape (n,)
        As_of date of each row.
    probability : ndarray of float64, shape (n,)
        Calibrated probabilities.
    y : ndarray of bool, shape (n,)
        The outcome.

    Returns
    -------
    dict of str to dict
        By date: ``rows``; ``foreseen``, the sum of the probabilities; ``came_true``; and ``log_ratio``, the natural
        logarithm of foreseen over came true, None where nothing came true.
    """
    by_date: dict[str, dict[str, float | int | None]] = {}
    for day in np.unique(dates):
        rows = dates == day
        foreseen, came_true = float(probability[rows].sum()), int(y[rows].sum())
        by_date[str(day.astype("datetime64[D]"))] = {
            "rows": int(rows.sum()),
            "foreseen": foreseen,
            "came_true": came_true,
            "log_ratio": float(np.log(foreseen / came_true)) if came_true and foreseen > 0 else None,
        }
    return by_date
