"""The estimator: features in, calibrated probability of return to poverty out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from relapse_risk.errors import NotEnoughData, OutcomeNotGiven, UsageError, warn_caller
from relapse_risk.features.catalogue import catalogue
from relapse_risk.model.boosters import Boosters, Matrix, Numbers
from relapse_risk.model.calibration import SigmoidCalibrator, Timing, fit_sigmoid, level_shift
from relapse_risk.model.calibration_split import Split, as_of_days, calibration_splits, label_timing
from relapse_risk.model.checks import check_columns, check_fitted, check_labels, check_parameters, check_weights
from relapse_risk.model.inputs import FeatureReference, describe, quantiles
from relapse_risk.model.train_boosters import BinnedRows
from relapse_risk.settings import OutcomeSettings

if TYPE_CHECKING:
    import pandas as pd

    from relapse_risk.features.declare import Feature

#: Bands, and the share of the calibration rows at or above the threshold of each.
BANDS = (("high", 0.10), ("medium", 0.30))
LOWEST_BAND = "low"


class RelapseModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """LightGBM boosters, averaged and calibrated on later labels.

    Parameters
    ----------
    n_trees : int
        Trees of each booster.
    n_boosters : int
        Boosters that differ in their seed and are averaged.
    learning_rate, num_leaves, feature_fraction, bagging_fraction, lambda_l2
        Parameters of LightGBM.
    min_rows_in_leaf : int or "auto"
        Fewest rows in a leaf. ``auto``: a 250th of the training rows, between 5 and 200.
    monotone : "catalogue", dict of str to {-1, 0, 1}, or None
        Direction of risk in each feature: as the catalogue declares, as given, or unconstrained.
    outcome : OutcomeSettings, optional
        What the labels are, as in ``records.settings.outcome``: decides which labels were mature before which
        dates. Without it, rows with dates are calibrated on other households, and a warning says so.
    calibration_share : float
        Share of the rows, the latest, that the sigmoid is fitted on.
    random_state : int
        Seed of the first booster and of the folds.
    n_threads : int, optional
        All processors otherwise; the model does not depend on it.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        The values of the labels; the second is the outcome.
    boosters_ : Boosters
        Trees fitted on all rows.
    calibrator_ : SigmoidCalibrator
        Raw score to probability.
    calibrated_on_ : {"later labels", "other households"}
        What the sigmoid was fitted on: labels of later dates, or, where the dates are too few or the outcome was
        not given, folds of households that the trees had not seen.
    band_thresholds_ : dict of str to float
        Lowest raw score of each band.
    categories_ : dict of str to list
        Categories of each categorical column, in the order of their codes.
    reference_ : dict of str to FeatureReference
        Distribution of each feature over the training rows.
    n_rows_ : int
        Rows trained on.
    n_left_out_ : int
        Rows left out because they had no label, or weight 0.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3)).astype(np.float32)
    >>> y = X[:, 0] + rng.normal(size=400) > 1
    >>> model = RelapseModel(n_trees=20, n_boosters=1).fit(X, y)
    >>> model.predict_proba(X).shape
    (400, 2)
    """

    def __init__(
        self,
        *,
        n_trees: int = 400,
        n_boosters: int = 4,
        learning_rate: float = 0.03,
        num_leaves: int = 7,
        feature_fraction: float = 0.2,
        bagging_fraction: float = 0.8,
        lambda_l2: float = 5.0,
        min_rows_in_leaf: int | Literal["auto"] = "auto",
        monotone: Mapping[str, int] | Literal["catalogue"] | None = "catalogue",
        outcome: OutcomeSettings | None = None,
        calibration_share: float = 0.2,
        random_state: int = 0,
        n_threads: int | None = None,
    ) -> None:
        self.n_trees = n_trees
        self.n_boosters = n_boosters
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.feature_fraction = feature_fraction
        self.bagging_fraction = bagging_fraction
        self.lambda_l2 = lambda_l2
        self.min_rows_in_leaf = min_rows_in_leaf
        self.monotone = monotone
        self.outcome = outcome
        self.calibration_share = calibration_share
        self.random_state = random_state
        self.n_threads = n_threads

    def __sklearn_tags__(self) -> Any:
        """Declare to scikit-learn that missing values are allowed and that there are two classes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def fit(
        self,
        X: pd.DataFrame | npt.ArrayLike,
        y: pd.Series[Any] | npt.ArrayLike,
        *,
        scored: npt.NDArray[np.bool_] | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> RelapseModel:
        """Fit trees and calibrate them.

        First, trees are fitted on earlier rows and the sigmoid on the rows of the latest dates; the earlier rows
        are those whose label was mature by then. Then the final trees are fitted on all rows. They keep the slope
        of the sigmoid, and its level is fitted again (see ``relapse_risk.model.calibration``): on all rows,
        weighted towards the newest, and on the rows that would be scored. If ``X`` has no dates in its index or
        ``outcome`` was not given, the sigmoid is fitted on held-out households; without dates, all rows have the
        same weight.

        Parameters
        ----------
        X : DataFrame or array_like, shape (n, n_features)
            Features. The index that ``build_features`` gives has the household and date of each row.
        y : Series or array_like, shape (n,)
            Labels of the rows of ``X``, in the same order; rows whose label is missing (``pandas.NA``) are left out
            and counted.
        scored : ndarray of bool, shape (n,), optional
            Which rows would be scored, if others are trained on too: the expected number of positives is made right
            among these.
        sample_weight : array_like, shape (n,), optional
            How many rows each counts for, as where some of many negatives are kept for the others; rows of weight 0
            are left out. Weights that are all 1 are the same as none.

        Raises
        ------
        UsageError
            If a parameter is invalid, a column occurs twice or is not numeric, or the indices of ``X`` and ``y``
            differ.
        NotEnoughData
            If one of the classes does not occur.

        Warns
        -----
        OutcomeNotGiven
            If the rows have dates and ``outcome`` was not given.
        """
        rows = self._prepare(X, y, sample_weight)
        if self.outcome is None and as_of_days(rows.pairs) is not None:
            warn_caller(
                "X has as_of dates, but the estimator was not given the outcome and cannot know when a label was "
                "mature: it calibrates on other households instead of on later labels. "
                "Give RelapseModel(outcome=records.settings.outcome)",
                OutcomeNotGiven,
            )
        splits, self.calibrated_on_ = calibration_splits(
            rows.pairs,
            rows.y,
            self.outcome,
            share=self.calibration_share,
            seed=self.random_state,
            sample_weight=rows.weight,
        )
        binned = self._binned(rows)
        self.calibrator_, self.band_thresholds_ = self._calibrate(rows, binned, splits)
        self.boosters_ = self._boosters(binned, len(rows.y))
        among = None if scored is None else np.asarray(scored, bool)[rows.used]
        timing = label_timing(rows.pairs, len(rows.y), self.outcome, splits, rows.weight)
        self.calibrator_ = self._at_newest_level(rows, timing, among)
        columns = list(getattr(self, "feature_names_in_", range(rows.X.shape[1])))
        self.reference_: dict[str, FeatureReference] = {
            str(column): reference for column, reference in zip(columns, describe(rows.X, rows.weight), strict=True)
        }
        return self

    def fit_trees(
        self,
        X: pd.DataFrame | npt.ArrayLike,
        y: pd.Series[Any] | npt.ArrayLike,
        *,
        sample_weight: npt.ArrayLike | None = None,
    ) -> RelapseModel:
        """Fit the trees without calibration: enough to rank by ``decision_function``, in half the time of ``fit``.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``.

        Raises
        ------
        NotEnoughData
            If one of the classes does not occur.
        """
        rows = self._prepare(X, y, sample_weight)
        self.boosters_ = self._boosters(self._binned(rows), len(rows.y))
        return self

    def _prepare(
        self,
        X: pd.DataFrame | npt.ArrayLike,
        y: pd.Series[Any] | npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
    ) -> _Rows:
        """Return the rows to learn from: those with a label and a weight above 0."""
        check_parameters(self)
        check_labels(X, y)
        matrix, names = self._learn_columns(X)
        values, used = _target(y, len(matrix))
        X_checked, target = validate_data(self, matrix, values, dtype=np.float32, ensure_all_finite="allow-nan")
        weight = check_weights(sample_weight, X_checked)
        if weight is not None:
            used &= weight > 0.0
        self.n_left_out_ = int((~used).sum())
        if self.n_left_out_:
            X_checked, target = X_checked[used], target[used]
        if names:  # validate_data was given an array and removed the names of an earlier fit
            self.feature_names_in_ = np.array(names, dtype=object)
        self.n_rows_ = len(target)
        self.classes_, positive = self._classes(target)
        index = getattr(X, "index", None) if names else None
        return _Rows(
            X_checked,
            positive,
            None if weight is None or (weight[used] == 1.0).all() else weight[used],
            None if index is None else index[used],
            used,
        )

    def _learn_columns(self, X: pd.DataFrame | npt.ArrayLike) -> tuple[Any, list[str] | None]:
        """Return the features as numbers, and their names; keep the categories."""
        self.categories_: dict[str, list[Any]] = {}
        if not hasattr(X, "columns"):
            return X, None
        frame = cast("pd.DataFrame", X)
        check_columns(frame)
        names = list(frame.columns)
        for name in names:
            if getattr(frame[name].dtype, "name", "") == "category":
                self.categories_[name] = list(frame[name].cat.categories)
        return self._numbers(frame, names), names

    def _numbers(self, frame: pd.DataFrame, names: list[str]) -> npt.NDArray[Any]:
        """Return the columns as numbers: categories as their codes in training, those not seen there as missing."""
        import pandas as pd  # noqa: PLC0415

        plain = [name for name in names if name not in self.categories_]
        wrong = [
            f"{name} ({frame[name].dtype})" for name in plain if not pd.api.types.is_numeric_dtype(frame[name])
        ]
        if wrong:
            raise UsageError(
                f"{len(wrong)} column(s) hold no numbers: {', '.join(wrong[:5])}. Valid: numbers, true and false, "
                "and categorical columns that were so in training; see build_features."
            )
        if not self.categories_:
            return frame[names].to_numpy()
        columns = [
            self._codes(frame[name], self.categories_[name]) if name in self.categories_ else frame[name].to_numpy()
            for name in names
        ]
        return np.column_stack(columns)

    @staticmethod
    def _codes(values: pd.Series[Any], known: list[Any]) -> Matrix:
        """Return the codes of categories in training, NaN for those not seen there."""
        import pandas as pd  # noqa: PLC0415

        listed = pd.Index(known)
        if values.dtype.name == "category":
            places = np.append(listed.get_indexer(values.cat.categories), -1)[values.cat.codes]
        else:
            places = listed.get_indexer(pd.Index(values))
        return np.where(places < 0, np.nan, places).astype(np.float32)

    @staticmethod
    def _classes(target: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        check_classification_targets(target)
        if (
            type_of_target(target, input_name="y", raise_unknown=True) not in ("binary",)
            and len(np.unique(target)) != 1
        ):
            raise UsageError(
                f"Only binary classification is supported. The type of the target is {type_of_target(target)}."
            )
        classes = np.unique(target)
        if len(classes) < 2:
            raise NotEnoughData(
                f"the {len(target)} labelled rows are all of one class; both are needed to learn from. "
                "Take more as_of dates or households."
            )
        return classes, target == classes[1]

    def _calibrate(
        self, rows: _Rows, binned: BinnedRows, splits: list[Split]
    ) -> tuple[SigmoidCalibrator, dict[str, float]]:
        raw = []
        for split in splits:
            boosters = self._boosters(binned, len(split.train), split.train)
            raw.append(boosters.raw_scores(rows.X[split.test], self.n_threads))
        held_out = np.concatenate([split.test for split in splits])
        scores, truth = np.concatenate(raw), rows.y[held_out]
        weight = None if rows.weight is None else rows.weight[held_out]
        thresholds = quantiles(scores, [1.0 - share for _, share in BANDS], weight)
        bands = {band: threshold for (band, _), threshold in zip(BANDS, thresholds, strict=True)}
        return fit_sigmoid(scores, truth, weight), bands

    def _at_newest_level(
        self, rows: _Rows, timing: Timing, scored: npt.NDArray[np.bool_] | None
    ) -> SigmoidCalibrator:
        log_odds = self.calibrator_.log_odds(self.boosters_.raw_scores(rows.X, self.n_threads))
        return self.calibrator_.shifted(level_shift(log_odds, rows.y, timing, scored, rows.weight))

    def _names(self, n: int) -> list[str]:
        return list(getattr(self, "feature_names_in_", [f"f{k}" for k in range(n)]))

    def _binned(self, rows: _Rows) -> BinnedRows:
        names = self._names(rows.X.shape[1])
        return BinnedRows(
            rows.X,
            rows.y,
            rows.weight,
            names=names,
            categorical=[names.index(name) for name in self.categories_],
            n_threads=self.n_threads,
        )

    def _boosters(self, binned: BinnedRows, n: int, rows: npt.NDArray[np.int64] | None = None) -> Boosters:
        """Return boosters fitted on n rows, all of the binned ones or some."""
        smallest = self.min_rows_in_leaf
        return binned.boosters(
            {
                "learning_rate": self.learning_rate,
                "num_leaves": self.num_leaves,
                "feature_fraction": self.feature_fraction,
                "bagging_fraction": self.bagging_fraction,
                "bagging_freq": 1,
                "lambda_l2": self.lambda_l2,
                "min_data_in_leaf": int(np.clip(n // 250, 5, 200)) if smallest == "auto" else smallest,
            },
            monotone=self._directions(self._names(self.n_features_in_)),
            n_trees=self.n_trees,
            n_boosters=self.n_boosters,
            seed=self.random_state,
            rows=rows,
        )

    def _directions(self, names: list[str]) -> list[int]:
        if self.monotone is None:
            return [0] * len(names)
        if self.monotone == "catalogue":
            directions = {feature.name: feature.monotone for feature in catalogue()}
        else:
            directions = dict(self.monotone)
        return [directions.get(name, 0) for name in names]

    def matrix(self, X: pd.DataFrame | npt.ArrayLike) -> Matrix:
        """Return the features as the trees take them: float32, categories as codes, columns as in training.

        Raises
        ------
        NotFittedError
            If the model was not fitted.
        ValueError
            If columns are missing, unknown, duplicated or in another order than in training.
        """
        check_fitted(self, "boosters_")
        if hasattr(X, "columns"):
            frame = cast("pd.DataFrame", X)
            check_columns(frame)
            validate_data(self, frame, reset=False, skip_check_array=True)
            numbers = self._numbers(frame, list(frame.columns))
            return cast(Matrix, check_array(numbers, dtype=np.float32, ensure_all_finite="allow-nan"))
        return cast(Matrix, validate_data(self, X, reset=False, dtype=np.float32, ensure_all_finite="allow-nan"))

    def decision_function(self, X: pd.DataFrame | npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return raw scores, shape (n,): log-odds before calibration."""
        matrix = self.matrix(X)
        return self.boosters_.raw_scores(matrix, self.n_threads)

    def predict_proba(self, X: pd.DataFrame | npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the probability of each class, shape (n, 2)."""
        check_fitted(self)
        probability = self.calibrator_(self.decision_function(X))
        return np.column_stack([1.0 - probability, probability])

    def predict(self, X: pd.DataFrame | npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the more probable class. To order visits, use ``predict_proba``."""
        probability = self.predict_proba(X)[:, 1]
        return cast("npt.NDArray[Any]", self.classes_[(probability > 0.5).astype(int)])

    def band(self, raw: npt.NDArray[np.float64]) -> npt.NDArray[np.str_]:
        """Return the band of each raw score, by fixed thresholds: it does not depend on other rows."""
        conditions = [raw >= self.band_thresholds_[name] for name, _ in BANDS]
        return np.select(conditions, [name for name, _ in BANDS], LOWEST_BAND)


class _Rows(NamedTuple):
    """Rows to learn from: features, labels, and if there are any weights and index; and which of those given."""

    X: Matrix
    y: npt.NDArray[np.bool_]
    weight: Numbers | None
    pairs: pd.MultiIndex | None
    used: npt.NDArray[np.bool_]


def _target(y: pd.Series[Any] | npt.ArrayLike, n: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return n labels, 0 where they are missing, and which are not missing."""
    if getattr(getattr(y, "dtype", None), "name", "") in ("boolean", "Int64"):
        series = cast("pd.Series[Any]", y)
        return series.fillna(False).to_numpy().astype(int), ~series.isna().to_numpy()
    return np.asarray(y), np.full(n, True)


def directions_of(features: Iterable[Feature]) -> dict[str, int]:
    """Return the directions that a list of features declares."""
    return {feature.name: feature.monotone for feature in features}
