"""Growing boosters: rows are cut into bins once, and every fit on them or on a part of them shares the bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from relapse_risk.model.boosters import Boosters, Matrix, Numbers, lightgbm_module, threads

#: How rows are cut into bins. No feature is left out for the size of leaves, which differs between fits on the
#: same bins.
_BINS = {"max_bin": 127, "feature_pre_filter": False}
_FIXED = {
    "objective": "binary",
    "deterministic": True,
    "force_col_wise": True,  # twice as fast as row-wise with few features a tree, and as deterministic
    "verbosity": -1,
    **_BINS,
}


class BinnedRows:
    """Rows to train on, cut into bins.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, n_features)
        Features; NaN where missing, categories as codes. Not kept.
    y : ndarray of bool, shape (n,)
        Labels.
    weight : ndarray of float64, shape (n,), optional
        What each row counts for; 1 otherwise.
    names : sequence of str
        Feature names.
    categorical : sequence of int
        Positions of the columns that hold category codes.
    n_threads : int, optional
        All processors otherwise; the boosters do not depend on it.
    """

    def __init__(
        self,
        matrix: Matrix,
        y: npt.NDArray[np.bool_],
        weight: Numbers | None = None,
        *,
        names: Sequence[str],
        categorical: Sequence[int],
        n_threads: int | None,
    ) -> None:
        self._fixed = {**_FIXED, "num_threads": threads(n_threads)}
        self._data = lightgbm_module().Dataset(
            matrix,
            y.astype(np.float64),
            weight=weight,
            feature_name=list(names),
            categorical_feature=list(categorical),
            params=self._fixed,
        ).construct()  # fmt: skip

    def boosters(
        self,
        parameters: Mapping[str, Any],
        *,
        monotone: Sequence[int],
        n_trees: int,
        n_boosters: int,
        seed: int,
        rows: npt.NDArray[np.int64] | None = None,
    ) -> Boosters:
        """Grow boosters; the same rows, parameters and seed give the same on any number of threads.

        Parameters
        ----------
        parameters : dict
            Parameters of LightGBM, apart from those that make it deterministic.
        monotone : sequence of {-1, 0, 1}
            Direction of risk for each column.
        n_trees, n_boosters : int
            Trees of each booster; number of boosters.
        seed : int
            Seed of the first booster; each next one has the next seed.
        rows : ndarray of int64, optional
            Rows to train on, ascending; all otherwise.
        """
        given = {**parameters, **self._fixed}
        if any(monotone):
            given["monotone_constraints"] = list(monotone)
        data = self._data if rows is None else self._data.subset(rows.tolist()).construct()
        train = lightgbm_module().train
        return Boosters(tuple(train({**given, "seed": seed + k}, data, n_trees) for k in range(n_boosters)))
