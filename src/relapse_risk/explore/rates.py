"""How often the outcome comes true, by date and by the value of a feature, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from relapse_risk.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Numbers = npt.NDArray[np.float64]
#: Standard deviations of a normal distribution that hold 95 % of it.
_Z95 = 1.959963984540054


def wilson(positives: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    """Return the 95 % interval of a share by Wilson's score: sound for few rows and for shares near 0.

    Parameters
    ----------
    positives, n : array_like of int
        How many of how many; rows of one household count as if they were of several, so that over many dates the
        interval is too narrow.

    Returns
    -------
    low, high : ndarray of float64
        NaN where ``n`` is 0.

    Examples
    --------
    >>> low, high = wilson([1, 10], [10, 100])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.018, 0.055], [0.404, 0.174])
    """
    k, total = np.asarray(positives, np.float64), np.asarray(n, np.float64)
    total = np.where(total > 0, total, np.nan)
    share, z2 = k / total, _Z95**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z95 / (1 + z2 / total) * np.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    # Exactly 0 and 1 where rounding would leave a trace.
    return np.where(k == 0, 0.0 * total, middle - half), np.where(k == total, 1.0, middle + half)


def outcomes_by_date(labels: pd.Series[Any]) -> pd.DataFrame:
    """Return how many households had the outcome, by as_of date.

    Parameters
    ----------
    labels : Series of boolean
        As ``relapse_risk.labels`` returns it, missing where not known.

    Returns
    -------
    pandas.DataFrame
        By ``as_of``: ``households``; ``labelled``, those of them whose label is known; ``poor``; ``rate``, poor
        over labelled; ``low`` and ``high``, its 95 % interval.
    """
    by_date = labels.groupby(level="as_of").agg(["size", "count", "sum"]).astype("int64")
    return _rates(by_date.set_axis(["households", "labelled", "poor"], axis=1))


def outcomes_by_value(values: pd.Series[Any], labels: pd.Series[Any], groups: int = 10) -> pd.DataFrame:
    """Return how often the outcome came true, by the value of a feature.

    Parameters
    ----------
    values : Series
        A feature, a column of ``build_features``.
    labels : Series of boolean
        As ``relapse_risk.labels`` returns it, of the same rows.
    groups : int
        Groups of about equal size that numbers are cut into; fewer where many rows share a value. Categories,
        and numbers with no more values than this, are a group each.

    Returns
    -------
    pandas.DataFrame
        By ``value``, in order and last ``missing`` where there are such rows: ``households`` (rows), ``labelled``,
        ``poor``, ``rate``, ``low`` and ``high`` as in ``outcomes_by_date``.

    Raises
    ------
    UsageError
        If the rows differ.
    """
    import pandas as pd  # noqa: PLC0415

    if not values.index.equals(labels.index):
        raise UsageError("values and labels are of different rows; build both on one index")
    by = _grouped(values, groups)
    rows = pd.DataFrame({"value": by.to_numpy(), "label": labels.to_numpy()}).groupby("value", sort=False)["label"]
    counts = pd.DataFrame({"households": rows.size(), "labelled": rows.count(), "poor": rows.sum()}, dtype="int64")
    order = [group for group in by.cat.categories if group in counts.index]
    return _rates(counts.loc[order].rename_axis("value"))


def _rates(counts: pd.DataFrame) -> pd.DataFrame:
    labelled = counts["labelled"].to_numpy(np.float64)
    low, high = wilson(counts["poor"], labelled)
    rate: Any = counts["poor"] / np.where(labelled > 0, labelled, np.nan)
    return counts.assign(rate=rate, low=low, high=high)


def _grouped(values: pd.Series[Any], groups: int) -> pd.Series[Any]:
    """Return each row's group as an ordered category, ``missing`` where there is no value."""
    import pandas as pd  # noqa: PLC0415

    if values.dtype.name == "category":
        named = values.astype(object).where(values.notna(), "missing").astype(str)
        order = [str(code) for code in values.cat.categories]
    else:
        numbers = values.to_numpy(np.float64)
        edges, order = _edges(numbers[~np.isnan(numbers)], groups)
        place = np.searchsorted(edges, numbers, side="right") - 1
        words = np.array([*order, "missing"], dtype=object)
        named = pd.Series(words[np.where(np.isnan(numbers), len(order), np.clip(place, 0, len(order) - 1))])
    return named.astype(pd.CategoricalDtype([*order, "missing"], ordered=True)).cat.remove_categories(
        [] if "missing" in set(named) else ["missing"]
    )


def _edges(numbers: Numbers, groups: int) -> tuple[Numbers, list[str]]:
    """Return the lowest value of each group, in order, and its name."""
    if not numbers.size:
        return numbers, []
    distinct = np.unique(numbers)
    if len(distinct) <= groups:
        return distinct, [f"{value:.6g}" for value in distinct]
    quantiles = np.quantile(numbers, np.linspace(0.0, 1.0, groups + 1), method="inverted_cdf")
    edges = np.unique(quantiles[:-1])
    highest = np.append(edges[1:], distinct[-1])
    digits = next(d for d in range(3, 18) if len({f"{edge:.{d}g}" for edge in edges}) == len(edges))
    return edges, [f"{low:.{digits}g} to {high:.{digits}g}" for low, high in zip(edges, highest, strict=True)]
