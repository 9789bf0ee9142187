"""What the training rows looked like: to compare a household's values with, and later ones for drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Quantiles kept of each feature.
QUANTILES = tuple(np.linspace(0, 1, 11).tolist())


@dataclass(frozen=True)
class FeatureReference:
    """One feature's distribution over the training rows.

    Parameters
    ----------
    missing : float
        Share of rows without a value.
    quantiles : tuple of float
        Deciles from the minimum to the maximum of the values; empty where there is none.
    """

    missing: float
    quantiles: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """The middle value, None where there is none."""
        return self.quantiles[len(self.quantiles) // 2] if self.quantiles else None


def describe(matrix: npt.NDArray[np.float32]) -> list[FeatureReference]:
    """Return each column's reference."""
    references = []
    for column in matrix.T:
        values = column[~np.isnan(column)].astype(np.float64)
        deciles = tuple(float(q) for q in np.quantile(values, QUANTILES)) if values.size else ()
        references.append(FeatureReference(1.0 - values.size / max(len(column), 1), deciles))
    return references
