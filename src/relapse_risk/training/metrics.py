"""How good an order is, at the number of visits there is time for. Ties are broken against us."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def visited_first(score: Numbers, y: Flags, capacity: float) -> Flags:
    """Return who is visited when the riskiest ``capacity`` share is.

    Of households with equal scores at the edge, those that will not fall back are visited first: a tie never
    flatters.

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


def ranking_metrics(score: Numbers, y: Flags, capacity: float) -> dict[str, float]:
    """Return the quality of an order.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Higher is riskier.
    y : ndarray of bool, shape (n,)
        The outcome; both classes must occur.
    capacity : float
        Share that can be visited.

    Returns
    -------
    dict
        ``auc``; ``average_precision``; ``recall`` and ``precision`` at the capacity; ``n``, ``positives`` and
        ``base_rate``.
    """
    filled = np.where(np.isnan(score), np.nanmin(score, initial=0.0) - 1.0, score)
    visited = visited_first(score, y, capacity)
    found = int((visited & y).sum())
    return {
        "auc": float(roc_auc_score(y, filled)),
        "average_precision": float(average_precision_score(y, filled)),
        "recall": found / int(y.sum()),
        "precision": found / int(visited.sum()),
        "n": len(y),
        "positives": int(y.sum()),
        "base_rate": float(y.mean()),
    }


def probability_metrics(probability: Numbers, y: Flags) -> dict[str, float]:
    """Return how far probabilities can be taken at their word.

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
