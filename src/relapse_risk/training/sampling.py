"""Which rows are learned from, where there are too many: every positive, and a fixed share of the negatives.

A negative is kept by a hash of its household id and date. So it does not matter in which order or blocks rows are
read, on which machine, or which other rows there are; and a smaller share is part of a larger one. Each that is
kept counts for those that are not: its weight is one over the share, so that probabilities stay right.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from relapse_risk.features.build import split_index

if TYPE_CHECKING:
    import pandas as pd

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
#: Of the 64 bits of a hash, a float64 holds 53.
_BITS = 53


def uniform(index: pd.MultiIndex, seed: int) -> Numbers:
    """Return a number in [0, 1) for each pair of household and date, from nothing but the two and the seed.

    The household id is hashed by BLAKE2b (64 bits) with the seed as its key; the day, counted from 1970-01-01, is
    mixed in by the finaliser of SplitMix64 (Steele, Lea, Flood 2014); the upper 53 bits are the number.

    Parameters
    ----------
    index : pandas.MultiIndex
        Pairs (household_id, as_of).
    seed : int
        Another seed gives other numbers.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    ids, household, days, date = split_index(index)
    hashed = _hashes(ids.to_pylist(), seed)[household]
    mixed = _mixed(hashed ^ _mixed(days.astype(np.uint64))[date])
    return np.asarray((mixed >> np.uint64(64 - _BITS)) / 2.0**_BITS, np.float64)


def _hashes(ids: Iterable[str], seed: int) -> npt.NDArray[np.uint64]:
    key = seed.to_bytes(8, "little")
    digests = b"".join(blake2b(one.encode(), digest_size=8, key=key).digest() for one in ids)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the numbers mixed by the finaliser of SplitMix64; overflow is meant."""
    x = numbers + _STEP
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        x = (x ^ (x >> shift)) * factor
    mixed: npt.NDArray[np.uint64] = x ^ (x >> _SHIFTS[-1])
    return mixed


def share_of(n_negatives: float, most: int) -> float:
    """Return the share of the negatives to keep so that about ``most`` remain: 1 if there are no more of them."""
    return 1.0 if n_negatives <= most else most / n_negatives


def kept(index: pd.MultiIndex, y: Flags, share: float, seed: int) -> Flags:
    """Return which rows are kept: all positives, and negatives whose number is below the share.

    Parameters
    ----------
    index : pandas.MultiIndex
        Pairs (household_id, as_of).
    y : ndarray of bool, shape (n,)
        Their labels.
    share : float
        Share of the negatives.
    seed : int
        See ``uniform``.
    """
    return np.full(len(y), True) if share >= 1.0 else y | (uniform(index, seed) < share)


def weights(y: Flags, share: float) -> Numbers:
    """Return what each kept row counts for: 1 if it is positive, one over the share otherwise."""
    return np.where(y, 1.0, 1.0 / share)
