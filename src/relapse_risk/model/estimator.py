"""The estimator: features in, calibrated probability of return to poverty out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from relapse_risk.errors import NotEnoughData, OutcomeNotGiven, UsageError, warn_caller
from relapse_risk.features.catalogue import catalogue
from relapse_risk.model.boosters import Boosters, Matrix, train_boosters
from relapse_risk.model.calibration import SigmoidCalibrator, Timing, fit_sigmoid, level_shift
from relapse_risk.model.calibration_split import Split, as_of_days, calibration_splits, label_timing
from relapse_risk.model.checks import check_columns, check_fitted, check_labels, check_parameters
from relapse_risk.model.inputs import FeatureReference, describe
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
        Rows left out because they had no label.

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
        X_checked, positive, index, labelled = self._prepare(X, y)
        if self.outcome is None and as_of_days(index) is not None:
            warn_caller(
                "X has as_of dates, but the estimator was not given the outcome and cannot know when a label was "
                "mature: it calibrates on other households instead of on later labels. "
                "Give RelapseModel(outcome=records.settings.outcome)",
                OutcomeNotGiven,
            )
        splits, self.calibrated_on_ = calibration_splits(
            index,
            positive,
            self.outcome,
            share=self.calibration_share,
            seed=self.random_state,
        )
        self.calibrator_, self.band_thresholds_ = self._calibrate(X_checked, positive, splits)
        self.boosters_ = self._train_boosters(X_checked, positive)
        among = None if scored is None else np.asarray(scored, bool)[labelled]
        timing = label_timing(index, len(positive), self.outcome, splits)
        self.calibrator_ = self._at_newest_level(X_checked, positive, timing, among)
        columns = list(getattr(self, "feature_names_in_", range(X_checked.shape[1])))
        self.reference_: dict[str, FeatureReference] = {
            str(column): reference for column, reference in zip(columns, describe(X_checked), strict=True)
        }
        return self

    def fit_trees(self, X: pd.DataFrame | npt.ArrayLike, y: pd.Series[Any] | npt.ArrayLike) -> RelapseModel:
        """Fit the trees without calibration: enough to rank by ``decision_function``, in half the time of ``fit``.

        Parameters
        ----------
        X, y
            As for ``fit``.

        Raises
        ------
        NotEnoughData
            If one of the classes does not occur.
        """
        X_checked, positive, _, _ = self._prepare(X, y)
        self.boosters_ = self._train_boosters(X_checked, positive)
        return self

    def _prepare(
        self, X: pd.DataFrame | npt.ArrayLike, y: pd.Series[Any] | npt.ArrayLike
    ) -> tuple[Matrix, npt.NDArray[np.bool_], pd.MultiIndex | None, npt.NDArray[np.bool_]]:
        """Return features, labels and index (if X has one) of the labelled rows, and which rows those are."""
        check_parameters(self)
        check_labels(X, y)
        matrix, names = self._learn_columns(X)
        values, labelled = _target(y, len(matrix))
        X_checked, target = validate_data(self, matrix, values, dtype=np.float32, ensure_all_finite="allow-nan")
        X_checked, target = X_checked[labelled], target[labelled]
        if names:  # validate_data was given an array and removed the names of an earlier fit
            self.feature_names_in_ = np.array(names, dtype=object)
        self.n_rows_, self.n_left_out_ = len(target), int((~labelled).sum())
        self.classes_, positive = self._classes(target)
        index = getattr(X, "index", None)
        return X_checked, positive, index[labelled] if names and index is not None else None, labelled

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
        self, X: Matrix, y: npt.NDArray[np.bool_], splits: list[Split]
    ) -> tuple[SigmoidCalibrator, dict[str, float]]:
        raw, truth = [], []
        for split in splits:
            boosters = self._train_boosters(X[split.train], y[split.train])
            raw.append(boosters.raw_scores(X[split.test], self.n_threads))
            truth.append(y[split.test])
        scores, outcomes = np.concatenate(raw), np.concatenate(truth)
        thresholds = {band: float(np.quantile(scores, 1.0 - share)) for band, share in BANDS}
        return fit_sigmoid(scores, outcomes), thresholds

    def _at_newest_level(
        self, X: Matrix, y: npt.NDArray[np.bool_], timing: Timing, scored: npt.NDArray[np.bool_] | None
    ) -> SigmoidCalibrator:
        log_odds = self.calibrator_.log_odds(self.boosters_.raw_scores(X, self.n_threads))
        return self.calibrator_.shifted(level_shift(log_odds, y, timing, scored))

    def _train_boosters(self, X: Matrix, y: npt.NDArray[np.bool_]) -> Boosters:
        names = list(getattr(self, "feature_names_in_", [f"f{k}" for k in range(X.shape[1])]))
        smallest = self.min_rows_in_leaf
        return train_boosters(
            X,
            y,
            names=names,
            categorical=[names.index(name) for name in self.categories_],
            monotone=self._directions(names),
            parameters={
                "learning_rate": self.learning_rate,
                "num_leaves": self.num_leaves,
                "feature_fraction": self.feature_fraction,
                "bagging_fraction": self.bagging_fraction,
                "bagging_freq": 1,
                "lambda_l2": self.lambda_l2,
                "min_data_in_leaf": int(np.clip(len(y) // 250, 5, 200)) if smallest == "auto" else smallest,
                "max_bin": 127,
            },
            n_trees=self.n_trees,
            n_boosters=self.n_boosters,
            seed=self.random_state,
            n_threads=self.n_threads,
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


def _target(y: pd.Series[Any] | npt.ArrayLike, n: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return n labels, 0 where they are missing, and which are not missing."""
    if getattr(getattr(y, "dtype", None), "name", "") in ("boolean", "Int64"):
        series = cast("pd.Series[Any]", y)
        return series.fillna(False).to_numpy().astype(int), ~series.isna().to_numpy()
    return np.asarray(y), np.full(n, True)


def directions_of(features: Iterable[Feature]) -> dict[str, int]:
    """Return the directions that a list of features declares."""
    return {feature.name: feature.monotone for feature in features}
