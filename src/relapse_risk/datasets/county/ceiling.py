"""The best any order could do: households by their true hazard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

CEILING = "truth (the ceiling)"


def true_hazard(truth: pa.Table, index: pd.MultiIndex) -> npt.NDArray[np.float64]:
    """Return each household's true hazard in the month of its date.

    Parameters
    ----------
    truth : pyarrow.Table
        As ``read_truth`` or ``simulate_county`` gives it.
    index : pandas.MultiIndex
        Pairs (household_id, as_of).

    Returns
    -------
    ndarray of float64, shape (n,)
        Missing for a household on the list that month, or one the truth does not tell of.
    """
    import pandas as pd  # noqa: PLC0415

    told = truth.to_pandas(date_as_object=False)
    months = pd.DatetimeIndex(told["month"]).to_period("M")
    hazard = pd.Series(
        told["hazard"].to_numpy(np.float64), pd.MultiIndex.from_arrays([told["household_id"], months])
    )
    dates = pd.DatetimeIndex(index.get_level_values("as_of")).to_period("M")
    asked = pd.MultiIndex.from_arrays([index.get_level_values("household_id"), dates])
    return hazard.reindex(asked).to_numpy()
