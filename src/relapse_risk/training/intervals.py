"""How sure ranking figures are: households are drawn anew, with all their rows, many times over.

A figure's 95 % interval is that of the drawn figures. Two orders are compared on the same draws, so that what
moves both alike does not widen the interval of their difference. What is not in the intervals: another seed or
another training history would give another model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from relapse_risk.errors import NotEnoughData, UsageError

if TYPE_CHECKING:
    import pandas as pd

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: The figures, by their names in ``ranking_metrics``, and in words.
FIGURES = {
    "auc_within_dates": "AUC within dates",
    "auc_pooled": "AUC, pooled",
    "average_precision": "average precision",
    "recall": "recall",
    "precision": "precision",
}
DRAWS = 300
_LEVEL = (0.025, 0.975)


@dataclass(frozen=True)
class _RankedRows:
    """Some rows in the order of one score, riskiest first; among equal scores, the outcome comes last.

    Parameters
    ----------
    rows : ndarray of int
        Their positions, in order.
    poor : ndarray of bool
        Their outcomes, in order.
    ends : ndarray of int
        Position after the last row of each run of equal scores.
    """

    rows: npt.NDArray[np.int64]
    poor: Flags
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: npt.NDArray[np.int64], score: Numbers, y: Flags) -> _RankedRows:
        filled = np.where(np.isnan(score[rows]), -np.inf, score[rows])
        order = np.lexsort((y[rows], -filled))
        ordered = filled[order]
        return cls(
            rows[order], y[rows][order], np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(rows))
        )

    def figures(self, weight: Numbers, capacity: float) -> tuple[float, ...]:
        """Return pairs, pairs the right way round, positives, positives times average precision, found, visits."""
        w = weight[self.rows]
        poor = w * self.poor
        total, positives = w.sum(), poor.sum()
        if not total:
            return (0.0,) * 6
        at_ends, poor_at_ends = np.cumsum(w)[self.ends - 1], np.cumsum(poor)[self.ends - 1]
        poor_of_run = np.diff(poor_at_ends, prepend=0.0)
        spared_at_ends = at_ends - poor_at_ends
        spared = total - positives
        below = spared - spared_at_ends + 0.5 * np.diff(spared_at_ends, prepend=0.0)
        precision = np.divide(poor_at_ends, at_ends, out=np.zeros(len(at_ends)), where=at_ends > 0)
        visits = max(1.0, float(round(capacity * total)))
        visited = np.clip(visits - (np.cumsum(w) - w), 0.0, w)
        return (
            positives * spared,
            float(poor_of_run @ below),
            positives,
            float(poor_of_run @ precision),
            float(visited @ self.poor),
            float(visited.sum()),
        )


class _Drawn:
    """Households drawn anew, and the figures of any score on the same draws."""

    def __init__(
        self, households: npt.NDArray[Any], dates: npt.NDArray[Any], y: Flags, draws: int, seed: int
    ) -> None:
        self.y = y
        code = np.unique(households, return_inverse=True)[1]
        which = np.unique(dates, return_inverse=True)[1]
        self._dates = [np.flatnonzero(which == one) for one in range(which.max(initial=-1) + 1)]
        self._all = np.arange(len(y))
        rng, n = np.random.default_rng(seed), int(code.max(initial=-1)) + 1
        drawn = (np.bincount(rng.integers(0, n, n), minlength=n)[code].astype(np.float64) for _ in range(draws))
        self._weights = [np.ones(len(y)), *drawn]

    def figures(self, score: Numbers, capacity: float) -> Numbers:
        """Return the figures as they are and of each draw, shape (1 + draws, n_figures)."""
        ranked = [_RankedRows.of(rows, score, self.y) for rows in self._dates]
        sums = np.array([np.sum([date.figures(w, capacity) for date in ranked], axis=0) for w in self._weights])
        pairs, right, positives, precision, found, visits = sums.T
        pooled = _RankedRows.of(self._all, score, self.y)
        all_pairs, all_right = np.array([pooled.figures(w, capacity)[:2] for w in self._weights]).T
        with np.errstate(invalid="ignore", divide="ignore"):  # a draw may have no positive
            aucs = (right / pairs, all_right / all_pairs)
            return np.stack([*aucs, precision / positives, found / positives, found / visits], axis=1)


def ranking_intervals(
    predictions: pd.DataFrame,
    scores: Mapping[str, str],
    capacity: float,
    *,
    base: str | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return ranking figures with 95 % intervals, and differences from one score's.

    Parameters
    ----------
    predictions : DataFrame
        A row per household and date: ``household_id``, ``as_of``, ``label`` and a column for each score.
    scores : dict of str to str
        Names, and the columns they stand in; higher is riskier.
    capacity : float
        Share of each date's rows that can be visited.
    base : str, optional
        The name that the others are compared with, on the same draws.
    draws : int
        How often households are drawn anew.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        A row per name and figure (those of ``FIGURES``, as ``ranking_metrics`` defines them): ``value``, ``low``,
        ``high`` and, with a base, ``difference``, ``difference_low`` and ``difference_high``.

    Raises
    ------
    NotEnoughData
        If no date has both outcomes.
    UsageError
        If ``base`` is not among the names.
    """
    import pandas as pd  # noqa: PLC0415

    if base is not None and base not in scores:
        raise UsageError(f"base={base!r}. Valid: {', '.join(scores)}.")
    if not predictions.groupby("as_of")["label"].nunique().eq(2).any():
        raise NotEnoughData("the rows of each date are all of one class: nothing can be ranked. Judge more dates.")
    y = predictions["label"].to_numpy(bool)
    drawn = _Drawn(predictions["household_id"].to_numpy(), predictions["as_of"].to_numpy(), y, draws, seed)
    found = {
        name: drawn.figures(predictions[column].to_numpy(np.float64), capacity) for name, column in scores.items()
    }
    rows = []
    for name, figures in found.items():
        columns = _with_interval(figures)
        if base is not None:
            columns += _with_interval(figures - found[base])
        rows += [(name, figure, *(column[k] for column in columns)) for k, figure in enumerate(FIGURES)]
    names = ["value", "low", "high"]
    names += [] if base is None else ["difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=["score", "figure", *names]).set_index(["score", "figure"])


def _with_interval(figures: Numbers) -> list[Numbers]:
    """Return the first row, and the interval of the others."""
    low, high = np.nanquantile(figures[1:], _LEVEL, axis=0)
    return [figures[0], low, high]


def paired_table(
    predictions: pd.DataFrame, before: str, after: str, capacity: float, draws: int = DRAWS
) -> list[tuple[str, float, float, str, str]]:
    """Return two scores of the same rows side by side, a row per figure: both values, difference, its interval.

    Parameters
    ----------
    predictions, capacity, draws
        As for ``ranking_intervals``.
    before, after : str
        Columns of the scores.
    """
    scores = {one: one for one in (before, after)}
    found: Any = ranking_intervals(predictions, scores, capacity, base=before, draws=draws)
    table = []
    for figure, word in FIGURES.items():
        old, new = (float(found.loc[(one, figure), "value"]) for one in (before, after))
        low, high = (float(found.loc[(after, figure), f"difference_{end}"]) for end in ("low", "high"))
        table.append((word, old, new, f"{new - old:+.3f}", f"{low:+.3f} to {high:+.3f}"))
    return table
