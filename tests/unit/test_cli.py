"""The commands as a person or a script runs them: what is printed where, and how they end."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.small import Small

import relapse_risk.errors
from relapse_risk.cli import app, main
from relapse_risk.cli.service import _loopback
from relapse_risk.errors import OutputBusy, RelapseError, UsageError
from relapse_risk.outputs import hold
from relapse_risk.records import load_records, write_folder
from relapse_risk.records.writer import write_tables
from relapse_risk.scoring.result_files import new_table
from relapse_risk.settings import Settings

Run = Callable[..., tuple[int, str, str]]
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"


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
    report: dict[str, Any] = json.loads(out)
    assert out.count("\n") == 1
    return report


@pytest.mark.parametrize("json_asked", [True, False])
def test_check_reports_a_sound_folder(run: Run, data: Path, *, json_asked: bool) -> None:
    code, out, err = run("check", data, *(["--json"] if json_asked else []))
    assert code == 0
    if json_asked:
        report = only_json(out)
        assert report["sound"] is True
        assert {"households", "visits", "incomes", "statuses"} <= {row["table"] for row in report["tables"]}
    else:
        assert "sound" in out
    assert "records until" in err


@pytest.mark.parametrize("in_order", [True, False])
def test_a_county_in_no_order_is_sound_and_said_to_need_all_memory(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_order: bool
) -> None:
    monkeypatch.setattr("relapse_risk.records.writer.HOUSEHOLDS_OF_A_BLOCK", 20)
    folder = shutil.copytree(data, tmp_path / "records")
    records = load_records(folder)
    write_tables(folder, {name: records.table(name) for name in records.present}, 20)
    if not in_order:
        visits = pq.read_table(folder / "visits.parquet")
        backwards = visits.take(pa.array(range(len(visits) - 1, -1, -1)))
        pq.write_table(backwards, folder / "visits.parquet", row_group_size=len(visits) // 4)
    code, out, err = run("check", folder, "--json")
    assert code == 0
    assert len(only_json(out)["notes"]) == (not in_order)
    assert ("Sort each table by household_id" in err) == (not in_order)


@pytest.mark.usefixtures("few_trees")
def test_training_says_when_nothing_was_judged(run: Run, data: Path, tmp_path: Path) -> None:
    config = tmp_path / "relapse.toml"
    settings = Settings.load(data)
    training = settings.training.model_copy(update={"origins": 0, "most_negatives": 1000})
    config.write_text(settings.model_copy(update={"training": training}).to_toml(), encoding="utf-8")
    code, _, err = run("train", "--data", data, "--models", tmp_path / "models", "--config", config)
    assert code == 0, err
    assert "not judged" in err
    assert "of the negatives" in err
    assert "household is judged" not in err


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
    assert set(trained["training"]["left_out"]) == {"immature", "already_poor", "unobserved"}
    assert f"{trained['training']['left_out']['already_poor']:,} already poor" in err

    code, out, err = run("evaluate", "--data", data, "--models", models, "--model", trained["version"],
                         "--predictions", tmp_path / "p.parquet", "--json")  # fmt: skip
    assert code == 0, err
    judged = only_json(out)
    rows = pd.read_parquet(tmp_path / "p.parquet")
    assert judged["rows"] == len(rows) > 300
    # rounds of two months; the label takes six and thirty days, and the records end on 2022-07-01
    assert judged["skipped"] == dict.fromkeys(
        ["2022-01-01", "2022-03-01", "2022-05-01"], "not mature before the records' end (2022-07-01)"
    )
    assert "not judged: 2022-01-01, not mature before the records' end" in err
    assert not set(judged["skipped"]) & set(rows["as_of"].dt.strftime("%Y-%m-%d"))
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


def test_score_writes_the_same_to_parquet_and_csv(run: Run, small: Small, data: Path, tmp_path: Path) -> None:
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
    assert [[r["zh"] for r in json.loads(reasons)] for reasons in csv["reasons"]] == [
        [r["zh"] for r in reasons] for reasons in parquet["reasons"]
    ]
    assert files[1].read_bytes().startswith(codecs.BOM_UTF8), "Excel shows Chinese by this mark alone"
    places = parquet.groupby("grid_id")
    assert (places["place_in_grid"].max() == places.size()).all()
    assert places["probability"].apply(lambda p: p.is_monotonic_decreasing).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores.csv", "scores.parquet"]


def test_a_day_before_the_records_scores_nobody_and_says_why(
    run: Run, small: Small, data: Path, tmp_path: Path
) -> None:
    command = ["score", "--data", data, "--models", small.models, "--cycle", "2010-01"]
    code, out, err = run(*command, "--out", tmp_path / "s.parquet", "--json")
    assert code == 0, err
    report = only_json(out)
    assert (report["households"], report["bands"], report["warnings"]) == (0, {}, [])
    assert "nobody is in the cohort as of 2010-01-01: the first profile came in on" in report["notes"][0]
    assert f"note: {report['notes'][0]}" in err
    assert len(pd.read_parquet(tmp_path / "s.parquet")) == 0
    assert run(*command)[0] == 0


def test_a_day_past_the_records_is_warned_of_on_stderr_and_in_json(run: Run, small: Small, data: Path) -> None:
    code, out, err = run("score", "--data", data, "--models", small.models, "--cycle", "2022-09", "--json")
    assert code == 0, err
    report = only_json(out)
    assert report["households"] > 50
    assert report["notes"] == []
    assert len(report["warnings"]) == 1
    assert "as_of 2022-09-01: the records end on 2022-07-01" in report["warnings"][0]
    assert f"warning: {report['warnings'][0]}" in err
    assert "RecordsEndBefore" not in err, "in words, without a place in our code"


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def half(table: pa.Table) -> Iterator[pa.Table]:
        yield table
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("relapse_risk.scoring.result_files._parts", half)
    (tmp_path / name).write_text("the older one")
    with pytest.raises(OSError, match="No space"), new_table(tmp_path / name) as write:
        write(pd.DataFrame({"a": [1]}))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "the older one"


def test_every_error_class_has_its_own_exit_code_and_is_listed_in_the_help(run: Run) -> None:
    classes = [c for c in vars(relapse_risk.errors).values() if isinstance(c, type) and issubclass(c, RelapseError)]
    codes = [c.exit_code for c in classes]
    assert len(set(codes)) == len(codes) >= 10
    assert 0 not in codes
    assert set(classes) == {RelapseError, *RelapseError.__subclasses__()}
    out = " ".join(run("--help")[1].split())
    listed = out[out.index("Exit codes:") :]
    assert "0 Done." in listed
    for of in set(classes) - {RelapseError}:
        meaning = str(of.__doc__).partition("\n")[0]
        assert f" {of.exit_code} {of.__name__}: {meaning}" in listed
    assert {2: "UsageError", 12: "OutputBusy", 130: "Interrupted"}.items() <= {
        of.exit_code: of.__name__ for of in classes
    }.items()


def test_the_version_is_printed(run: Run) -> None:
    code, out, err = run("--version")
    assert (code, out, err) == (0, f"relapse-risk {metadata.version('relapse-risk')}\n", "")


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


def _long_past(data: Path, small: Small, _: Path) -> list[object]:
    return ["score", "--data", data, "--models", small.models, "--cycle", "2025-01"]


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


def _models_a_file(data: Path, _: Small, tmp_path: Path) -> list[object]:
    (tmp_path / "models").write_text("")
    return _score(data, tmp_path / "models")


def _train_models_a_file(data: Path, _: Small, tmp_path: Path) -> list[object]:
    (tmp_path / "models").write_text("")
    return ["train", "--data", data, "--models", tmp_path / "models"]


def _demo_a_file(_: Path, __: Small, tmp_path: Path) -> list[object]:
    (tmp_path / "demo").write_text("")
    return ["demo", "--out", tmp_path / "demo"]


def _no_such_store(data: Path, _: Small, tmp_path: Path) -> list[object]:
    return ["train", "--data", data, "--models", tmp_path, "--track", "foo://there"]


def _train_no_data(_: Path, __: Small, tmp_path: Path) -> list[object]:
    return ["train", "--data", tmp_path / "nowhere", "--models", tmp_path / "models"]


def _out_a_folder(data: Path, small: Small, tmp_path: Path) -> list[object]:
    (tmp_path / "s.csv").mkdir()
    return [*_score(data, small.models), "--out", tmp_path / "s.csv"]


def _no_ending_to_judge(data: Path, small: Small, tmp_path: Path) -> list[object]:
    return [*_evaluate(data, small), "--predictions", tmp_path / "p.txt"]


def _evaluate(data: Path, small: Small) -> list[object]:
    return ["evaluate", "--data", data, "--models", small.models, "--model", small.version]


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
    (_long_past, 2, "Valid: 2022-09-01 or earlier"),
    (_no_ending, 2, "Valid: .parquet, .csv"),
    (_no_folder, 10, "file"),
    (_broken_records, 3, "[RR008] visits.yard"),
    (_broken_settings, 4, "cycle.months"),
    (_damaged_bundle, 6, "booster-00.txt is damaged"),
    (_too_little, 7, "Bring later records"),
    (_file_store, 2, "sqlite:///mlflow.db"),
    (_seen_outcomes, 2, "or later"),
]


#: What can be seen before the records are read, which may take minutes.
EARLY = [
    (_unknown_version, 5, "Versions there: "),
    (_no_models, 5, "relapse train"),
    (_no_data, 5, "no records folder"),
    (_train_no_data, 5, "no records folder"),
    (_no_day, 2, "--as-of YYYY-MM-DD or --cycle YYYY-MM"),
    (_no_cycle, 2, "Cycles near it begin in"),
    (_no_ending, 2, "Valid: .parquet, .csv"),
    (_no_ending_to_judge, 2, "Valid: .parquet, .csv"),
    (_no_folder, 10, "Not a directory"),
    (_out_a_folder, 8, "exists and is not a file"),
    (_models_a_file, 2, "is a file. Valid: a folder"),
    (_train_models_a_file, 2, "is a file. Valid: a folder"),
    (_demo_a_file, 2, "is a file. Valid: a folder"),
    (_file_store, 2, "sqlite:///mlflow.db"),
    (_no_such_store, 2, "sqlite:///mlflow.db"),
    (_seen_outcomes, 2, "or later"),
]


@pytest.mark.parametrize(("command", "exit_code", "message"), EARLY)
def test_errors_that_need_no_work_are_reported_before_it(
    run: Run,
    small: Small,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: Any,
    exit_code: int,
    message: str,
) -> None:
    arguments = command(data, small, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("relapse_risk.records.blocks.conform_tables", _work)
    monkeypatch.setattr("relapse_risk.datasets.county.simulate.townships", _work)
    code, _, err = run(*arguments)
    assert code == exit_code, err
    assert message in err
    assert sorted(tmp_path.rglob("*")) == before


def _work(*_: object, **__: object) -> None:
    raise AssertionError("the work began")


VERSIONS = ["../models/{}", "/srv/{}", "{}/", "./{}", "%2e%2e/{}", "{}\0", "{}\n", "..", "", "latest", "20220701"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", ["score", "evaluate", "serve"])
def test_a_model_is_named_by_its_version_and_no_path(
    run: Run, small: Small, data: Path, command: str, version: str
) -> None:
    of = {"score": _score(data, small.models), "evaluate": _evaluate(data, small)[:5]}
    arguments = of.get(command, ["serve", "--models", small.models, "--port", _free_port()])
    code, out, err = run(*arguments, "--model", version.format(small.version))
    assert (code, out) == (2, "")
    assert "is not a model version. Valid: YYYYMMDD-<12 hex digits>" in err
    assert small.version in err.partition("Versions there: ")[2]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104
        "::",
        "10.1.2.3",
        "192.168.0.1",
        "127.0.0.1.nip.io",
        "128.0.0.1",
        "",
        "::ffff:10.0.0.1",
        "2130706433",
    ],
)
def test_the_service_is_for_this_machine_alone(run: Run, host: str) -> None:
    code, out, err = run("serve", "--host", host)
    assert (code, out) == (2, "")
    assert "the service has no keys yet" in err
    assert "Valid: 127.0.0.1 (any of 127.0.0.0/8), ::1, localhost" in err


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.9.9.9", "127.9.9.9"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("LocalHost", "127.0.0.1"),
    ],
)
def test_a_loopback_address_is_taken(host: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(0, 0, 0, "", ("::1", 0)), (0, 0, 0, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert _loopback(host) == address


def test_localhost_that_leads_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(0, 0, 0, "", ("127.0.0.1", 0)), (0, 0, 0, "", ("10.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(UsageError, match="--host localhost"):
        _loopback("localhost")


def test_help_says_that_the_service_has_no_keys(run: Run) -> None:
    help_text = " ".join(run("serve", "--help")[1].split())
    assert "It has no keys and no access control: whoever reaches it is answered." in help_text
    assert "loopback addresses alone" in help_text


def _simulate(out: Path) -> list[object]:
    return ["simulate", "--out", out, "--households", 150, "--months", 2]


#: For each command that writes, its arguments and the output that another run is writing.
WRITING: dict[str, Callable[[Path, Small, Path], tuple[list[object], str]]] = {
    "simulate": lambda _, __, tmp: (_simulate(tmp / "county"), "county"),
    "simulate's truth": lambda _, __, tmp: (_simulate(tmp / "county"), "county-truth"),
    "demo": lambda _, __, tmp: (["demo", "--out", tmp / "demo"], "demo"),
    "score": lambda data, small, tmp: ([*_score(data, small.models), "--out", tmp / "s.csv"], "s.csv"),
    "evaluate": lambda data, small, tmp: ([*_evaluate(data, small), "--predictions", tmp / "p.csv"], "p.csv"),
    "import eph": lambda _, __, tmp: (["import", "eph", tmp / "none", "--out", tmp / "eph"], "eph"),
    "import county": lambda _, __, tmp: (
        ["import", "county", SAMPLE, "--mapping", SAMPLE / "mapping.toml", "--out", tmp / "own"],
        "own",
    ),
    "import county --suggest-mapping": lambda _, __, tmp: (
        ["import", "county", SAMPLE, "--suggest-mapping", "--mapping", tmp / "m.toml"],
        "m.toml",
    ),
}


@pytest.mark.parametrize("command", WRITING)
def test_a_second_run_into_one_output_is_refused_before_the_work(
    run: Run, small: Small, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    arguments, output = WRITING[command](data, small, tmp_path)
    for work in (
        "records.blocks.conform_tables",
        "datasets.county.simulate.townships",
        "datasets.exports.sources.ExportReader",
    ):
        monkeypatch.setattr(f"relapse_risk.{work}", _work)
    with hold(tmp_path / output):
        there = sorted(tmp_path.rglob("*"))
        code, _, err = run(*arguments, "--json")
        assert code == OutputBusy.exit_code == 12, err
        assert f"another run is writing {tmp_path / output} (process {os.getpid()} on " in err
        assert "Wait until it is done, stop it, or name another place." in err
        assert sorted(tmp_path.rglob("*")) == there
    assert not list(tmp_path.iterdir())


def test_ctrl_c_ends_in_words_with_130_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("relapse_risk.datasets.county.simulate.county_settings", stop)
    code, out, err = run(*_simulate(tmp_path / "county"), "--json")
    assert code == only_json(out)["error"]["exit_code"] == 130
    assert err.splitlines()[-1] == "error: stopped by Ctrl-C; no output is left half written"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_command_that_is_stopped_or_killed_in_its_work_can_be_run_again(
    run: Run, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    out = tmp_path / "county"
    command = [*map(str, _simulate(out)), "--households", "60000", "--months", "60"]
    process = subprocess.Popen(
        [sys.executable, "-m", "relapse_risk.cli", *command], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    while "township 1 of" not in process.stderr.readline():
        assert process.poll() is None
    assert (tmp_path / ".county.part" / "new").is_dir()
    process.send_signal(sent)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == code
    if sent == signal.SIGINT:
        assert "stopped by Ctrl-C" in err
        assert "Traceback" not in err
        assert not list(tmp_path.iterdir())
    assert run(*_simulate(out))[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["county", "county-truth"]


@pytest.mark.parametrize(("command", "exit_code", "message"), FAILURES)
def test_an_error_ends_with_its_own_code_and_says_what_to_do(
    run: Run, small: Small, data: Path, tmp_path: Path, command: Any, exit_code: int, message: str
) -> None:
    arguments = command(data, small, tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (exit_code, "")
    assert err.count("error: ") == 1
    assert message in err
    assert "Traceback" not in err
    code, out, err = run(*arguments, "--json")
    error = only_json(out)["error"]
    assert code == error["exit_code"] == exit_code
    assert message in error["message"]


GROUPS = {group.name: group.typer_instance for group in app.registered_groups if group.typer_instance}
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


def test_a_fault_of_the_disk_that_no_command_foresaw_names_the_file(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 80)  # longer than a name may be
    code, out, err = run("check", folder, "--json")
    error = only_json(out)["error"]
    assert code == error["exit_code"] == relapse_risk.errors.StorageError.exit_code
    assert str(folder) in error["message"]
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("module", "extra", "command"),
    [
        ("granian.constants", "serve", ["serve"]),
        ("mlflow", "track", ["train", "--track", "sqlite:///runs.db"]),
    ],
)
def test_a_part_that_was_not_installed_is_named(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch, module: str, extra: str, command: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    code, _, err = run(*command, *(["--data", data] if "train" in command else []))
    assert code == UsageError.exit_code
    assert f"relapse-risk[{extra}]" in err.replace("\n", "")


def test_a_table_without_rows_is_checked_and_reported_as_empty(run: Run, small: Small, tmp_path: Path) -> None:
    tables = {name: small.records.table(name) for name in small.records.present}
    tables["shocks"] = tables["shocks"].slice(0, 0)
    folder = write_folder(tables, small.records.settings, tmp_path / "county")
    code, out, _ = run("check", folder, "--json")
    assert code == 0
    (row,) = [row for row in only_json(out)["tables"] if row["table"] == "shocks"]
    assert (row["rows"], row["households"], row["first_day"]) == (0, 0, "")
