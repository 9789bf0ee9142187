"""Logging training runs to MLflow: settings, metrics and the bundle. The only module that imports MLflow."""

from __future__ import annotations

import os
import re
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from relapse_risk.errors import TrackingFailed, UsageError
from relapse_risk.settings import Settings
from relapse_risk.training.train import TrainingResult

EXPERIMENT = "relapse-risk"
#: The default: a SQLite file in the working folder.
DEFAULT_URI = "sqlite:///mlflow.db"
#: Databases that MLflow supports, apart from SQLite.
_DATABASES = ("postgresql", "mysql", "mssql")
_VALID = (
    "Valid: sqlite:///mlflow.db, http(s)://HOST of a server, or the URI of a PostgreSQL, MySQL or MSSQL database."
)
#: First bytes of every SQLite file.
_SQLITE = b"SQLite format 3\0"


def track(result: TrainingResult, settings: Settings, uri: str = DEFAULT_URI) -> str:
    """Log a training run and return its id. Nothing about any household is logged.

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
        See ``check_uri``.
    TrackingFailed
        If MLflow cannot log the run.
    """
    check_uri(uri)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        return _log(result, settings, uri)
    except Exception as error:  # MLflow does not wrap errors of its database and its network
        raise TrackingFailed(
            f"MLflow did not take the run ({type(error).__name__}). Model {result.bundle.version} is written in "
            f"{result.folder} all the same; see that the tracking server is up and the database is MLflow's."
        ) from error


def check_uri(uri: str) -> None:
    """Refuse a tracking URI that cannot be used, before training.

    Raises
    ------
    UsageError
        If MLflow is not installed; if the URI is of the file store, of an unknown kind, or names no database; if no
        database can be there, or no server answers.
    """
    kind, separated, place = uri.partition("://")
    if not separated or kind == "file":
        raise UsageError(f"--track {_shown(uri)}: MLflow's file store is not safe. {_VALID}")
    if find_spec("mlflow") is None:
        raise UsageError("tracking needs MLflow: install relapse-risk[track]")
    if kind == "sqlite":
        fault = _sqlite_fault(place)
    elif kind in ("http", "https"):
        fault = _server_fault(uri)
    else:
        fault = _database_fault(uri)
    if fault:
        raise UsageError(f"--track {_shown(uri)}: {fault}. {_VALID}")


def _shown(uri: str) -> str:
    """Return the URI without user name and password."""
    return re.sub(r"//[^/]*@", "//...@", uri)


def _sqlite_fault(place: str) -> str | None:
    name = place.removeprefix("/").partition("?")[0]
    if not place.startswith("/") or name in ("", ":memory:"):
        return "no file is named, and what is kept in memory is lost"
    file = Path(name)
    if not file.parent.is_dir():
        return f"there is no folder {file.parent}; make it first"
    if not os.access(file.parent, os.W_OK | os.X_OK) or (file.exists() and not os.access(file, os.R_OK | os.W_OK)):
        return "the file cannot be written"
    if file.exists() and not file.is_file():
        return "that is not a file"
    if file.exists():
        with file.open("rb") as stream:
            head = stream.read(len(_SQLITE))
        if head not in (b"", _SQLITE):
            return "that file is no SQLite database"
    return None


def _server_fault(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
    except ValueError:
        return "the address cannot be read"
    if not host:
        return "no server is named"
    if parts.scheme in getproxies() and not proxy_bypass(host):
        return None  # only the proxy can find out
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        return f"no server answers there ({error.strerror or error})"
    return None


def _database_fault(uri: str) -> str | None:
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        url = make_url(uri)
        if url.get_backend_name() not in _DATABASES:
            return "MLflow knows no such kind of store"
        url.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):  # NoSuchModuleError is an ArgumentError
        return "MLflow knows no such kind of store"
    except ImportError as error:
        return f"its driver is not installed ({error.name})"
    return None if url.host and url.database else "no host or no database is named"


def _log(result: TrainingResult, settings: Settings, uri: str) -> str:
    import mlflow  # noqa: PLC0415

    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        artefacts = _artefact_folder(uri)
        experiment_id = client.create_experiment(EXPERIMENT, artifact_location=artefacts)
    else:
        experiment_id = experiment.experiment_id
    run = client.create_run(experiment_id, run_name=result.bundle.version)
    run_id: str = run.info.run_id
    for name, value in {
        **_flat("settings", settings.model_dump(mode="json")),
        **_flat("training", vars(result.bundle.info.training)),
    }.items():
        client.log_param(run_id, name, str(value)[:500])
    for name, value in _flat("", result.metrics).items():
        if isinstance(value, (int, float)):
            client.log_metric(run_id, name, float(value))
    client.set_tag(run_id, "version", result.bundle.version)
    client.log_artifacts(run_id, str(result.folder), artifact_path="bundle")
    client.set_terminated(run_id)
    return run_id


def _artefact_folder(uri: str) -> str | None:
    """Return the folder for bundles, beside a SQLite file; None for a server, which has its own."""
    if not uri.startswith("sqlite:///"):
        return None
    database = Path(uri.removeprefix("sqlite:///")).resolve()
    return (database.parent / f"{database.stem}-artifacts").as_uri()


def _flat(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return nested settings or metrics under dotted names that MLflow accepts, without lists."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        name = name.replace("'", "")
        if isinstance(value, dict):
            flat.update(_flat(name, value))
        elif not isinstance(value, (list, tuple)):
            flat[name] = value
    return flat
