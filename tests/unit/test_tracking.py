"""Training runs in MLflow: what is noted, and that no household is."""

from __future__ import annotations

import json
import socket
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.support.small import Small, train_few_trees

from relapse_risk import train
from relapse_risk.cli import main
from relapse_risk.errors import TrackingFailed, UsageError
from relapse_risk.records import write_folder
from relapse_risk.training.tracking import EXPERIMENT, check_uri, track
from relapse_risk.training.train import TrainingResult

# MLflow's first start of a database costs seconds: these tests share one, on one worker.
pytestmark = [pytest.mark.xdist_group("mlflow"), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def result(small: Small, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """What a quick training run returns."""
    with pytest.MonkeyPatch.context() as patched:
        train_few_trees(patched)
        return train(small.records, tmp_path_factory.mktemp("tracked"), n_threads=1)


@pytest.fixture(scope="module")
def store(result: TrainingResult, small: Small, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a tracking store with one run, and the run's id."""
    folder = tmp_path_factory.mktemp("store")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patched:
        warnings.simplefilter("ignore")
        patched.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        return folder, track(result, small.records.settings, uri_of(folder))


def uri_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'mlflow.db'}"


def run_of(store: tuple[Path, str]) -> Any:
    import mlflow

    return mlflow.MlflowClient(uri_of(store[0])).get_run(store[1])


def test_a_run_holds_settings_metrics_and_version(
    store: tuple[Path, str], result: TrainingResult, small: Small
) -> None:
    run = run_of(store)
    assert run.info.status == "FINISHED"
    assert run.data.tags["version"] == result.bundle.version
    horizon = small.records.settings.outcome.horizon_months
    assert run.data.params["settings.outcome.horizon_months"] == str(horizon)
    assert run.data.params["training.rows"] == str(result.bundle.info.training.rows)
    metrics = result.metrics["fall"]["scores"]["model"]
    assert run.data.metrics["fall.scores.model.auc_within_dates"] == pytest.approx(metrics["auc_within_dates"])
    assert run.data.metrics["fall.probability.brier"] > 0


def test_a_run_holds_the_bundle_byte_for_byte(store: tuple[Path, str], result: TrainingResult) -> None:
    logged = {path.name: path.read_bytes() for path in store[0].rglob("bundle/*")}
    assert logged == {path.name: path.read_bytes() for path in result.folder.iterdir()}


def test_a_second_run_joins_the_first_ones_experiment(
    store: tuple[Path, str], result: TrainingResult, small: Small
) -> None:
    import mlflow

    again = track(result, small.records.settings, uri_of(store[0]))
    client = mlflow.MlflowClient(uri_of(store[0]))
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert {run.info.run_id for run in client.search_runs([experiment.experiment_id])} >= {store[1], again}


def test_no_household_grid_or_worker_is_in_the_store(store: tuple[Path, str], small: Small) -> None:
    columns = {"households": ["household_id", "grid_id"], "visits": ["visit_id", "worker_id"]}
    ids = {
        value
        for table, names in columns.items()
        for name in names
        for value in pd.unique(small.records.frame(table)[name].dropna())
    }
    assert len(ids) > 1000
    files = [path for path in store[0].rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"mlflow.db", "bundle.json", "manifest.json", "booster-00.txt"}
    database = sqlite3.connect(store[0] / "mlflow.db")
    texts = ["\n".join(database.iterdump()), *(path.read_bytes().decode(errors="replace") for path in files)]
    database.close()
    for text in texts:
        found = [value for value in ids if value in text]
        assert not found


@pytest.mark.usefixtures("few_trees")
def test_train_with_track_prints_one_json_object_that_names_the_run(
    store: tuple[Path, str],
    small: Small,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tables = {name: small.records.table(name) for name in small.records.present}
    data = write_folder(tables, small.records.settings, tmp_path / "county")
    with pytest.raises(SystemExit) as ended:
        main(["train", "--data", str(data), "--models", str(tmp_path / "models"), "--threads", "1",
              "--track", uri_of(store[0]), "--json"])  # fmt: skip
    assert not ended.value.code
    printed = json.loads(capfd.readouterr().out)
    assert run_of((store[0], printed["mlflow_run"])).data.tags["version"] == printed["version"]


@pytest.mark.parametrize("uri", ["mlruns", "file:mlruns", "file:///mlruns", "./mlruns", ""])
def test_the_file_store_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match=r"Valid: sqlite:///mlflow\.db"):
        check_uri(uri)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("foo://there", "no such kind of store"),
        ("oracle://there/runs", "no such kind of store"),
        ("sqlite://", "no file is named"),
        ("sqlite:///:memory:", "no file is named"),
        ("sqlite:///{folder}/none/mlflow.db", "there is no folder"),
        ("sqlite:///{folder}/", "not a file"),
        ("sqlite:///{folder}/text.db", "no SQLite database"),
        ("http://", "no server is named"),
        ("http://127.0.0.1:1", "no server answers"),
        ("http://127.0.0.1:port", "cannot be read"),
        ("postgresql+none://there/runs", "no such kind of store"),
    ],
)
def test_a_store_that_cannot_be_is_refused_before_the_training(tmp_path: Path, uri: str, message: str) -> None:
    (tmp_path / "text.db").write_text("a letter, in words")
    with pytest.raises(UsageError, match=rf"{message}.*Valid: sqlite:///mlflow\.db"):
        check_uri(uri.format(folder=tmp_path))


def test_a_store_that_may_be_is_let_through(tmp_path: Path, store: tuple[Path, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for uri in (uri_of(tmp_path), uri_of(store[0]), f"http://127.0.0.1:{server.getsockname()[1]}/mlflow"):
            check_uri(uri)


def test_a_refused_store_is_named_without_its_password() -> None:
    with pytest.raises(UsageError) as refused:
        check_uri("oracle://county:se@cret@there/runs")
    assert "://...@there/runs" in str(refused.value)
    assert "cret" not in str(refused.value)


def test_a_tracking_store_that_fails_is_reported_and_the_model_stays(
    result: TrainingResult, small: Small, tmp_path: Path
) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"SQLite format 3\0, and then no database")
    with pytest.raises(TrackingFailed, match=result.bundle.version):
        track(result, small.records.settings, uri_of(tmp_path))
    assert (result.folder / "manifest.json").is_file()
