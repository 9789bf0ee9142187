"""Gradient-boosted trees that give raw scores: the mean of several boosters trained on the same data.

Averaging boosters that differ only in their seed makes the ranking more stable where positives are few; on the
panel it gained more than tuning a single booster.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from relapse_risk.model.grouping import Explanation
from relapse_risk.model.trees.model_text import UnknownTrees
from relapse_risk.model.trees.rows import over_rows
from relapse_risk.model.trees.tables import TreeTables

if TYPE_CHECKING:
    import lightgbm as lgb

Matrix = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]

#: LightGBM writes the number of threads into a model's text; scores do not depend on it, so it is written as 0.
_THREADS_LINE = re.compile(r"^\[num_threads: -?\d+\]$", re.MULTILINE)


@dataclass(frozen=True)
class Boosters:
    """Trained boosters.

    Small trees (up to 9 leaves) are evaluated by tables that are made once, on the first call; see
    ``relapse_risk.model.trees``. If a single tree is larger, or a booster holds something that is not known there
    (linear trees, for example), LightGBM evaluates all of them: reasons of a row then take a hundred times as long.

    Parameters
    ----------
    boosters : tuple of lightgbm.Booster
        They differ in their seeds only. They must not be changed afterwards.
    """

    boosters: tuple[lgb.Booster, ...]

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> Boosters:
        """Return boosters from LightGBM's text format. A damaged text aborts the process: check it first."""
        lgb = lightgbm_module()
        return cls(tuple(lgb.Booster(model_str=text) for text in texts))

    def to_texts(self) -> list[str]:
        """Return each booster in LightGBM's text format; it does not depend on the number of threads."""
        return [_THREADS_LINE.sub("[num_threads: 0]", booster.model_to_string()) for booster in self.boosters]

    def __getstate__(self) -> dict[str, Any]:
        """Leave tables out of pickles and copies: they are made anew."""
        return {"boosters": self.boosters}

    @cached_property
    def tables(self) -> TreeTables | None:
        """The trees as tables; None if LightGBM must evaluate them."""
        try:
            return TreeTables.from_texts([booster.model_to_string() for booster in self.boosters])
        except UnknownTrees:
            return None

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
        tables = self._tables_for(matrix)
        if tables is None:
            total = np.zeros(len(matrix))
            for booster in self.boosters:
                total += booster.predict(matrix, raw_score=True, num_threads=threads(n_threads))
            return total / len(self.boosters)
        raw = np.empty(len(matrix))

        def fill(rows: slice) -> None:
            raw[rows] = tables.raw_scores(matrix[rows])

        over_rows(fill, len(matrix), n_threads)
        return raw

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
        tables = self._tables_for(matrix)
        if tables is None:
            for booster in self.boosters:
                total += cast(Numbers, booster.predict(matrix, pred_contrib=True, num_threads=threads(n_threads)))
            return total / len(self.boosters)
        total[:, -1] = tables.base

        def fill(rows: slice) -> None:
            total[rows, :-1] = tables.contributions(matrix[rows])[0].T

        over_rows(fill, len(matrix), n_threads)
        return total

    def explain(
        self,
        matrix: Matrix,
        group_of: npt.NDArray[np.int32],
        n_reasons: int,
        n_threads: int | None = None,
    ) -> Explanation:
        """Return raw scores, contributions summed by group, and the groups that raise each score most.

        Contributions of all features are never held for more than a few rows.

        Parameters
        ----------
        matrix : ndarray of float32, shape (n, n_features)
            Columns in the order of training.
        group_of : ndarray of int32, shape (n_features,)
            The group of each feature, from 0.
        n_reasons : int
            Groups to find for each row.
        n_threads : int, optional
            All processors otherwise.
        """
        explanation = Explanation.of_size(len(matrix), int(group_of.max(initial=-1)) + 1, n_reasons)
        tables = self._tables_for(matrix)
        if tables is None:
            contributions = self.contributions(matrix, n_threads)
            explanation.raw[:] = self.raw_scores(matrix, n_threads)
            explanation.base[:] = contributions[:, -1]
            explanation.fill(slice(None), np.ascontiguousarray(contributions[:, :-1].T), group_of)
            return explanation
        explanation.base[:] = tables.base

        def fill(rows: slice) -> None:
            contributions, explanation.raw[rows] = tables.contributions(matrix[rows])
            explanation.fill(rows, contributions, group_of)

        over_rows(fill, len(matrix), n_threads)
        return explanation

    def _tables_for(self, matrix: Matrix) -> TreeTables | None:
        """Return the tables, None for what LightGBM evaluates, or refuses in its own words."""
        tables = self.tables
        suits = tables is not None and matrix.dtype == np.float32 and matrix.shape[1] == tables.n_features
        return tables if suits else None


def lightgbm_module() -> Any:
    """Import LightGBM with OpenMP threads that sleep while they wait.

    By default they spin, which makes training take three times as long on a machine that is also used otherwise.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import lightgbm  # noqa: PLC0415

    return lightgbm


def threads(n_threads: int | None) -> int:
    """Return how many threads are meant: all processors where none are given."""
    return n_threads or os.cpu_count() or 1
