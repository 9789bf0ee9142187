"""Evaluating a model on dates it was not trained on, beside the baselines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from relapse_risk.cohorts import cycles
from relapse_risk.dates import DateLike, to_date
from relapse_risk.errors import NotEnoughData, UsageError
from relapse_risk.labelling import matures_on
from relapse_risk.model.bundle import Bundle
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.records.blocks import RecordBlocks
from relapse_risk.records.records import Records
from relapse_risk.training.baselines import baselines
from relapse_risk.training.dataset import Dataset, sampled, with_features
from relapse_risk.training.metrics import foreseen_by_date, probability_metrics, ranking_metrics
from relapse_risk.training.rows import LabelledRows, by_block, labelled_rows
from relapse_risk.training.splits import RollingOrigin, mature_dates

if TYPE_CHECKING:
    import pandas as pd

    from relapse_risk.features.declare import Feature

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]

MODEL = "model"
WITHOUT_DIRECTIONS = "model without directions"
#: Groups of rows that metrics are computed for, and their flags: the cohort to score, and everyone not poor.
GROUPS = {"relapse": "in_cohort", "fall": "not_poor"}


#: Scores some rows of a data set.
Scorer = Callable[[Dataset, Flags], dict[str, Numbers]]


def predictions_at_origins(
    data: Dataset,
    origins: Sequence[RollingOrigin],
    make_model: Callable[[], RelapseModel],
    on_progress: Callable[[str], None] = lambda _: None,
    *,
    rows: LabelledRows | None = None,
    without_directions: bool = True,
    n_threads: int | None = None,
    on_done: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Train and predict at each origin: the model, the model without directions, and the baselines.

    Everyone is trained at all origins first; then the rows to test on are predicted block by block, so that their
    features are never in memory together.

    Parameters
    ----------
    data : Dataset
        Rows to train on.
    origins : sequence of RollingOrigin
        The tests.
    make_model : callable
        Returns an unfitted model.
    on_progress : callable
        Called with a text at each step.
    rows : LabelledRows, optional
        Rows to test on; those of ``data`` otherwise. Never a sample.
    without_directions : bool
        Also train the model without directions.
    n_threads, on_done
        See ``relapse_risk.training.train.train``.

    Returns
    -------
    pandas.DataFrame
        A row for each test row: ``household_id``, ``as_of``, ``label``, ``in_cohort``, ``was_poor_before``,
        ``probability``, and a score column for each baseline. ``attrs["skipped"]`` says at which origins nothing
        could be evaluated, and why.
    """
    rows = data if rows is None else rows
    trained: dict[dt.date, Scorer] = {}
    skipped = {}
    for number, origin in enumerate(origins):
        train = data.on(origin.train) & data.to_train
        why = _not_judged(data.y[train], rows.y[rows.on([origin.test])])
        if why:
            skipped[origin.test.isoformat()] = why
            on_progress(f"not judged at {origin.test}: {why}")
            continue
        on_progress(f"training for {origin.test}, origin {number + 1} of {len(origins)}")
        trained[origin.test] = _trained(data, train, make_model, without_directions=without_directions)
    if not trained:
        raise NotEnoughData(
            "no origin has both classes to train on and rows to test on. "
            "Bring more records, or lower training.origins or training.history_months."
        )
    on_progress(f"judging at {len(trained)} dates")
    predictions = scored_by_block(data.records, data.features, rows, trained, n_threads, on_done=on_done)
    predictions.attrs["skipped"] = skipped
    return predictions


def scored_by_block(
    records: Records | RecordBlocks,
    features: Sequence[Feature],
    rows: LabelledRows,
    scorers: Mapping[dt.date, Scorer],
    n_threads: int | None = None,
    *,
    on_done: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Return the scores of the rows of some dates, computed block by block.

    Parameters
    ----------
    records : Records or RecordBlocks
        Where the histories are.
    features : sequence of Feature
        What the scorers need.
    rows : LabelledRows
        Their rows of other dates are left out.
    scorers : dict of date to callable
        For each date, what gives the columns of scores of some rows.
    n_threads, on_done
        See ``relapse_risk.training.train.train``.

    Returns
    -------
    pandas.DataFrame
        ``LabelledRows.describe`` and the scores, date by date, in order of household.
    """
    import pandas as pd  # noqa: PLC0415

    def of_block(block: Records, _: slice, part: LabelledRows) -> list[pd.DataFrame]:
        with_X = with_features(block, part, features)
        found = []
        for day, scorer in scorers.items():
            of_day = part.on([day])
            found.append(part.describe(of_day).assign(**scorer(with_X, of_day)))
        return found

    tested = rows.take(rows.on(list(scorers)))
    parts: list[list[pd.DataFrame]] = [[] for _ in scorers]
    done = by_block(records, tested, of_block, n_threads, on_done=on_done)
    for block in done:
        for part, frame in zip(parts, block, strict=True):
            part.append(frame)
    return pd.concat([frame for part in parts for frame in part], ignore_index=True)


def _trained(
    data: Dataset, train: Flags, make_model: Callable[[], RelapseModel], *, without_directions: bool
) -> Scorer:
    """Train everyone on some rows; returns what scores others."""
    model = data.fit(make_model(), train)
    free = make_model().set_params(monotone=None) if without_directions else None
    if free is not None:
        free.fit_trees(data.X[train], data.y[train], sample_weight=data.weight_of(train))
    fitted = [baseline.fit(data, train) for baseline in baselines(data.records.present)]

    def scores(of: Dataset, rows: Flags) -> dict[str, Numbers]:
        X = of.X[rows]
        columns = {"probability": model.predict_proba(X)[:, 1]}
        if free is not None:
            columns[WITHOUT_DIRECTIONS] = free.decision_function(X)
        return columns | {baseline.name: baseline.score(of, rows) for baseline in fitted}

    return scores


def _not_judged(train: Flags, test: Flags) -> str:
    """Return why nothing can be said at an origin; empty where something can."""
    if not len(test):
        return "no labelled household"
    return "" if len(np.unique(train)) == 2 else "the rows to learn from are all of one class"


def metrics_of(predictions: pd.DataFrame, capacity: float) -> dict[str, Any]:
    """Return all metrics of a table of predictions.

    Parameters
    ----------
    predictions : DataFrame
        As ``predictions_at_origins`` or ``evaluate`` make it.
    capacity : float
        Share of the rows of a date that can be visited.

    Returns
    -------
    dict
        For each group of ``GROUPS``:

        - ``scores``: ``ranking_metrics`` of the model and of every other score, each date being a list;
        - ``probability``: ``probability_metrics`` of the model;
        - ``foreseen``: expected and actual positives of each date, see ``foreseen_by_date``;
        - ``by_date``: ``ranking_metrics`` of the model on each date by itself.
    """
    known = {"household_id", "as_of", "label", "in_cohort", "was_poor_before", "not_poor", "probability"}
    others = [column for column in predictions if column not in known]
    metrics: dict[str, Any] = {}
    for group, flag in GROUPS.items():
        rows = predictions[predictions[flag]]
        y = rows["label"].to_numpy(bool)
        lists = rows["as_of"].to_numpy()
        if not rows.groupby("as_of")["label"].nunique().eq(2).any():
            continue
        probability = rows["probability"].to_numpy(np.float64)
        metrics[group] = {
            "scores": {
                name: ranking_metrics(score, y, capacity, lists)
                for name, score in {MODEL: probability, **{o: rows[o].to_numpy(np.float64) for o in others}}.items()
            },
            "probability": probability_metrics(probability, y),
            "foreseen": foreseen_by_date(lists, probability, y),
            "by_date": {
                f"{day:%Y-%m-%d}": ranking_metrics(
                    of["probability"].to_numpy(np.float64), of["label"].to_numpy(bool), capacity
                )
                for day, of in rows.groupby("as_of")
                if of["label"].nunique() == 2
            },
        }
    if not metrics:
        raise NotEnoughData(
            "the test rows of each date are all of one class: nothing can be ranked. Judge more dates."
        )
    return metrics


def judged_from(bundle: Bundle, start: DateLike | None = None) -> dt.date:
    """Return the first day a trained model is evaluated on: the given one, or the end of its training data.

    Raises
    ------
    UsageError
        If ``start`` lies before the end of the training: the model has seen those outcomes.
    """
    until = dt.date.fromisoformat(bundle.info.training.until)
    first = until if start is None else to_date(start)
    if first < until:
        raise UsageError(
            f"from {first}: the model was trained on outcomes until {until} and would be judged on what it has "
            f"seen. Valid: {until} or later."
        )
    return first


def predictions_after(
    bundle: Bundle, records: Records | RecordBlocks, *, start: DateLike | None = None, end: DateLike | None = None
) -> pd.DataFrame:
    """Return the predictions of a trained model and of the baselines on later dates, and the labels.

    Parameters
    ----------
    bundle : Bundle
        The model, as ``load_model`` returns it.
    records : Records or RecordBlocks
        Histories that go on after its training data.
    start, end : date, optional
        As_of dates in ``[start, end]``; from the end of its training to the last mature date otherwise.

    Returns
    -------
    pandas.DataFrame
        ``household_id``, ``as_of``, ``probability``, ``label``, ``in_cohort``, ``was_poor_before``, ``not_poor``
        and each baseline's score; a row for every labelled household, in the cohort to score or not.
        ``attrs["skipped"]`` has the dates in the span without rows, and why.

    Raises
    ------
    UsageError
        See ``judged_from``.
    NotEnoughData
        If no date has mature labels.
    """
    until, first = judged_from(bundle), judged_from(bundle, start)
    last = records.end if end is None else to_date(end)
    records = records.with_model_settings(bundle.settings)
    outcome = records.settings.outcome
    rounds = [day for day in cycles(records.settings.cycle, first, records.end) if day <= last]
    days = [day for day in rounds if matures_on(day, outcome) <= records.end]
    if not days:
        raise NotEnoughData(
            f"no as_of date in {first} to {last} is mature before the records' end ({records.end}); a label needs "
            f"{records.settings.outcome.horizon_months} months. Bring later records or judge earlier dates."
        )
    rows, _ = labelled_rows(records, days)
    if not len(rows):
        raise NotEnoughData(
            f"no household has a label on any date from {days[0]} to {days[-1]}. Judge other dates."
        )
    seen = records.visible(until)
    known, counts = labelled_rows(seen, mature_dates(seen))
    learned, share = sampled(known, records.settings.training)
    train = with_features(seen, learned, bundle.features, counts=counts, share=share)
    fitted = [baseline.fit(train, train.to_train) for baseline in baselines(records.present)]

    def scores(of: Dataset, judged: Flags) -> dict[str, Numbers]:
        columns = {"probability": bundle.model.predict_proba(of.X[judged])[:, 1]}
        return columns | {baseline.name: baseline.score(of, judged) for baseline in fitted}

    predictions = scored_by_block(records, bundle.features, rows, dict.fromkeys(days, scores))
    predictions = predictions.sort_values(["household_id", "as_of"], kind="stable", ignore_index=True)
    immature = "not mature before the records' end"
    predictions.attrs["skipped"] = {
        day.isoformat(): "no labelled household" if day in days else f"{immature} ({records.end})"
        for day in rounds
        if day not in days or not rows.on([day]).any()
    }
    return predictions


def evaluate(
    bundle: Bundle, records: Records | RecordBlocks, *, start: DateLike | None = None, end: DateLike | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Evaluate a trained model on later dates, beside the baselines.

    Parameters
    ----------
    bundle, records, start, end
        See ``predictions_after``.

    Returns
    -------
    predictions : DataFrame
        See ``predictions_after``.
    metrics : dict
        See ``metrics_of``.

    Raises
    ------
    UsageError, NotEnoughData
        As ``predictions_after``, and if one class does not occur.
    """
    predictions = predictions_after(bundle, records, start=start, end=end)
    return predictions, metrics_of(predictions, bundle.settings.training.capacity)
