"""The only maker of features: any (household, as_of) pairs, from what was visible on each pair's day."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.dates import FAR_FUTURE, Days, add_months, month_number, to_days
from relapse_risk.errors import UsageError
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.features.encode import Encoded, days_of_change
from relapse_risk.features.kernel import DateWindows, fill_rows
from relapse_risk.features.layout import lay_out
from relapse_risk.features.plan import Plan, make_plan
from relapse_risk.records.records import Records
from relapse_risk.settings import LineSettings

if TYPE_CHECKING:
    import pandas as pd

#: Index rows a thread computes at a time; fewer are computed where they are asked for.
CHUNK = 16384
#: Windows without a start reach back to here.
_DISTANT_PAST = -FAR_FUTURE


def build_features(
    records: Records, index: pd.MultiIndex, features: Sequence[Feature] | None = None
) -> pd.DataFrame:
    """Compute features of households on dates.

    A row depends on its own household's records that were visible on its as_of date, and on nothing else: not on
    the other rows, their order, the order of the records or the number of threads.

    Parameters
    ----------
    records : Records
        Where the histories are.
    index : pandas.MultiIndex
        Levels ``household_id`` and ``as_of``, any order and number of pairs; see ``cohort``.
    features : sequence of Feature, optional
        What to compute; otherwise the catalogue's features of the tables the records have.

    Returns
    -------
    pandas.DataFrame
        A row per pair, a float32 column per feature (categorical for codes); missing values stay missing.

    Raises
    ------
    UsageError
        If the index is not of pairs (household_id, as_of).
    """
    chosen = tuple(catalogue(records.settings, records.present) if features is None else features)
    ids, household_code, dates, date_code = split_index(index)
    return frame_of(build_matrix(records, ids, household_code, dates, date_code, make_plan(chosen)), index, chosen)


def frame_of(matrix: npt.NDArray[np.float32], index: pd.MultiIndex, features: Sequence[Feature]) -> pd.DataFrame:
    """Return a matrix of ``build_matrix`` as a frame: codes are categorical; numbers are not copied."""
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame(matrix, index=index, columns=[feature.name for feature in features], copy=False)
    coded = {f.name: _categorical(matrix[:, k], f) for k, f in enumerate(features) if f.codes}
    return frame.assign(**coded) if coded else frame


def _categorical(values: npt.NDArray[np.float32], feature: Feature) -> Any:
    import pandas as pd  # noqa: PLC0415

    assert feature.codes is not None  # noqa: S101
    codes: Any = np.where(np.isnan(values), -1, values).astype(np.int64)
    return pd.Categorical.from_codes(codes, categories=pd.Index(feature.codes.values))


def split_index(index: pd.MultiIndex) -> tuple[pa.Array, npt.NDArray[np.int64], Days, npt.NDArray[np.int64]]:
    """Return an index's household ids and dates, each once, and the positions of every pair's.

    Raises
    ------
    UsageError
        If the index has other levels than ``household_id`` (text) and ``as_of`` (whole days: datetime64, or dates),
        or a pair lacks one of the two.
    """
    names = list(getattr(index, "names", []))
    if names != ["household_id", "as_of"]:
        raise UsageError(f"an index of pairs (household_id, as_of) is needed, not of {names}; see cohort()")
    ids, dates = index.levels
    if dates.dtype.kind == "M":
        days = dates.to_numpy().astype("datetime64[D]").astype(np.int32)
    else:
        days = np.array([to_days(day) for day in dates], np.int32)
    household_code, date_code = (np.asarray(codes, np.int64) for codes in index.codes)
    if (household_code < 0).any() or (date_code < 0).any():
        raise UsageError("the index has pairs without a household_id or as_of; drop them, or state both")
    return pa.array(ids, pa.string()), household_code, days, date_code


def build_matrix(
    records: Records,
    ids: pa.Array,
    household_code: npt.NDArray[np.int64],
    days: Days,
    date_code: npt.NDArray[np.int64],
    plan: Plan,
    *,
    n_threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Compute features as a matrix; ``build_features`` and the service both call this.

    Parameters
    ----------
    records : Records
        Where the histories are.
    ids : pyarrow.Array of string
        Household ids.
    household_code, date_code : ndarray of int64, shape (n,)
        Position of each pair's household in ``ids`` and of its date in ``days``.
    days : ndarray of int32
        As_of dates, days since 1970-01-01.
    plan : Plan
        What to compute; see ``make_plan``.
    n_threads : int, optional
        Threads for a large index; all processors otherwise.

    Returns
    -------
    ndarray of float32, shape (n, n_features)
        Codes as their position in the code list; NaN where missing. Sums run in float64.
    """
    windows = windows_back(days, plan, records.settings.line)
    return build_in_windows(records, ids, household_code, windows, date_code, plan, n_threads=n_threads)


def build_in_windows(
    records: Records,
    ids: pa.Array,
    household_code: npt.NDArray[np.int64],
    windows: DateWindows,
    date_code: npt.NDArray[np.int64],
    plan: Plan,
    *,
    n_threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Compute a matrix as ``build_matrix`` does, in windows that may lie anywhere: a label looks forward."""
    encoded = encode(records)
    household = encoded.households(ids)[household_code]
    date = date_code.astype(np.int32)
    matrix = np.empty((len(household), len(plan.features)), np.float32)
    threads = n_threads or os.cpu_count() or 1
    if len(household) <= CHUNK or threads == 1:
        fill_rows(household, date, plan.program, lay_out(records, encoded, plan), windows, matrix)
        return matrix
    with ThreadPoolExecutor(threads) as pool:
        facts = lay_out(records, encoded, plan, pool.map)

        def fill(low: int) -> None:
            part = slice(low, low + CHUNK)
            fill_rows(household[part], date[part], plan.program, facts, windows, matrix[part])

        deque(pool.map(fill, range(0, len(household), CHUNK)), maxlen=0)
    return matrix


def windows_back(days: Days, plan: Plan, line: LineSettings) -> DateWindows:
    """Return a plan's windows as they look back from dates.

    Parameters
    ----------
    days : ndarray of int32, shape (n_dates,)
        As_of dates, days since 1970-01-01.
    plan : Plan
        The windows.
    line : LineSettings
        Whose steps hold on the dates.
    """
    months = sorted({edge for window in plan.windows for edge in window if edge is not None})
    column = {month: k for k, month in enumerate(months)}
    moved = add_months(days[:, None], -np.array(months, np.int64))
    moved = np.column_stack([moved, np.full(len(days), _DISTANT_PAST, np.int32)])
    return DateWindows(
        as_of=days,
        month=month_number(days),
        step=np.searchsorted(days_of_change(line), days, side="right").astype(np.int32),
        starts=moved.take([len(months) if start is None else column[start] for start, _ in plan.windows], axis=1),
        ends=moved.take([column[end] for _, end in plan.windows], axis=1),
    )


def encode(records: Records) -> Encoded:
    """Return the records as arrays, made once."""
    encoded = records.cache.get("encoded")
    if encoded is None:
        encoded = records.cache["encoded"] = Encoded(records)
    return cast(Encoded, encoded)
