"""Two scores of the same rows: who orders better, with intervals from drawing households anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from relapse_risk.errors import UsageError
from relapse_risk.training.metrics import ranking_metrics

#: Figures compared; the pooled AUC ranks all rows in one list.
FIGURES = {
    "auc_within_dates": "AUC within dates",
    "auc_pooled": "AUC, pooled",
    "average_precision": "average precision",
    "recall": "recall",
}

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PairedFigure:
    """A figure of two scores.

    Parameters
    ----------
    before, after : float
        Of each score.
    low, high : float
        Interval of 95 % of ``after - before``.
    """

    before: float
    after: float
    low: float
    high: float


def paired_figures(
    before: Numbers,
    after: Numbers,
    y: Flags,
    *,
    households: npt.NDArray[Any],
    lists: npt.NDArray[Any],
    capacity: float,
    draws: int = 500,
    seed: int = 0,
) -> dict[str, PairedFigure]:
    """Compare two scores.

    Households are drawn with all their rows, the same draw for both scores: what makes a draw easy or hard for both
    cancels out in the difference.

    Parameters
    ----------
    before, after : ndarray, shape (n,)
        Scores; higher is riskier.
    y : ndarray of bool, shape (n,)
        The outcome.
    households, lists : ndarray, shape (n,)
        The household of each row, and the list it is ranked on, such as its as_of date.
    capacity : float
        Share of each list that can be visited.
    draws : int
        Draws of households.
    seed : int
        Seed of the draws.

    Returns
    -------
    dict of str to PairedFigure
        By the names of ``FIGURES``.

    Raises
    ------
    UsageError
        If one of the classes does not occur, or there is nothing to draw.
    """
    if draws < 1 or y.all() or not y.any():
        raise UsageError(
            f"got {int(y.sum())} positives of {len(y)} rows and {draws} draws; both classes and a draw"
        )
    scores = (before, after)
    found = _figures(scores, y, lists, capacity)
    order = np.argsort(households, kind="stable")
    starts = np.unique(households[order], return_index=True)[1]
    of_household = np.split(order, starts[1:])
    rng = np.random.default_rng(seed)
    differences: list[Numbers] = []
    while len(differences) < draws:
        chosen = np.concatenate([of_household[k] for k in rng.integers(0, len(of_household), len(of_household))])
        if 0 < y[chosen].sum() < len(chosen):
            drawn = _figures([score[chosen] for score in scores], y[chosen], lists[chosen], capacity)
            differences.append(drawn[1] - drawn[0])
    low, high = np.nanquantile(differences, [0.025, 0.975], axis=0)
    return {
        name: PairedFigure(float(found[0, k]), float(found[1, k]), float(low[k]), float(high[k]))
        for k, name in enumerate(FIGURES)
    }


def _figures(scores: Any, y: Flags, lists: npt.NDArray[Any], capacity: float) -> Numbers:
    """Return each score's figures, shape (2, 4); lists whose rows are all of one class add nothing to the AUC."""
    rows = []
    for score in scores:
        within = ranking_metrics(score, y, capacity, lists)

        rows.append(
            [within["auc_within_dates"], within["auc_pooled"], within["average_precision"], within["recall"]]
        )
    return np.array(rows)
