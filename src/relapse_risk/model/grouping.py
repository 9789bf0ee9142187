"""Contributions summed by group, and the groups that raise a score most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import compiled


@dataclass(frozen=True, eq=False)
class Explanation:
    """Raw scores of n rows and what they consist of.

    Parameters
    ----------
    raw : ndarray of float64, shape (n,)
        Raw scores.
    base : ndarray of float64, shape (n,)
        The part of them that no feature changes; the same in every row.
    by_group : ndarray of float64, shape (n, n_groups)
        Contributions summed by group: ``base + by_group.sum(axis=1)`` is ``raw``.
    group : ndarray of int32, shape (n, n_reasons)
        The groups of the largest positive sums, largest first, the first of equal ones first; then -1.
    feature : ndarray of int32, shape (n, n_reasons)
        The feature of the largest contribution in each of these groups, the first of equal ones; then -1.
    """

    raw: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    by_group: npt.NDArray[np.float64]
    group: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]

    @classmethod
    def of_size(cls, n: int, n_groups: int, n_reasons: int) -> Explanation:
        """Return an explanation of n rows to be filled."""
        return cls(
            np.empty(n),
            np.empty(n),
            np.empty((n, n_groups)),
            np.empty((n, n_reasons), np.int32),
            np.empty((n, n_reasons), np.int32),
        )

    def fill(self, rows: slice, contributions: npt.NDArray[np.float64], group_of: npt.NDArray[np.int32]) -> None:
        """Sum contributions, shape (n_features, rows), by the group of each feature, and find the reasons."""
        _group(contributions, group_of, self.by_group[rows], self.group[rows], self.feature[rows])


@compiled
def _group(contributions: Any, group_of: Any, by_group: Any, group: Any, feature: Any) -> None:
    n_features, n = contributions.shape
    n_groups, n_reasons = by_group.shape[1], group.shape[1]
    sums = np.zeros((n_groups, n))
    largest = np.full((n_groups, n), -np.inf)
    largest_feature = np.zeros((n_groups, n), np.int32)
    for f in range(n_features):
        g = group_of[f]
        for r in range(n):
            value = contributions[f, r]
            sums[g, r] += value
            if value > largest[g, r]:
                largest[g, r] = value
                largest_feature[g, r] = f
    for r in range(n):
        for g in range(n_groups):
            by_group[r, g] = sums[g, r]
        for k in range(n_reasons):
            chosen = -1
            for g in range(n_groups):
                if sums[g, r] > 0.0 and (chosen < 0 or sums[g, r] > sums[chosen, r]):
                    chosen = g
            group[r, k] = chosen
            feature[r, k] = -1
            if chosen >= 0:
                feature[r, k] = largest_feature[chosen, r]
                sums[chosen, r] = 0.0
