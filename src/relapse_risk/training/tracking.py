"""Training runs noted in MLflow: settings, metrics and the bundle. The only place that imports MLflow."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from relapse_risk.errors import TrackingFailed, UsageError
from relapse_risk.settings import Settings
from relapse_risk.training.train import TrainingResult

EXPERIMENT = "relapse-risk"
#: SQLite beside the models, where no other database is named.
DEFAULT_URI = "sqlite:///mlflow.db"


def track(result: TrainingResult, settings: Settings, uri: str = DEFAULT_URI) -> str:
    """Log a training run and return its id. No household is in what is logged.

    Parameters
    ----------
    result : TrainingResult
        What ``train`` returned.
    settings : Settings
        What it was trained with.
    uri : str
        MLflow's tracking URI: a database; MLflow's file store loses runs when two write at once.

    Raises
    ------
    UsageError
        If MLflow is not installed, or the URI is of the file store.
    TrackingFailed
        If MLflow cannot note the run.
    """
    check_uri(uri)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        return _log(result, settings, uri)
    except Exception as error:  # MLflow lets errors of its database and its network through as they are
        raise TrackingFailed(
            f"MLflow did not take the run ({type(error).__name__}). Model {result.version} is written in "
            f"{result.folder} all the same; see that the tracking server is up and the database is MLflow's."
        ) from error


def check_uri(uri: str) -> None:
    """Refuse a tracking URI that cannot be used, before anything is trained.

    Raises
    ------
    UsageError
        If MLflow is not installed, or the URI is of the file store.
    """
    if "://" not in uri or uri.startswith("file:"):
        raise UsageError(
            f"--track {uri}: MLflow's file store is not safe. Valid: sqlite:///mlflow.db, or a server."
        )
    if find_spec("mlflow") is None:
        raise UsageError("tracking needs MLflow: install relapse-risk[track]")


def _log(result: TrainingResult, settings: Settings, uri: str) -> str:
    import mlflow  # noqa: PLC0415

    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        artefacts = _artefact_folder(uri)
        experiment_id = client.create_experiment(EXPERIMENT, artifact_location=artefacts)
    else:
        experiment_id = experiment.experiment_id
    run = client.create_run(experiment_id, run_name=result.version)
    run_id: str = run.info.run_id
    for name, value in {
        **_flat("settings", settings.model_dump(mode="json")),
        **_flat("training", vars(result.info)),
    }.items():
        client.log_param(run_id, name, str(value)[:500])
    for name, value in _flat("", result.metrics).items():
        if isinstance(value, (int, float)):
            client.log_metric(run_id, name, float(value))
    client.set_tag(run_id, "version", result.version)
    client.log_artifacts(run_id, str(result.folder), artifact_path="bundle")
    client.set_terminated(run_id)
    return run_id


def _artefact_folder(uri: str) -> str | None:
    """Return where bundles go: beside a SQLite file; a server decides for itself."""
    if not uri.startswith("sqlite:///"):
        return None
    database = Path(uri.removeprefix("sqlite:///")).resolve()
    return (database.parent / f"{database.stem}-artifacts").as_uri()


def _flat(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return nested settings or metrics by dotted names that MLflow takes; long lists are left to the bundle."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        name = name.replace("'", "")
        if isinstance(value, dict):
            flat.update(_flat(name, value))
        elif not isinstance(value, (list, tuple)):
            flat[name] = value
    return flat
