"""Whether features help: the model with and without them, trained and judged on the same rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from relapse_risk.errors import NotEnoughData, UsageError
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.features.lookup import select_features
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.records.blocks import RecordBlocks
from relapse_risk.records.records import Records
from relapse_risk.training.dataset import Dataset, sampled, with_features
from relapse_risk.training.evaluate import GROUPS, Flags, Numbers, Scorer, scored_by_block
from relapse_risk.training.intervals import DRAWS, FIGURES, ranking_intervals
from relapse_risk.training.metrics import ranking_metrics
from relapse_risk.training.rows import labelled_rows
from relapse_risk.training.splits import mature_dates, rolling_origins
from relapse_risk.training.train import unfitted

if TYPE_CHECKING:
    import pandas as pd

#: All features, as they are trained on by default.
BASE = "all features"
#: The same with other random numbers: what differs by so much differs by chance.
OTHER_SEED = "all features, another seed"
_SEEDS_ON = 50

Patterns: TypeAlias = "str | Sequence[str]"


@dataclass(frozen=True)
class FeatureComparison:
    """What leaving features out, or adding some, changed.

    Parameters
    ----------
    summary : DataFrame
        A row per variant and figure, over all origins: ``value``, ``low`` and ``high``; ``difference`` from all
        features, ``difference_low`` and ``difference_high`` (95 %); ``origins``, the number judged, and ``better``,
        at how many of them the figure was higher than with all features; ``features``, how many there were.
    by_origin : DataFrame
        A row per variant, date and figure: ``value`` and ``difference``.
    """

    summary: pd.DataFrame
    by_origin: pd.DataFrame


def compare_features(
    records: Records | RecordBlocks,
    *,
    without: Mapping[str, Patterns] | Sequence[str] = (),
    adding: Mapping[str, Sequence[Feature]] | None = None,
    group: str = "relapse",
    origins: int | None = None,
    draws: int = DRAWS,
    n_threads: int | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> FeatureComparison:
    """Train with all features, without some, and with some added, and judge each at the same rolling origins.

    Parameters
    ----------
    records : Records or RecordBlocks
        Their settings say what is predicted, how many origins there are, and the share that can be visited.
    without : sequence of str, or dict of str to str or sequence of str
        What to leave out, one variant each: a feature's name, with ``*`` for any characters, a table, or a reason
        group; in a dictionary, under a name of your own, one or several of these together.
    adding : dict of str to sequence of Feature, optional
        Features that the catalogue does not have, one variant each, under a name of your own.
    group : {"relapse", "fall"}
        Judge those who would be scored, or every household not poor.
    origins : int, optional
        Test dates; as the settings say otherwise.
    draws : int
        How often households are drawn anew for the intervals.
    n_threads : int, optional
        All processors otherwise.
    on_progress : callable
        Called with a text at each step.

    Returns
    -------
    FeatureComparison
        With a variant of the same features and another seed, as a yardstick of chance.

    Raises
    ------
    UsageError
        If there is nothing to compare, or what is named does not exist.
    NotEnoughData
        If no origin has both classes to learn from and to rank.
    """
    if group not in GROUPS:
        raise UsageError(f"group={group!r}. Valid: {', '.join(GROUPS)}.")
    base = catalogue(records.settings, records.present)
    variants = _variants(base, without, adding or {})
    dates = mature_dates(records)
    every = {feature.name: feature for features in variants.values() for feature in features}
    on_progress(f"features and labels of {len(dates)} dates, {dates[0]} to {dates[-1]}")
    rows, counts = labelled_rows(records, dates, n_threads)
    learned, share = sampled(rows, records.settings.training)
    data = with_features(records, learned, tuple(every.values()), counts=counts, share=share, n_threads=n_threads)
    n_origins = records.settings.training.origins if origins is None else origins
    judged = rows.take(getattr(rows, GROUPS[group]))
    trained: dict[dt.date, Scorer] = {}
    for origin in rolling_origins(dates, records.settings.outcome, n_origins):
        train = data.on(origin.train) & data.to_train
        if len(np.unique(data.y[train])) < 2 or len(np.unique(judged.y[judged.on([origin.test])])) < 2:
            on_progress(f"not judged at {origin.test}: all of one class")
            continue
        models = {}
        for variant, features in variants.items():
            on_progress(f"at {origin.test}: {variant}")
            names = [feature.name for feature in features]
            model = unfitted(records.settings, features, n_threads)
            if variant == OTHER_SEED:
                model.set_params(random_state=model.random_state + _SEEDS_ON)
            models[variant] = model.fit_trees(
                data.X.loc[train, names], data.y[train], sample_weight=data.weight_of(train)
            )
        trained[origin.test] = _scores_of(models)
    if not trained:
        raise NotEnoughData(
            "at no origin are there both classes to learn from and to rank. Bring more records, judge "
            "group='fall', or lower training.history_months."
        )
    on_progress(f"judging at {len(trained)} dates")
    predictions = scored_by_block(records, data.features, judged, trained, n_threads)
    capacity = records.settings.training.capacity
    by_origin = _by_origin(predictions, list(variants), capacity)
    summary = ranking_intervals(predictions, {v: v for v in variants}, capacity, base=BASE, draws=draws)
    better = by_origin.assign(better=by_origin["difference"] > 0).groupby(["score", "figure"])["better"].sum()
    n_features = [len(variants[variant]) for variant in summary.index.get_level_values("score")]
    return FeatureComparison(summary.assign(origins=len(trained), better=better, features=n_features), by_origin)


def _variants(
    base: tuple[Feature, ...],
    without: Mapping[str, Patterns] | Sequence[str],
    adding: Mapping[str, Sequence[Feature]],
) -> dict[str, tuple[Feature, ...]]:
    if isinstance(without, str):
        without = [without]
    if not isinstance(without, Mapping):
        without = {pattern: pattern for pattern in without}
    if not without and not adding:
        raise UsageError("nothing to compare: name features under without=, or give some under adding=")
    variants = {BASE: base, OTHER_SEED: base}
    for name, patterns in without.items():
        gone = {feature.name for feature in select_features(patterns, base)}
        left = tuple(feature for feature in base if feature.name not in gone)
        if not left:
            raise UsageError(f"without {name!r} no feature is left")
        variants[f"without {name}"] = left
    known = {feature.name for feature in base}
    for name, features in adding.items():
        twice = sorted(known & {feature.name for feature in features})
        if twice or not features:
            why = f"the catalogue has {', '.join(twice)} already" if twice else "it names no feature"
            raise UsageError(f"adding {name!r}: {why}")
        variants[f"with {name}"] = (*base, *features)
    return variants


def _scores_of(models: Mapping[str, RelapseModel]) -> Scorer:
    def scores(of: Dataset, rows: Flags) -> dict[str, Numbers]:
        X = of.X[rows]
        return {
            variant: model.decision_function(X[list(model.feature_names_in_)]) for variant, model in models.items()
        }

    return scores


def _by_origin(predictions: pd.DataFrame, variants: Sequence[str], capacity: float) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    rows = []
    for day, of in predictions.groupby("as_of"):
        y = of["label"].to_numpy(bool)
        found = {v: ranking_metrics(of[v].to_numpy(np.float64), y, capacity) for v in variants}
        rows += [
            (v, day, figure, found[v][figure], found[v][figure] - found[BASE][figure])
            for v in variants
            for figure in FIGURES
        ]
    frame = pd.DataFrame(rows, columns=["score", "as_of", "figure", "value", "difference"])
    return frame.set_index(["score", "as_of", "figure"])
