"""Checks of the estimator's parameters and inputs, made before it fits or scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from relapse_risk.errors import UsageError
from relapse_risk.settings import OutcomeSettings

if TYPE_CHECKING:
    import pandas as pd

#: Files of boosters are numbered with two digits.
MOST_BOOSTERS = 100


def _whole(least: int, most: float = float("inf")) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most


def _number(holds: Callable[[float], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Real) and not isinstance(value, bool) and holds(float(value))


def _directions(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and direction in (-1, 0, 1) for name, direction in value.items())
    return value is None or (isinstance(value, str) and value == "catalogue")


#: For each parameter, the check and what is valid in words.
_VALID: dict[str, tuple[Callable[[Any], bool], str]] = {
    "n_trees": (_whole(1), "1 or more"),
    "n_boosters": (_whole(1, MOST_BOOSTERS), f"1 to {MOST_BOOSTERS}"),
    "learning_rate": (_number(lambda x: 0 < x < float("inf")), "a number above 0"),
    "num_leaves": (_whole(2, 131_072), "2 to 131072"),
    "feature_fraction": (_number(lambda x: 0 < x <= 1), "a number above 0, up to 1"),
    "bagging_fraction": (_number(lambda x: 0 < x <= 1), "a number above 0, up to 1"),
    "lambda_l2": (_number(lambda x: 0 <= x < float("inf")), "a number, 0 or more"),
    "min_rows_in_leaf": (
        lambda value: value == "auto" if isinstance(value, str) else _whole(1)(value),
        "'auto', or 1 or more",
    ),
    "monotone": (_directions, "'catalogue', None, or a dictionary of feature names to -1, 0 or 1"),
    "outcome": (
        lambda value: value is None or isinstance(value, OutcomeSettings),
        "None, or OutcomeSettings as in settings.outcome",
    ),
    "calibration_share": (_number(lambda x: 0 < x < 1), "a number above 0 and below 1"),
    "random_state": (_whole(0, 2**31 - 1 - MOST_BOOSTERS), f"0 to {2**31 - 1 - MOST_BOOSTERS}"),
    "n_threads": (lambda value: value is None or _whole(1)(value), "None, or 1 or more"),
}


def check_parameters(model: BaseEstimator) -> None:
    """Refuse invalid parameters.

    Raises
    ------
    UsageError
        If any is invalid; the message lists all of them.
    """
    given = model.get_params(deep=False)
    wrong = [
        f"{name}={given[name]!r}. Valid: {words}."
        for name, (holds, words) in _VALID.items()
        if not holds(given[name])
    ]
    if wrong:
        raise UsageError("\n".join(wrong))


def check_fitted(model: BaseEstimator, attribute: str = "calibrator_") -> None:
    """Refuse a model that was not fitted, or has trees alone where a probability is asked for.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it was not.
    """
    trees_only = attribute == "calibrator_" and hasattr(model, "boosters_")
    lacks = (
        "has trees but no calibration, so it ranks but gives no probability" if trees_only else "is not fitted yet"
    )
    check_is_fitted(model, attribute, msg=f"this %(name)s {lacks}. Call fit(X, y), or load one with load_model.")


def check_columns(frame: pd.DataFrame) -> None:
    """Refuse columns whose names are not distinct texts.

    Raises
    ------
    UsageError
        If a name occurs twice or is not a text.
    """
    twice = frame.columns[frame.columns.duplicated()].unique()
    if len(twice):
        named = ", ".join(str(name) for name in twice[:5])
        raise UsageError(f"{len(twice)} column(s) of X are there more than once: {named}. Give each feature once.")
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        named = ", ".join(repr(name) for name in odd[:5])
        raise UsageError(
            f"{len(odd)} column name(s) of X are no text: {named}. Name every feature, as build_features does, "
            "or give an array."
        )


def check_labels(X: Any, y: Any) -> None:
    """Refuse labels that do not match the features row by row; rows are never reordered.

    A pair of household and date may occur several times, as after resampling.

    Raises
    ------
    UsageError
        If ``X`` and ``y`` have different indices or another order, or labels are missing in a dtype without a
        missing value. A plain ``RangeIndex`` on either side is accepted.
    """
    import pandas as pd  # noqa: PLC0415

    if not isinstance(y, pd.Series):
        return
    if y.dtype.name not in ("boolean", "Int64") and y.isna().any():
        raise UsageError(
            f"{int(y.isna().sum())} label(s) are missing in a y of type {y.dtype}. Valid: a boolean Series with "
            "pandas.NA where there is no label, as labels() gives it; such rows are left out and counted."
        )
    if not isinstance(X, pd.DataFrame) or len(X) != len(y) or X.index.equals(y.index):
        return
    if X.index.nlevels == y.index.nlevels and y.index.isin(X.index).all() and X.index.isin(y.index).all():
        raise UsageError("y has the rows of X in another order. Give y.loc[X.index], or y and X as they were made.")
    if not any(index.equals(pd.RangeIndex(len(y))) for index in (X.index, y.index)):
        raise UsageError("y is indexed by other rows than X. Valid: X's index, as labels(records, X.index) gives.")


def check_weights(sample_weight: Any, X: npt.NDArray[np.float32]) -> npt.NDArray[np.float64] | None:
    """Return the weights of rows, None if none were given.

    Raises
    ------
    ValueError
        If there are not as many as rows, or one is negative, infinite or missing.
    """
    if sample_weight is None:
        return None
    checked = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    return cast("npt.NDArray[np.float64]", checked)
