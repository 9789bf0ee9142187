"""Gradient-boosted trees that give raw scores: the mean of several boosters trained on the same data.

Averaging boosters that differ only in their seed makes the ranking more stable where positives are few; on the
panel it gained more than tuning a single booster.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import lightgbm as lgb

Matrix = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]

#: LightGBM writes the number of threads into a model's text; scores do not depend on it, so it is written as 0.
_THREADS_LINE = re.compile(r"^\[num_threads: -?\d+\]$", re.MULTILINE)


@dataclass(frozen=True)
class Boosters:
    """Trained boosters.

    Parameters
    ----------
    boosters : tuple of lightgbm.Booster
        They differ in their seeds only.
    """

    boosters: tuple[lgb.Booster, ...]

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> Boosters:
        """Return boosters from LightGBM's text format. A damaged text aborts the process: check it first."""
        lgb = _lightgbm()
        return cls(tuple(lgb.Booster(model_str=text) for text in texts))

    def to_texts(self) -> list[str]:
        """Return each booster in LightGBM's text format; it does not depend on the number of threads."""
        return [_THREADS_LINE.sub("[num_threads: 0]", booster.model_to_string()) for booster in self.boosters]

    def raw_scores(self, matrix: Matrix, n_threads: int | None = None) -> Numbers:
        """Return the mean raw score (log-odds before calibration).

        Parameters
        ----------
        matrix : ndarray of float32, shape (n, n_features)
            Columns in the order of training.
        n_threads : int, optional
            All processors otherwise.

        Returns
        -------
        ndarray of float64, shape (n,)
        """
        total = np.zeros(len(matrix))
        for booster in self.boosters:
            total += booster.predict(matrix, raw_score=True, num_threads=_threads(n_threads))
        return total / len(self.boosters)

    def contributions(self, matrix: Matrix, n_threads: int | None = None) -> Numbers:
        """Return what each feature adds to the raw score (exact TreeSHAP), and in the last column the base score.

        Returns
        -------
        ndarray of float64, shape (n, n_features + 1)
            Rows add up to ``raw_scores``.
        """
        total = np.zeros((len(matrix), matrix.shape[1] + 1))
        if not len(matrix):  # LightGBM would divide by zero
            return total
        for booster in self.boosters:
            total += cast(Numbers, booster.predict(matrix, pred_contrib=True, num_threads=_threads(n_threads)))
        return total / len(self.boosters)


def train_boosters(
    matrix: Matrix,
    y: npt.NDArray[np.bool_],
    *,
    names: Sequence[str],
    categorical: Sequence[int],
    monotone: Sequence[int],
    parameters: Mapping[str, Any],
    n_trees: int,
    n_boosters: int,
    seed: int,
    n_threads: int | None,
) -> Boosters:
    """Train boosters; the same data, parameters and seed give the same boosters on any number of threads.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, n_features)
        Features; NaN where missing, categories as codes.
    y : ndarray of bool, shape (n,)
        Labels.
    names : sequence of str
        Feature names.
    categorical : sequence of int
        Positions of the columns that hold category codes.
    monotone : sequence of {-1, 0, 1}
        Direction of risk for each column.
    parameters : dict
        Parameters of LightGBM, apart from those that make it deterministic.
    n_trees, n_boosters : int
        Trees of each booster; number of boosters.
    seed : int
        Seed of the first booster; each next one has the next seed.
    n_threads : int, optional
        All processors otherwise.
    """
    lgb = _lightgbm()
    fixed = {
        **parameters,
        "objective": "binary",
        "deterministic": True,
        "force_col_wise": True,  # twice as fast as row-wise with few features a tree, and as deterministic
        "num_threads": _threads(n_threads),
        "monotone_constraints": list(monotone),
        "verbosity": -1,
    }
    if not any(monotone):
        del fixed["monotone_constraints"]
    data = lgb.Dataset(
        matrix,
        y.astype(np.float64),
        feature_name=list(names),
        categorical_feature=list(categorical),
        params=fixed,
        free_raw_data=False,
    ).construct()
    return Boosters(tuple(lgb.train({**fixed, "seed": seed + k}, data, n_trees) for k in range(n_boosters)))


def _lightgbm() -> Any:
    """Import LightGBM with OpenMP threads that sleep while they wait.

    By default they spin, which makes training take three times as long on a machine that is also used otherwise.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import lightgbm  # noqa: PLC0415

    return lightgbm


def _threads(n_threads: int | None) -> int:
    return n_threads or os.cpu_count() or 1
