"""Values of pairs of household and date, computed block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.dates import Days
from relapse_risk.features.build import split_index
from relapse_risk.records.blocks import RecordBlocks, each_block, place_among
from relapse_risk.records.records import Records

if TYPE_CHECKING:
    import pandas as pd

Positions: TypeAlias = npt.NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs of household and date.

    Parameters
    ----------
    ids : pyarrow.Array of string
        Household ids, each once.
    household : ndarray of int64, shape (n,)
        Position of each pair's household in ``ids``.
    days : ndarray of int32
        Dates, each once, days since 1970-01-01.
    date : ndarray of int64, shape (n,)
        Position of each pair's date in ``days``.
    """

    ids: pa.Array
    household: Positions
    days: Days
    date: Positions


def values_of_pairs(
    records: Records | RecordBlocks,
    index: pd.MultiIndex,
    function: Callable[[Records, Pairs], Sequence[npt.NDArray[Any]]],
) -> list[npt.NDArray[Any]]:
    """Compute arrays of a value per pair, each pair from the block that its household is in.

    Parameters
    ----------
    records : Records or RecordBlocks
        Where the histories are.
    index : pandas.MultiIndex
        Levels ``household_id`` and ``as_of``, any pairs in any order.
    function : callable
        Returns the arrays of some pairs; called with a block and the pairs of the households in its range.

    Returns
    -------
    list of ndarray, each of shape (n,)
        In the order of the index.
    """
    pairs = Pairs(*split_index(index))
    if isinstance(records, Records):
        return list(function(records, pairs))
    order = pc.array_sort_indices(pairs.ids)
    ids = pairs.ids.take(order)
    rank = np.empty(len(ids), np.int64)
    rank[np.asarray(order)] = np.arange(len(ids))
    household = rank[pairs.household]
    rows = np.argsort(household, kind="stable")
    ordered = household[rows]

    def of_block(block: Records) -> tuple[Positions, Sequence[npt.NDArray[Any]]]:
        first, end = block.bounds
        low = 0 if first is None else place_among(ids, first)
        high = len(ids) if end is None else place_among(ids, end)
        within = rows[slice(*np.searchsorted(ordered, [low, high]))]
        part = Pairs(ids[low:high], household[within] - low, pairs.days, pairs.date[within])
        return within, function(block, part)

    found: list[npt.NDArray[Any]] = []
    for within, values in each_block(records, of_block):
        found = found or [np.empty(len(rows), of.dtype) for of in values]
        for whole, of in zip(found, values, strict=True):
            whole[within] = of
    return found
