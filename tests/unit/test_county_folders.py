"""A county on disk: the same bytes from the same seed, whole or not at all, the truth in a folder of its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relapse_risk import outputs
from relapse_risk.cli import app, main
from relapse_risk.datasets import Switches, read_county, read_truth, simulate_county, write_county
from relapse_risk.datasets.county import township
from relapse_risk.datasets.county import truth as truths
from relapse_risk.datasets.county.township import SIMULATED
from relapse_risk.errors import NotFoundError, OutputBusy, OutputExists, StorageError, UsageError
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.records.folder import load_records, write_folder
from relapse_risk.records.records import Records
from relapse_risk.records.schema import plain
from relapse_risk.settings import Settings
from relapse_risk.training.dataset import make_dataset
from relapse_risk.training.splits import mature_dates


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        write_county(tmp_path / name, tmp_path / f"{name}-truth", 320, 15, seed)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert hashes(tmp_path / "a-truth") == hashes(tmp_path / "b-truth")
    other = hashes(tmp_path / "c")
    same = {name for name, digest in hashes(tmp_path / "a").items() if other[name] == digest}
    assert same <= {"relapse.toml", "grids.parquet"}
    assert hashes(tmp_path / "a-truth").items().isdisjoint(hashes(tmp_path / "c-truth").items())


def test_the_folder_holds_what_is_simulated_in_memory(tmp_path: Path) -> None:
    rows = write_county(tmp_path / "a", tmp_path / "t", 320, 15, 4)
    (read, true), (made, truth) = read_county(tmp_path / "a", tmp_path / "t"), simulate_county(320, 15, 4)
    assert all(read.table(name).equals(made.table(name)) for name in SIMULATED)
    assert rows == {name: made.table(name).num_rows for name in SIMULATED}
    assert true.equals(truth)
    assert read.settings == made.settings


@pytest.mark.parametrize("months", [13, 14])
def test_a_longer_run_extends_a_shorter_one(months: int) -> None:
    """Everything known before the shorter run's end is in the longer one, row for row, and nothing else."""
    (short, true), (long, truth) = simulate_county(320, months, 6), simulate_county(320, 20, 6)
    known = long.visible(short.end)
    assert all(plain(known.table(name)).equals(plain(short.table(name))) for name in SIMULATED)
    assert long.table("visits").num_rows > short.table("visits").num_rows
    both = truth.to_pandas().merge(true.to_pandas(), on=["household_id", "month"], how="right", suffixes=("", "_s"))
    assert both["hazard"].equals(both["hazard_s"].rename("hazard"))


def test_the_truth_of_other_records_is_refused_and_so_is_a_damaged_one(tmp_path: Path) -> None:
    """A truth is read with its own records or not at all."""
    for name, seed in (("a", 1), ("b", 2)):
        write_county(tmp_path / name, tmp_path / f"{name}-truth", 150, 2, seed)
    with pytest.raises(NotFoundError, match=r"b-truth does not hold the truth of the records in .*a \(hazard-"):
        read_county(tmp_path / "a", tmp_path / "b-truth")
    (file,) = (tmp_path / "a-truth").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(StorageError, match=r"hazard-\w+.parquet is damaged; simulate the county again"):
        read_county(tmp_path / "a", tmp_path / "a-truth")
    records, _ = simulate_county(150, 2)
    real = write_folder({n: records.table(n) for n in records.present}, records.settings, tmp_path / "real")
    with pytest.raises(NotFoundError, match="only simulated records have a known one"):
        read_county(real, tmp_path / "b-truth")


def test_records_replaced_while_they_are_read_are_not_paired_with_the_truth_of_the_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, folder = tmp_path / "county", tmp_path / "truth"
    write_county(out, folder, 150, 2, 1)

    def load_and_replace(path: Path) -> Records:
        records = load_records(path)
        write_county(out, folder, 150, 2, 2)
        return records

    monkeypatch.setattr(truths, "load_records", load_and_replace)
    with pytest.raises(OutputBusy, match="another run replaced .*county while it was read; read it again"):
        read_county(out, folder)


def test_a_truth_replaced_just_before_it_is_opened_is_that_of_the_new_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, folder = tmp_path / "county", tmp_path / "truth"
    write_county(out, folder, 150, 2, 1)
    read = Path.read_bytes

    def replace_and_read(path: Path) -> bytes:
        if path.suffix == ".parquet":
            monkeypatch.undo()
            write_county(out, folder, 150, 2, 2)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", replace_and_read)
    assert read_truth(folder, out).equals(simulate_county(150, 2, 2)[1])


def test_a_truth_of_the_earlier_layout_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "truth"
    folder.mkdir()
    for name in ("hazard.parquet", "simulation.json"):
        (folder / name).write_text("old")
    write_county(tmp_path / "county", folder, 150, 2, 1)
    assert [file.name[:7] for file in folder.iterdir()] == ["hazard-"]


class Stopped(Exception):
    """What stops a run in its middle."""


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Stopped

    where, name = request.param
    monkeypatch.setattr(where, name, stop)


@pytest.mark.parametrize(
    "stopping",
    [(township, "truth_of"), (Settings, "to_toml"), (outputs, "_settle"), (outputs.Addition, "put")],
    indirect=True,
)
@pytest.mark.usefixtures("stopping")
def test_an_interrupted_run_leaves_what_was_there(tmp_path: Path) -> None:
    """Nothing half written is ever seen, and nothing is left behind."""
    with pytest.raises(Stopped):
        write_county(tmp_path / "new", tmp_path / "new-truth", 320, 2, 0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("exchange", [True, False])
def test_a_run_stopped_when_its_truth_has_its_name_takes_it_away_again_unless_records_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exchange: bool
) -> None:
    out, truth = tmp_path / "county", tmp_path / "truth"
    write_county(out, truth, 150, 2, 1)
    before, real = (hashes(out), hashes(truth)), outputs._exchange

    def stop(*paths: Path) -> None:
        assert len(list(truth.iterdir())) == 2
        if exchange:
            real(*paths)
        raise Stopped

    monkeypatch.setattr(outputs, "_exchange", stop)
    with pytest.raises(Stopped):
        write_county(out, truth, 150, 2, 2)
    assert read_truth(truth, out).equals(simulate_county(150, 2, 2 if exchange else 1)[1])
    assert exchange or (hashes(out), hashes(truth)) == before


def test_a_run_interrupted_between_townships_keeps_the_old_county(tmp_path: Path) -> None:
    """The old records and their truth stay, byte for byte."""
    out, truth = tmp_path / "county", tmp_path / "truth"
    write_county(out, truth, 320, 2, 0)
    before = hashes(out), hashes(truth)

    def stop(done: int, of: int) -> None:
        assert (done, of) == (1, 2)
        raise Stopped

    with pytest.raises(Stopped):
        write_county(out, truth, 320, 2, 1, on_progress=stop)
    assert (hashes(out), hashes(truth)) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["county", "truth"]
    write_county(out, truth, 320, 2, 1)
    assert (hashes(out), hashes(truth)) != before


def test_imported_records_and_other_folders_are_not_replaced(tmp_path: Path) -> None:
    records, _ = simulate_county(150, 2)
    real = write_folder({n: records.table(n) for n in records.present}, records.settings, tmp_path / "real")
    before = hashes(real)
    with pytest.raises(OutputExists, match=r"real exists and holds nothing simulated; choose another --out"):
        write_county(real, tmp_path / "t", 150, 2)
    with pytest.raises(OutputExists, match="choose another --truth"):
        write_county(tmp_path / "new", real, 150, 2)
    assert hashes(real) == before


def test_the_truth_has_its_own_folder_and_no_model_reads_it(tmp_path: Path) -> None:
    """The folder of records holds no hazard, and without the truth the same is learned."""
    out, truth = tmp_path / "county", tmp_path / "truth"
    for folders in ((out, out / "truth"), (truth / "county", truth), (out, out)):
        with pytest.raises(UsageError, match="the truth is kept apart"):
            write_county(*folders, 150, 2)
    write_county(out, truth, 1500, 26, 2)
    assert {file.stem for file in out.glob("*.parquet")} == set(SIMULATED)
    assert not any("hazard" in load_records(out).table(name).column_names for name in SIMULATED)

    def learned() -> list[float]:
        records = load_records(out)
        data = make_dataset(records, mature_dates(records)[-2:])
        model = RelapseModel(outcome=records.settings.outcome, n_boosters=1, n_trees=30, n_threads=1).fit(
            data.X, data.y
        )
        return model.predict_proba(data.X)[:, 1].tolist()

    with_truth = learned()
    for file in truth.iterdir():
        file.unlink()
    truth.rmdir()
    assert learned() == with_truth
    with pytest.raises(NotFoundError, match=r"truth does not hold the truth of the records in .*county \(hazard-"):
        read_truth(truth, out)


def test_the_command_writes_a_county_and_says_what_comes_next(tmp_path: Path) -> None:
    out = tmp_path / "county"
    arguments = ["simulate", "--out", str(out), "--households", "200", "--months", "3", "--seed", "7"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    assert "visits" in done.stdout
    assert f"Next: relapse check {out}, relapse train --data {out}" in done.stderr.replace("\n", "")
    records, truth = simulate_county(200, 3, 7)
    assert load_records(out).table("visits").equals(records.table("visits"))
    assert read_truth(tmp_path / "county-truth", out).equals(truth)


def test_the_commands_json_states_rows_and_switches(tmp_path: Path) -> None:
    arguments = ["simulate", "--out", str(tmp_path / "c"), "--truth", str(tmp_path / "t"), "--households", "200"]
    arguments += ["--months", "3", "--no-selection", "--no-delay", "--json"]
    done = CliRunner().invoke(app, arguments)
    printed = json.loads(done.stdout)
    switches = {"selection": False, "treatment": True, "delay": False}
    assert printed["switches"] == switches
    assert json.loads((tmp_path / "c" / "simulation.json").read_text())["switches"] == switches
    records, _ = simulate_county(200, 3, switches=Switches(selection=False, delay=False))
    assert printed["tables"]["visits"] == records.table("visits").num_rows
    assert load_records(tmp_path / "c").table("visits").equals(records.table("visits"))


def test_the_command_refuses_in_words_with_the_errors_own_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "--out", str(tmp_path / "photos"), "--households", "200", "--months", "1"])
    assert ended.value.code == OutputExists.exit_code
    assert "holds nothing simulated; choose another --out" in capsys.readouterr().err.replace("\n", "")
    with pytest.raises(UsageError, match="households=0, months=3. Valid: 1 or more of each"):
        simulate_county(0, 3)
