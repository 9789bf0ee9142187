"""The training job: evaluate the procedure at rolling origins, then train on all dates and save the model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relapse_risk.dates import DateLike
from relapse_risk.features.declare import Feature
from relapse_risk.labelling import LEFT_OUT
from relapse_risk.model.bundle import Bundle, TrainingInfo, load_model, save_bundle
from relapse_risk.model.estimator import RelapseModel, directions_of
from relapse_risk.outputs import check_folder
from relapse_risk.records.blocks import RecordBlocks
from relapse_risk.records.records import Records
from relapse_risk.settings import Settings
from relapse_risk.training.dataset import Dataset, sampled, with_features
from relapse_risk.training.evaluate import metrics_of, predictions_at_origins
from relapse_risk.training.rows import LabelledRows, labelled_rows
from relapse_risk.training.splits import mature_dates, rolling_origins

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training run.

    Parameters
    ----------
    bundle : Bundle
        The model, as ``load_model`` returns it.
    folder : Path
        Folder of the bundle.
    metrics : dict
        Metrics of the procedure at the rolling origins; empty if there was no origin.
    predictions : DataFrame or None
        Predictions at the rolling origins.
    """

    bundle: Bundle
    folder: Path
    metrics: dict[str, Any]
    predictions: pd.DataFrame | None


def unfitted(settings: Settings, features: Sequence[Feature], n_threads: int | None = None) -> RelapseModel:
    """Return the model that a training run fits."""
    return RelapseModel(
        monotone=directions_of(features),
        outcome=settings.outcome,
        random_state=settings.training.seed,
        n_threads=n_threads,
    )


def train(
    records: Records | RecordBlocks,
    models: Path | str,
    *,
    until: DateLike | None = None,
    n_threads: int | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
    on_done: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Evaluate, train and save a model.

    Parameters
    ----------
    records : Records or RecordBlocks
        Histories; their settings give everything else. Blocks are read for the labels, for the features of the
        rows to train on, and to predict the rows to test on.
    models : path
        Folder of bundles.
    until : date, optional
        Use only records known before this day; all otherwise.
    n_threads : int, optional
        All processors otherwise; the result does not depend on it.
    on_progress : callable
        Called with a text at each step.
    on_done : callable, optional
        Called with the households done, and of how many, in the steps that go over all households.

    Raises
    ------
    NotEnoughData
        If there are too few dates, rows or positives.
    UsageError, StorageError
        If no bundle can be written in ``models``.
    """
    check_folder(models, "models")
    if until is not None:
        records = records.visible(until)
    settings = records.settings
    dates = mature_dates(records)

    on_progress(f"labels of {len(dates)} dates, {dates[0]} to {dates[-1]}")
    rows, counts = labelled_rows(records, dates, n_threads, on_done=on_done)
    learned, share = sampled(rows, settings.training)
    on_progress(f"features of {len(learned):,} rows to train on")
    data = with_features(records, learned, counts=counts, share=share, n_threads=n_threads, on_done=on_done)

    def make_model() -> RelapseModel:
        return unfitted(settings, data.features, n_threads)

    def make_smaller() -> RelapseModel:
        model = make_model()
        model.set_params(n_boosters=min(model.n_boosters, settings.training.origin_boosters))
        return model

    free = settings.training.without_directions
    origins = rolling_origins(dates, settings.outcome, settings.training.origins)
    predictions, metrics = None, {}
    if origins:
        predictions = predictions_at_origins(
            data,
            origins,
            make_smaller,
            on_progress,
            rows=rows,
            without_directions=share >= 1.0 if free is None else free,
            n_threads=n_threads,
            on_done=on_done,
        )
        metrics = metrics_of(predictions, settings.training.capacity)
    on_progress("training on all dates")
    model = data.fit(make_model(), data.to_train)
    info = _info(records.end, dates, rows, data)
    folder = Path(models) / save_bundle(model, models, settings=settings, training=info, metrics=metrics)
    return TrainingResult(load_model(folder), folder, metrics, predictions)


def _info(until: dt.date, dates: list[dt.date], rows: LabelledRows, data: Dataset) -> TrainingInfo:
    households = np.unique(np.asarray(rows.index.codes[0])[rows.to_train])
    return TrainingInfo(
        until=until.isoformat(),
        first_as_of=dates[0].isoformat(),
        last_as_of=dates[-1].isoformat(),
        rows=int(rows.to_train.sum()),
        households=len(households),
        positives=int(rows.y[rows.to_train].sum()),
        left_out={reason: data.counts[reason] for reason in LEFT_OUT},
        rows_fitted=len(data) if data.share < 1.0 else None,
        negatives_share=data.share,
    )
