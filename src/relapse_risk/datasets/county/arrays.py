"""Array types, and small steps that several parts of the simulator take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from relapse_risk.records.codes import Codes

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
#: Some members: their households and their slots.
Index = tuple[npt.NDArray[Any], ...]

#: A day that never comes.
NEVER = np.int64(2**40)


def code(codes: Codes, name: str) -> int:
    """Return a code's position in its list."""
    return codes.values.index(name)


def positions(codes: Codes, names: Sequence[str]) -> Ints:
    """Return the positions of several codes in their list."""
    return np.array([codes.values.index(name) for name in names])


def pick(rng: np.random.Generator, weights: Numbers) -> Ints:
    """Return one column for each row of weights, drawn in proportion to them."""
    upto = np.cumsum(weights, axis=1)
    drawn = (rng.random((len(weights), 1)) * upto[:, -1:] > upto).sum(axis=1)
    return np.minimum(drawn, weights.shape[1] - 1)


def count(flags: Flags) -> Ints:
    """Return how many members of each household a flag holds for (numpy's own sum is slow over few columns)."""
    return np.einsum("ij->i", flags.view(np.int8)).astype(np.int64)


def anyone(flags: Flags) -> Flags:
    """Return the households where a flag holds for some member."""
    return count(flags) > 0


def total(amounts: Numbers) -> Numbers:
    """Return each household's sum of its members' amounts."""
    return np.einsum("ij->i", amounts)
