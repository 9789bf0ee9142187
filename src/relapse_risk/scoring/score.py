"""Scoring with reasons: ``Scorer`` computes, ``score`` gives a table; batch and API both score through here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.cohorts import as_days, cohort
from relapse_risk.dates import DateLike, Days, from_days
from relapse_risk.errors import UsageError
from relapse_risk.features.build import build_matrix, split_index
from relapse_risk.features.plan import Plan, make_plan
from relapse_risk.model.checks import check_fitted
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.model.inputs import features_by_name
from relapse_risk.model.reasons import MOST_REASONS, Explainer, Reasons, as_records
from relapse_risk.records.records import Records
from relapse_risk.scoring.reach import check_reach
from relapse_risk.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scores:
    """Scores of n households, in the order asked.

    Parameters
    ----------
    probability, raw, base : ndarray of float64, shape (n,)
        Calibrated probability; log-odds before calibration; the part of them that no feature changes.
    band : ndarray of str, shape (n,)
        Band of the raw score.
    by_group : ndarray of float64, shape (n, n_groups)
        What each reason group adds; ``base + by_group.sum(axis=1)`` is ``raw``.
    groups : tuple of str
        The groups.
    reasons : Reasons
        The groups that raise each household's risk most.
    """

    probability: npt.NDArray[np.float64]
    raw: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    band: npt.NDArray[np.str_]
    by_group: npt.NDArray[np.float64]
    groups: tuple[str, ...]
    reasons: Reasons


class Scorer:
    """Scores pairs of households and dates, in arrays: a model whose features are looked up and planned once.

    ``score`` uses one for each call; the service keeps one for all requests.

    Parameters
    ----------
    model : RelapseModel
        Fitted on named features.
    settings : Settings
        Settings that declare the items the model was trained with.

    Raises
    ------
    NotFittedError
        If the model was not fitted (scikit-learn's).
    UsageError
        If the model was fitted without feature names.
    BundleRefused
        If the catalogue does not declare its features.
    """

    def __init__(self, model: RelapseModel, settings: Settings) -> None:
        check_fitted(model)
        names = getattr(model, "feature_names_in_", None)
        if names is None:
            raise UsageError("the model was fitted without feature names; fit it on build_features(...)")
        self.model = model
        _ = model.boosters_.tables  # made once, before threads ask for them
        self.features = features_by_name(list(names), settings)
        self.plan: Plan = make_plan(self.features)
        self._explainer = Explainer(self.features, model.reference_)

    def tables(self) -> set[str]:
        """Return the tables the model's features come from."""
        return set().union(*(feature.tables for feature in self.features))

    def check_tables(self, present: frozenset[str]) -> None:
        """Refuse records without a table that the features come from.

        Raises
        ------
        UsageError
            If they lack one.
        """
        lacking = self.tables() - present
        if lacking:
            raise UsageError(
                f"the model was trained with table(s) {', '.join(sorted(lacking))}, which these records lack. "
                "Add them, empty if there is truly nothing, or train without them."
            )

    def score(
        self,
        records: Records,
        ids: pa.Array,
        household: npt.NDArray[np.int64],
        days: Days,
        date: npt.NDArray[np.int64],
        *,
        n_reasons: int = MOST_REASONS,
        n_threads: int | None = None,
    ) -> Scores:
        """Score pairs of households and dates; calls on several threads at once do not disturb each other.

        Parameters
        ----------
        records, ids, household, days, date
            The pairs, as ``build_matrix`` takes them.
        n_reasons : int
            Reasons of each pair, at most.
        n_threads : int, optional
            Threads that evaluate the trees; those of the model otherwise.
        """
        matrix = build_matrix(records, ids, household, days, date, self.plan)
        threads = n_threads or self.model.n_threads
        explained = self.model.boosters_.explain(matrix, self._explainer.group_of, n_reasons, threads)
        return Scores(
            self.model.calibrator_(explained.raw),
            explained.raw,
            explained.base,
            self.model.band(explained.raw),
            explained.by_group,
            self._explainer.groups,
            self._explainer.reasons(matrix, explained),
        )


def score(
    model: RelapseModel,
    records: Records,
    *,
    as_of: DateLike | Iterable[DateLike] | None = None,
    index: pd.MultiIndex | None = None,
    n_reasons: int = MOST_REASONS,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Score households on dates, with reasons.

    The one scoring function. It takes a model that was just fitted; for one on disk call ``load_model(...).score``,
    which calls this with the settings of the bundle.

    Parameters
    ----------
    model : RelapseModel
        Fitted on named features.
    records : Records
        Histories to score; their settings decide who is in the cohort.
    as_of : date or iterable of dates, optional
        Score the cohort of these dates.
    index : pandas.MultiIndex, optional
        Score these pairs (household_id, as_of) instead, whoever they are.
    n_reasons : int
        Reasons of each household, at most.
    settings : Settings, optional
        Settings that declare the items the model was trained with; those of the records otherwise.

    Returns
    -------
    pandas.DataFrame
        A row per pair, in the order of the index, with the columns

        - ``probability``: calibrated probability of being poor within the horizon;
        - ``band``: "high", "medium" or "low", by fixed thresholds of the raw score;
        - ``raw_score``: log-odds before calibration;
        - ``base_score``: the part of the raw score that no feature changes;
        - ``reasons``: a list of dictionaries, one for each reason, the largest contribution first;
        - ``contribution_<group>``: what the features of one reason group (mostly a risk type, such as ``illness``)
          add to the raw score, in log-odds; positive raises the risk. ``base_score`` and all contributions add up
          to ``raw_score``.

    Raises
    ------
    UsageError
        If neither or both of ``as_of`` and ``index`` are given, the records lack a table the model needs, or a day
        lies more than a visit cycle past the records' end.

    Warns
    -----
    RecordsEndBefore
        If a day lies past the records' end.
    """
    import pandas as pd  # noqa: PLC0415

    if (as_of is None) == (index is None):
        raise UsageError("give as_of (to score a cohort) or index (to score given pairs), not both")
    scorer = Scorer(model, settings or records.settings)
    scorer.check_tables(records.present)
    if index is None:
        assert as_of is not None  # noqa: S101
        dates = [from_days(day) for day in as_days(as_of)]
        check_reach(records, dates)
        index = cohort(records, dates)
        pairs = split_index(index)
    else:
        pairs = split_index(index)
        check_reach(records, [from_days(day) for day in pairs[2][np.unique(pairs[3])]])
    scores = scorer.score(records, *pairs, n_reasons=n_reasons)
    frame = pd.DataFrame(
        {
            "probability": scores.probability,
            "band": scores.band.astype(str),
            "raw_score": scores.raw,
            "base_score": scores.base,
            "reasons": pd.Series(
                [as_records(reasons) for reasons in scores.reasons.to_list()], index, dtype=object
            ),
        },
        index=index,
    )
    parts = pd.DataFrame(scores.by_group, index=index, columns=[f"contribution_{group}" for group in scores.groups])
    return pd.concat([frame, parts], axis=1)
