"""The training job: evaluate the procedure at rolling origins, then train on all dates and save the model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relapse_risk.dates import DateLike
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.labelling import LEFT_OUT
from relapse_risk.model.bundle import Bundle, TrainingInfo, load_model, save_bundle
from relapse_risk.model.estimator import RelapseModel, directions_of
from relapse_risk.outputs import check_folder
from relapse_risk.records.records import Records
from relapse_risk.settings import Settings
from relapse_risk.training.dataset import Dataset, make_dataset
from relapse_risk.training.evaluate import metrics_of, predictions_at_origins
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
    records: Records,
    models: Path | str,
    *,
    until: DateLike | None = None,
    n_threads: int | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> TrainingResult:
    """Evaluate, train and save a model.

    Parameters
    ----------
    records : Records
        Histories; their settings give everything else.
    models : path
        Folder of bundles.
    until : date, optional
        Use only records known before this day; all otherwise.
    n_threads : int, optional
        All processors otherwise; the result does not depend on it.
    on_progress : callable
        Called with a text at each step.

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
    on_progress(f"features and labels of {len(dates)} dates, {dates[0]} to {dates[-1]}")
    features = catalogue(settings, records.present)
    data = make_dataset(records, dates, features)

    def make_model() -> RelapseModel:
        return unfitted(settings, features, n_threads)

    origins = rolling_origins(dates, settings.outcome, settings.training.origins)
    predictions, metrics = None, {}
    if origins:
        predictions = predictions_at_origins(data, origins, make_model, on_progress)
        metrics = metrics_of(predictions, settings.training.capacity)
    on_progress("training on all dates")
    rows = data.to_train
    model = data.fit(make_model(), rows)
    info = _info(records.end, dates, data)
    folder = Path(models) / save_bundle(model, models, settings=settings, training=info, metrics=metrics)
    return TrainingResult(load_model(folder), folder, metrics, predictions)


def _info(until: dt.date, dates: list[dt.date], data: Dataset) -> TrainingInfo:
    rows = data.to_train
    return TrainingInfo(
        until=until.isoformat(),
        first_as_of=dates[0].isoformat(),
        last_as_of=dates[-1].isoformat(),
        rows=int(rows.sum()),
        households=int(data.X.index[rows].get_level_values("household_id").nunique()),
        positives=int(data.y[rows].sum()),
        left_out={reason: data.counts[reason] for reason in LEFT_OUT},
    )
