"""How far probabilities can be taken at their word, in tables to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from relapse_risk.errors import UsageError
from relapse_risk.explore.rates import wilson
from relapse_risk.training.evaluate import GROUPS, MODEL, WITHOUT_DIRECTIONS
from relapse_risk.training.intervals import DRAWS, ranking_intervals
from relapse_risk.training.metrics import foreseen_by_date

if TYPE_CHECKING:
    import pandas as pd


def reliability(predictions: pd.DataFrame, group: str = "fall", bins: int = 6) -> pd.DataFrame:
    """Return how often the outcome came true among rows of about the same probability.

    Parameters
    ----------
    predictions : DataFrame
        Of ``train(...)`` or ``evaluate(...)``.
    group : {"relapse", "fall"}
        Those who would be scored, or every household not poor.
    bins : int
        Groups by probability, of about the same number of households foreseen each: where few are poor, groups of
        the same size would nearly all be at the lowest probabilities.

    Returns
    -------
    pandas.DataFrame
        A row per bin, lowest probability first: ``rows``; ``probability``, its mean; ``foreseen``, its sum;
        ``came_true``; ``rate``, came true over rows; ``low`` and ``high``, the rate's 95 % interval.
    """
    import pandas as pd  # noqa: PLC0415

    rows = _of_group(predictions, group).sort_values("probability", kind="stable")
    before = rows["probability"].cumsum() - rows["probability"] / 2
    by = (before / before.max() * bins).clip(upper=bins - 1).astype("int64").rename("bin")
    table = pd.DataFrame(
        {
            "rows": rows.groupby(by).size(),
            "probability": rows["probability"].groupby(by).mean(),
            "foreseen": rows["probability"].groupby(by).sum(),
            "came_true": rows["label"].groupby(by).sum().astype("int64"),
        }
    )
    low, high = wilson(table["came_true"], table["rows"])
    return table.assign(rate=table["came_true"] / table["rows"], low=low, high=high)


def foreseen(predictions: pd.DataFrame, group: str = "fall") -> pd.DataFrame:
    """Return how many were foreseen at each date, beside how many came true.

    Parameters
    ----------
    predictions, group
        As for ``reliability``.

    Returns
    -------
    pandas.DataFrame
        By ``as_of``: ``rows``; ``foreseen``, the sum of the probabilities; ``low`` and ``high``, between which the
        number lies 95 times in 100 if the probabilities are right; ``came_true``.
    """
    import pandas as pd  # noqa: PLC0415

    rows = _of_group(predictions, group)
    days, probability = rows["as_of"].to_numpy(), rows["probability"].to_numpy(np.float64)
    found = foreseen_by_date(days, probability, rows["label"].to_numpy(bool))
    table = pd.DataFrame.from_dict(found, orient="index")
    table.index = pd.DatetimeIndex(table.index, name="as_of")
    variance = rows["probability"] * (1.0 - rows["probability"])
    half: npt.NDArray[Any] = 1.96 * np.sqrt(variance.groupby(rows["as_of"]).sum().to_numpy())
    low, high = np.clip(table["foreseen"] - half, 0.0, None), table["foreseen"] + half
    return table.assign(low=low, high=high)[["rows", "foreseen", "low", "high", "came_true"]]


def scores_table(
    predictions: pd.DataFrame, capacity: float, group: str = "fall", *, draws: int = DRAWS
) -> pd.DataFrame:
    """Return how well the model and each rule of today order the households, with 95 % intervals.

    Parameters
    ----------
    predictions, group
        As for ``reliability``.
    capacity : float
        Share of each date's households that can be visited: ``settings.training.capacity``.
    draws : int
        How often households are drawn anew.

    Returns
    -------
    pandas.DataFrame
        As ``relapse_risk.training.intervals.ranking_intervals`` returns it, compared with the model.
    """
    rows = _of_group(predictions, group)
    known = {"household_id", "as_of", "label", "in_cohort", "was_poor_before", "not_poor", "probability"}
    others = [str(column) for column in rows if column not in known and column != WITHOUT_DIRECTIONS]
    scores = {MODEL: "probability", **{name: name for name in others}}
    return ranking_intervals(rows, scores, capacity, base=MODEL, draws=draws)


def _of_group(predictions: pd.DataFrame, group: str) -> pd.DataFrame:
    if group not in GROUPS:
        raise UsageError(f"group={group!r}. Valid: {', '.join(GROUPS)}.")
    return predictions[predictions[GROUPS[group]]].reset_index(drop=True)
