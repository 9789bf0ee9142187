"""A model's inputs: the declared features behind its column names, and how training rows were distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from relapse_risk.errors import BundleRefused
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.settings import Settings

#: Quantiles kept of each feature.
QUANTILES = tuple(np.linspace(0, 1, 11).tolist())


def features_by_name(names: Sequence[str], settings: Settings) -> tuple[Feature, ...]:
    """Return the catalogue's features of these names, in this order.

    Raises
    ------
    BundleRefused
        If the catalogue has no feature of a name: the model was made for another one.
    """
    known = {feature.name: feature for feature in catalogue(settings)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BundleRefused(
            f"the model uses {len(unknown)} feature(s) that the catalogue does not declare: "
            f"{', '.join(unknown[:5])}. Train it again with this version, or use the version it was made with."
        )
    return tuple(known[name] for name in names)


@dataclass(frozen=True)
class FeatureReference:
    """One feature's distribution over the training rows: what a household's value is compared with.

    Parameters
    ----------
    missing : float
        Share of rows without a value.
    quantiles : tuple of float
        Deciles from the minimum to the maximum of the values; empty if all are missing.
    """

    missing: float
    quantiles: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """The median, None if all values are missing."""
        return self.quantiles[len(self.quantiles) // 2] if self.quantiles else None


def describe(
    matrix: npt.NDArray[np.float32], sample_weight: npt.NDArray[np.float64] | None = None
) -> list[FeatureReference]:
    """Return each column's reference.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, n_features)
        The training rows.
    sample_weight : ndarray of float64, shape (n,), optional
        How many rows each counts for; 1 otherwise. With weights, deciles are values that occur.
    """
    return [_reference(column, sample_weight) for column in matrix.T]


def _reference(column: npt.NDArray[np.float32], weight: npt.NDArray[np.float64] | None) -> FeatureReference:
    known = ~np.isnan(column)
    values = column[known].astype(np.float64)
    if weight is None:
        missing = 1.0 - values.size / max(len(column), 1)
    else:
        missing = 1.0 - float(weight[known].sum()) / float(weight.sum())
        weight = weight[known]
    deciles = quantiles(values, QUANTILES, weight) if values.size else ()
    return FeatureReference(missing, deciles)


def quantiles(
    values: npt.NDArray[np.float64], shares: Sequence[float], weight: npt.NDArray[np.float64] | None
) -> tuple[float, ...]:
    """Return quantiles of values; with weights, each is a value that occurs."""
    how: dict[str, Any] = {} if weight is None else {"weights": weight, "method": "inverted_cdf"}
    return tuple(float(q) for q in np.quantile(values, shares, **how))
