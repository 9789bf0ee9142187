"""The commands as a person or a script runs them: what is printed where, and how they end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.small import Small

import relapse_risk.errors
from relapse_risk.cli import app, main
from relapse_risk.errors import RelapseError
from relapse_risk.records import write_folder
from relapse_risk.scoring.tables import new_table

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; returns its exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), out, err

    return run


@pytest.fixture(scope="module")
def data(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small county as a records folder; its records are short, so six months of history must do."""
    tables = {name: small.records.table(name) for name in small.records.present}
    training = small.records.settings.training.model_copy(update={"history_months": 6})
    settings = small.records.settings.model_copy(update={"training": training})
    return write_folder(tables, settings, tmp_path_factory.mktemp("data") / "county")


def only_json(out: str) -> dict[str, Any]:
    """Return the one JSON object that stdout holds."""
    told: dict[str, Any] = json.loads(out)
    assert out.count("\n") == 1
    return told


@pytest.mark.parametrize("json_asked", [True, False])
def test_check_tells_a_sound_folder(run: Run, data: Path, *, json_asked: bool) -> None:
    code, out, err = run("check", data, *(["--json"] if json_asked else []))
    assert code == 0
    if json_asked:
        told = only_json(out)
        assert told["sound"] is True
        assert {"households", "visits", "incomes", "statuses"} <= {row["table"] for row in told["tables"]}
    else:
        assert "sound" in out
    assert "records until" in err


@pytest.mark.usefixtures("few_trees")
def test_train_then_score_then_evaluate(run: Run, data: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    until = "2021-09-01"
    code, out, err = run("train", "--data", data, "--models", models, "--until", until, "--threads", 1, "--json")
    assert code == 0, err
    trained = only_json(out)
    assert (models / trained["version"] / "manifest.json").is_file()
    assert trained["training"]["until"] == until
    assert trained["version"] in err

    code, out, err = run("evaluate", "--data", data, "--models", models, "--model", trained["version"],
                         "--predictions", tmp_path / "p.parquet", "--json")  # fmt: skip
    assert code == 0, err
    judged = only_json(out)
    rows = pd.read_parquet(tmp_path / "p.parquet")
    assert judged["rows"] == len(rows) > 300
    assert rows.columns.tolist() == [
        *("household_id", "as_of", "probability", "label", "in_cohort", "was_poor_before"),
    ]
    assert rows["household_id"].dtype == "str"
    assert rows["as_of"].dtype.kind == "M"
    assert rows["as_of"].min() >= pd.Timestamp(until)
    assert set(rows["label"]) == {0, 1}
    assert rows["probability"].between(0, 1).all()
    assert rows[["in_cohort", "was_poor_before"]].dtypes.tolist() == [bool, bool]
    assert not rows.duplicated(["household_id", "as_of"]).any()

    code, out, err = run("score", "--data", data, "--models", models, "--as-of", "2022-03-01",
                         "--out", tmp_path / "s.parquet", "--json")  # fmt: skip
    assert code == 0, err
    scored = only_json(out)
    assert scored["model"] == trained["version"]
    assert scored["households"] == len(pd.read_parquet(tmp_path / "s.parquet"))


def test_score_writes_parquet_and_csv_alike(run: Run, small: Small, data: Path, tmp_path: Path) -> None:
    files = [tmp_path / "scores.parquet", tmp_path / "scores.csv"]
    for file in files:
        file.write_text("an older file of that name")
        code, out, err = run("score", "--data", data, "--models", small.models, "--cycle", "2022-05", "--out", file)
        assert code == 0, err
        assert "Riskiest households as of 2022-05-01" in out
    parquet = pd.read_parquet(files[0])
    csv = pd.read_csv(files[1], dtype={"household_id": "str"}, parse_dates=["as_of"])
    assert len(parquet) > 50
    for column in parquet.columns.drop(["reasons", "as_of"]):
        assert csv[column].tolist() == parquet[column].tolist()
    assert (csv["as_of"] == parquet["as_of"]).all()
    assert [[r["zh"] for r in json.loads(told)] for told in csv["reasons"]] == [
        [r["zh"] for r in told] for told in parquet["reasons"]
    ]
    places = parquet.groupby("grid_id")
    assert (places["place_in_grid"].max() == places.size()).all()
    assert places["probability"].apply(lambda p: p.is_monotonic_decreasing).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores.csv", "scores.parquet"]


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def half(_: object, part: Path, **__: object) -> None:
        part.write_text("half of i")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", half)
    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    (tmp_path / name).write_text("the older one")
    with pytest.raises(OSError, match="No space"), new_table(tmp_path / name) as write:
        write(pd.DataFrame({"a": [1]}))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "the older one"


def test_every_error_class_has_its_own_exit_code() -> None:
    classes = [c for c in vars(relapse_risk.errors).values() if isinstance(c, type) and issubclass(c, RelapseError)]
    codes = [c.exit_code for c in classes]
    assert len(set(codes)) == len(codes) >= 10
    assert 0 not in codes


def _score(data: Path, models: Path) -> list[object]:
    return ["score", "--data", data, "--models", models, "--as-of", "2022-03-01"]


def _unknown_version(data: Path, small: Small, _: Path) -> list[object]:
    return [*_score(data, small.models), "--model", "20200101-0123456789ab"]


def _no_models(data: Path, _: Small, tmp_path: Path) -> list[object]:
    return _score(data, tmp_path)


def _no_data(_: Path, small: Small, tmp_path: Path) -> list[object]:
    return _score(tmp_path / "nowhere", small.models)


def _no_day(data: Path, small: Small, _: Path) -> list[object]:
    return ["score", "--data", data, "--models", small.models]


def _no_cycle(data: Path, small: Small, _: Path) -> list[object]:
    return ["score", "--data", data, "--models", small.models, "--cycle", "2022-02"]


def _no_ending(data: Path, small: Small, tmp_path: Path) -> list[object]:
    return [*_score(data, small.models), "--out", tmp_path / "s.xls"]


def _no_folder(data: Path, small: Small, tmp_path: Path) -> list[object]:
    (tmp_path / "file").write_text("")
    return [*_score(data, small.models), "--out", tmp_path / "file" / "s.csv"]


def _broken_records(data: Path, _: Small, tmp_path: Path) -> list[object]:
    folder = shutil.copytree(data, tmp_path / "broken")
    visits = pq.read_table(folder / "visits.parquet")
    seven = pa.array([7] * visits.num_rows, pa.int64())
    pq.write_table(visits.set_column(visits.column_names.index("yard"), "yard", seven), folder / "visits.parquet")
    return ["check", folder]


def _broken_settings(data: Path, _: Small, tmp_path: Path) -> list[object]:
    folder = shutil.copytree(data, tmp_path / "broken")
    (folder / "relapse.toml").write_text("[cycle]\nmonths = 'two'\n")
    return ["check", folder]


def _damaged_bundle(data: Path, small: Small, tmp_path: Path) -> list[object]:
    folder = shutil.copytree(small.folder, tmp_path / small.version)
    (folder / "booster-00.txt").write_text("tree")
    return _score(data, tmp_path)


def _too_little(data: Path, _: Small, tmp_path: Path) -> list[object]:
    return ["train", "--data", data, "--models", tmp_path, "--until", "2016-01-01"]


def _file_store(data: Path, _: Small, tmp_path: Path) -> list[object]:
    return ["train", "--data", data, "--models", tmp_path, "--track", "mlruns"]


def _seen_outcomes(data: Path, small: Small, _: Path) -> list[object]:
    return ["evaluate", "--data", data, "--models", small.models, "--model", small.version, "--from", "2021-01-01"]


FAILURES = [
    (_unknown_version, 5, "Versions there: "),
    (_no_models, 5, "relapse train"),
    (_no_data, 5, "no records folder"),
    (_no_day, 2, "--as-of YYYY-MM-DD or --cycle YYYY-MM"),
    (_no_cycle, 2, "Cycles near it begin in"),
    (_no_ending, 2, "Valid: .parquet, .csv"),
    (_no_folder, 10, "file"),
    (_broken_records, 3, "[RR008] visits.yard"),
    (_broken_settings, 4, "cycle.months"),
    (_damaged_bundle, 6, "booster-00.txt is damaged"),
    (_too_little, 7, "Bring later records"),
    (_file_store, 2, "sqlite:///mlflow.db"),
    (_seen_outcomes, 2, "or later"),
]


@pytest.mark.parametrize(("command", "exit_code", "told"), FAILURES)
def test_an_error_ends_with_its_own_code_and_says_what_to_do(
    run: Run, small: Small, data: Path, tmp_path: Path, command: Any, exit_code: int, told: str
) -> None:
    arguments = command(data, small, tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (exit_code, "")
    assert err.count("error: ") == 1
    assert told in err
    assert "Traceback" not in err
    code, out, err = run(*arguments, "--json")
    error = only_json(out)["error"]
    assert code == error["exit_code"] == exit_code
    assert told in error["message"]


GROUPS = {group.name: group.typer_instance for group in app.registered_groups}
COMMANDS = [
    *(str(command.name) for command in app.registered_commands),
    *(f"{name} {command.name}" for name, group in GROUPS.items() for command in group.registered_commands),
]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_a_help_page(run: Run, command: str) -> None:
    code, out, err = run(*command.split(), "--help")
    assert (code, err) == (0, "")
    assert "Usage: relapse" in out


def test_help_needs_no_heavy_library() -> None:
    heavy = "{'pandas', 'lightgbm', 'sklearn', 'mlflow', 'pyarrow', 'numba', 'fastapi'}"
    code = f"import sys, relapse_risk.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
