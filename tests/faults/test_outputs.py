"""An output is whole whatever happens to the run that writes it, and one run writes it at a time."""

from __future__ import annotations

import inspect
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.small import Small, save

from relapse_risk import outputs, train
from relapse_risk.datasets.county import truth
from relapse_risk.errors import OutputBusy, OutputExists, StorageError, UsageError
from relapse_risk.model.bundle import load_model
from relapse_risk.outputs import check_folder, hold, new_file, new_folder
from relapse_risk.records import write_folder
from relapse_risk.scoring.result_files import new_table

#: Writes what each line asks for, in a process of its own that is killed at the n-th thing it does to the disk.
KILLER = """
import os, signal, sys
from pathlib import Path
import pandas, pyarrow as pa, pyarrow.parquet as pq  # what is imported now takes no steps later
from relapse_risk import outputs
from relapse_risk.datasets.county import truth

{write}
EVENTS = {"open", "fcntl.flock", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate"}
outputs._renameat2()
for line in sys.stdin:
    out, text, n, exchange = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    if exchange == "False":
        outputs._exchanged_at_once = lambda one, other: False
    left = int(n)

    def count(event, _):
        global left
        if event in EVENTS:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    WRITE(Path(out), text)
    os._exit(0)
"""


@contextmanager
def killer(write: Callable[[Path, str], None]) -> Iterator[Callable[..., bool]]:
    """Yield what writes an output in a process killed at its n-th step, and returns False where it has fewer."""
    code = KILLER.replace("{write}", inspect.getsource(write)).replace("WRITE", write.__name__)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def killed(out: Path, text: str, n: int, *, exchange: bool) -> bool:
            assert process.stdin
            assert process.stdout
            print(out, text, n, exchange, sep="\t", file=process.stdin, flush=True)
            ended = int(process.stdout.readline())
            assert ended in (0, -signal.SIGKILL)
            return ended != 0

        yield killed


def write(out: Path, text: str) -> None:
    """Write an output, a file or a folder with one below it."""
    if out.suffix:
        with outputs.new_file(out) as new:
            new.write_text(text)
    else:
        with outputs.new_folder(out, "made", "is not ours") as new:
            (new / "rejects").mkdir()
            for name in ("made", "visits.parquet", "rejects/visits.csv"):
                (new / name).write_text(text)


def content(out: Path) -> dict[str, str]:
    """Return the texts of an output, by name below it."""
    files = [out] if out.is_file() else sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_text() for path in files}


def whole(out: Path, text: str) -> dict[str, str]:
    """Return what ``write`` leaves."""
    return dict.fromkeys(["."] if out.suffix else ["made", "rejects/visits.csv", "visits.parquet"], text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("old", [True, False], ids=["replacing", "new"])
@pytest.mark.parametrize(
    ("name", "exchange"), [("county", True), ("county", False), ("scores.csv", True)], ids=["folder", "old", "file"]
)
def test_killed_at_any_step_the_output_is_old_or_new_and_the_next_run_clears_up(
    tmp_path: Path, name: str, *, exchange: bool, old: bool
) -> None:
    """Where the file system cannot exchange names, the name lacks at one step, until the next run."""
    seen, lacking = set(), 0
    with killer(write) as killed:
        for n in range(1, 200):
            root = tmp_path / str(n)
            out = root / name
            root.mkdir()
            if old:
                write(out, "old")
            if not killed(out, "new", n, exchange=exchange):
                break
            if out.exists():
                found = content(out)
                assert found in (whole(out, "old"), whole(out, "new"))
                seen.add(next(iter(found.values())))
            elif old:
                lacking += 1
                with hold(out):  # any next run, even one that comes to nothing
                    assert content(out) == whole(out, "old")
            write(out, "again")
            assert content(out) == whole(out, "again")
            assert names(root) == [name]
    assert n > 10
    assert seen == ({"old", "new"} if old else {"new"})
    assert lacking == (old and not exchange)


def write_both(out: Path, text: str) -> None:
    """Write records, of which only the text matters, and their truth beside them."""
    with truth.new_county(out, out.with_name("truth"), {"seed": text}) as new:
        (new.records / "relapse.toml").write_text(text)
        pq.write_table(pa.table({"of": [text]}), new.truth)


@pytest.mark.parametrize("old", [True, False], ids=["replacing", "new"])
@pytest.mark.parametrize("exchange", [True, False])
def test_killed_at_any_step_records_have_their_own_truth(tmp_path: Path, *, exchange: bool, old: bool) -> None:
    """Whoever reads both finds old and old or new and new, and the next run clears up."""
    seen = set()
    with killer(write_both) as killed:
        for n in range(1, 200):
            out = tmp_path / str(n) / "county"
            hazards = out.with_name("truth")
            out.parent.mkdir()
            if old:
                write_both(out, "old")
            if not killed(out, "new", n, exchange=exchange):
                break
            if not out.exists():
                with hold(out):  # any next run, even one that comes to nothing
                    assert out.exists() == old
            if out.exists():
                text = (out / "relapse.toml").read_text()
                assert truth.read_truth(hazards, out)["of"].to_pylist() == [text]
                seen.add(text)
            write_both(out, "again")
            assert truth.read_truth(hazards, out)["of"].to_pylist() == ["again"]
            assert names(out.parent) == ["county", "truth"]
            assert len(names(hazards)) == 1
    assert n > 20
    assert seen == ({"old", "new"} if old else {"new"})


@contextmanager
def another_run(out: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds an output."""
    code = (
        "import sys, time\nfrom relapse_risk.outputs import hold\n"
        "with hold(sys.argv[1]):\n    print('held', flush=True)\n    time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_run_is_refused_until_the_first_ends_or_is_killed(tmp_path: Path) -> None:
    out = tmp_path / "county"
    with another_run(out) as first:
        with pytest.raises(OutputBusy, match=rf"another run is writing .*county \(process {first.pid} on .*Wait"):
            write_folder({}, _settings(), out)
        with pytest.raises(OutputBusy), new_table(tmp_path / "link.csv") as _, hold(out):
            pass
        assert names(tmp_path) == [".county.part"]
        first.kill()
        first.wait()
        write_folder({}, _settings(), out)
    assert names(tmp_path) == ["county"]


def test_runs_into_outputs_side_by_side_do_not_hinder_each_other(tmp_path: Path) -> None:
    with another_run(tmp_path / "county"):
        write_folder({}, _settings(), tmp_path / "county-truth")
        with new_table(tmp_path / "county.csv") as write:
            write(pd.DataFrame({"a": [1]}))
    assert {"county-truth", "county.csv"} < set(names(tmp_path))


def test_a_lock_that_its_holder_has_just_removed_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run opens the lock, the first ends and removes it, the second locks what no one else can see."""
    out, first, wait_or_refuse = tmp_path / "county", ExitStack(), outputs._wait_or_refuse
    first.enter_context(hold(out))

    def end_first(*arguments: Any, **named: Any) -> None:
        first.close()
        wait_or_refuse(*arguments, **named)

    monkeypatch.setattr(outputs, "_wait_or_refuse", end_first)
    with hold(out):
        monkeypatch.undo()
        with pytest.raises(OutputBusy), hold(out):
            pass


class Stopped(BaseException):
    """What stops a run in its middle, as Ctrl-C does."""


@pytest.mark.parametrize("step", ["_settle", "_flush", "_exchange", "_exchanged_at_once"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "full"), Stopped()], ids=repr)
def test_a_run_that_is_stopped_leaves_the_old_output_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    out = write_folder({}, _settings(), tmp_path / "county")
    before = content(out)

    def stop(*_: object) -> None:
        raise error

    monkeypatch.setattr(outputs, step, stop)
    with pytest.raises((type(error), StorageError)):
        write_folder({}, _settings(), out, extra_files={"rejects/visits.csv": "new"})
    assert content(out) == before
    assert names(tmp_path) == ["county"]


def test_stopped_between_the_two_renames_the_old_folder_gets_its_name_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write_folder({}, _settings(), tmp_path / "county")
    before, rename = content(out), Path.rename

    def stop_second(path: Path, to: Path) -> Path:
        if path.name == "new":
            raise Stopped
        return rename(path, to)

    monkeypatch.setattr(outputs, "_exchanged_at_once", lambda *_: False)
    monkeypatch.setattr(Path, "rename", stop_second)
    with pytest.raises(Stopped):
        write_folder({}, _settings(), out, extra_files={"rejects/visits.csv": "new"})
    assert content(out) == before
    assert names(tmp_path) == ["county"]


@pytest.mark.parametrize("code", outputs._NO_EXCHANGE)
def test_a_file_system_that_cannot_exchange_names_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    out = write_folder({}, _settings(), tmp_path / "county")
    monkeypatch.setattr(outputs, "_renameat2", lambda: lambda *_: -1)
    monkeypatch.setattr("ctypes.get_errno", lambda: code)
    write_folder({}, _settings(), out, extra_files={"rejects/visits.csv": "new"})
    assert content(out)["rejects/visits.csv"] == "new"
    assert names(tmp_path) == ["county"]


def test_a_system_that_cannot_exchange_names_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "_renameat2", lambda: None)
    for text in ("first", "second"):
        write_folder({}, _settings(), tmp_path / "county", extra_files={"rejects/visits.csv": text})
    assert content(tmp_path / "county")["rejects/visits.csv"] == "second"
    assert names(tmp_path) == ["county"]


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    small = ["-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if not mount or not umount or subprocess.run([mount, *small], check=False, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root alone")
    yield disk
    subprocess.run([umount, "-l", str(disk)], check=True)


def test_a_full_disk_is_reported_and_the_old_output_stays(
    full_disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, scores = full_disk / "county", full_disk / "scores.csv"
    simulate = ["simulate", "--out", str(out), "--households", "150", "--months"]
    assert ended(*simulate, "1") == 0
    scores.write_text("old")
    before, there = {path: path.read_bytes() for path in out.iterdir()}, names(full_disk)
    capfd.readouterr()
    assert ended(*simulate, "36") == StorageError.exit_code
    assert (
        f"cannot write in {full_disk}: No space left on device. What was there is unchanged"
        in capfd.readouterr().err
    )
    with pytest.raises(StorageError, match="No space left"), new_table(scores) as put:
        put(pd.DataFrame({"a": ["x" * 100] * 10_000}))
    with (full_disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(512))
    for write_any in (lambda: write(scores, "new"), lambda: write(full_disk / "new" / "county", "new")):
        with pytest.raises(StorageError, match="No space left"):
            write_any()
    (full_disk / "ballast").unlink()
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert scores.read_text() == "old"
    assert names(full_disk) == there


def test_everything_is_on_the_disk_before_it_takes_its_name_and_the_name_is_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that loses its power then finds the old folder or the new one, with all its bytes."""
    out = write_folder({}, _settings(), tmp_path / "county")
    steps: list[str | int] = []
    exchange, fsync = outputs._exchanged_at_once, os.fsync

    def flushed(descriptor: int) -> None:
        fsync(descriptor)
        steps.append(os.fstat(descriptor).st_ino)

    def exchanged(one: Path, other: Path) -> bool:
        steps.append("exchange")
        return exchange(one, other)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(outputs, "_exchanged_at_once", exchanged)
    write_folder({}, _settings(), out, extra_files={"rejects/visits.csv": "new"})
    at = steps.index("exchange")
    assert {path.stat().st_ino for path in (out, *out.rglob("*"))} == set(steps[:at])
    assert steps[at + 1 :] == [tmp_path.stat().st_ino]


def modes(folder: Path) -> set[tuple[bool, str]]:
    return {(path.is_dir(), oct(path.stat().st_mode & 0o777)) for path in (folder, *folder.rglob("*"))}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_what_is_written(small: Small, tmp_path: Path, umask: int) -> None:
    usual = os.umask(umask)
    try:
        tables = {"visits": small.records.table("visits")}
        write_folder(
            tables, small.records.settings, tmp_path / "a" / "b", extra_files={"rejects/visits.csv": "row"}
        )
        for file in ("scores.csv", "scores.parquet"):
            with new_table(tmp_path / "a" / file) as write:
                assert modes(tmp_path / "a" / f".{file}.part") <= {(True, "0o700"), (False, "0o600")}
                write(pd.DataFrame({"household_id": ["x"]}))
        save(small.model, small.records.settings, small.records.end, tmp_path / "a" / "models")
    finally:
        os.umask(usual)
    assert modes(tmp_path / "a") == {(True, "0o700"), (False, "0o600")}


def test_parent_folders_of_an_output_are_removed_again_if_the_run_fails(tmp_path: Path) -> None:
    with pytest.raises(Stopped), new_folder(tmp_path / "a" / "b" / "county", "made", "is not ours"):
        raise Stopped
    assert not names(tmp_path)


def test_what_someone_put_in_the_way_meanwhile_is_not_lost(tmp_path: Path) -> None:
    thesis = tmp_path / "county" / "thesis.txt"
    run = new_folder(thesis.parent, "made", "is not ours")
    with pytest.raises(OutputExists, match="county exists and is not ours"), run:
        os.renames(_file(tmp_path / "x", "not ours to lose"), thesis)
    assert content(tmp_path) == {"county/thesis.txt": "not ours to lose"}


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "county").symlink_to(tmp_path / "disk" / "county-2024")
    for text in ("first", "second"):
        write_folder({}, _settings(), tmp_path / "county", extra_files={"rejects/visits.csv": text})
    assert (tmp_path / "county").is_symlink()
    assert names(tmp_path / "disk") == ["county-2024"]
    assert content(tmp_path / "disk" / "county-2024")["rejects/visits.csv"] == "second"


def test_the_format_follows_the_name_of_a_link_and_not_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "scores.parquet").symlink_to(tmp_path / "latest")
    with new_table(tmp_path / "scores.parquet") as write:
        write(pd.DataFrame({"a": [1]}))
    assert pd.read_parquet(tmp_path / "latest")["a"].tolist() == [1]


def test_only_the_parts_of_runs_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".county.part" / "new").mkdir(parents=True)
    _file(tmp_path / ".county.part" / "thesis.txt", "not ours to lose")
    write_folder({}, _settings(), tmp_path / "county")
    write_folder({}, _settings(), tmp_path / "county")
    assert content(tmp_path / ".county.part") == {"thesis.txt": "not ours to lose"}


def test_a_run_whose_lock_was_removed_by_hand_leaves_the_next_one_alone(tmp_path: Path) -> None:
    first = ExitStack()
    first.enter_context(hold(tmp_path / "county"))
    shutil.rmtree(tmp_path / ".county.part")
    with new_folder(tmp_path / "county", "made", "is not ours") as new:
        _file(new / "made", "by the second")
        first.close()
        assert content(new) == {"made": "by the second"}
        with pytest.raises(OutputBusy), hold(tmp_path / "county"):
            pass
    assert names(tmp_path) == ["county"]


def test_where_no_lock_can_be_made_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        with pytest.raises(StorageError, match="full"), hold(tmp_path / "a" / "county"):
            pass
    assert not names(tmp_path)


def test_training_checks_its_folder_before_the_work(small: Small, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    with pytest.raises(UsageError, match="models is a file"):
        train(small.records, tmp_path / "models", on_progress=lambda _: pytest.fail("the work began"))


def test_a_hidden_folder_of_another_user_is_no_place_for_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".county.part").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(StorageError, match="belongs to another user"), hold(tmp_path / "county"):
        pass


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ("file/scores.csv", StorageError, "Not a directory"),
        ("folder.csv", OutputExists, "is not a file"),
        ("a\0.csv", UsageError, "NUL"),
        ("/proc/none/scores.csv", StorageError, "No such file"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_reported_before_the_work(
    tmp_path: Path, out: str, error: type[Exception], message: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(error, match=message), new_file(tmp_path / out):
        pytest.fail("the work began")
    assert names(tmp_path) == ["file", "folder.csv"]


def test_a_folder_of_outputs_is_checked_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for below in ("file", "file/models"):
        with pytest.raises(UsageError, match=r"--models .*file is a file. Valid: a folder"):
            check_folder(tmp_path / below, "--models")
    check_folder(tmp_path / "not" / "yet", "--models")
    assert names(tmp_path) == ["file"]
    monkeypatch.setattr(os, "access", lambda *_: False)  # a root user may write anywhere
    with pytest.raises(StorageError, match="nothing can be written"):
        check_folder(tmp_path / "not" / "yet", "--models")


def at_once(runs: int, run: Callable[[], str]) -> list[str]:
    """Run something in threads that start together; returns what each returned."""
    results, barrier = [], threading.Barrier(runs)

    def work() -> None:
        barrier.wait()
        results.append(run())

    threads = [threading.Thread(target=work) for _ in range(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_version_written_by_several_runs_at_once_is_written_by_one(small: Small, tmp_path: Path) -> None:
    settings, end = small.records.settings, small.records.end
    assert at_once(4, lambda: save(small.model, settings, end, tmp_path)) == [small.version] * 4
    assert names(tmp_path) == [small.version]
    load_model(tmp_path / small.version)


def test_a_run_waits_while_another_writes_the_same_version(small: Small, tmp_path: Path) -> None:
    saved: list[str] = []
    settings, end = small.records.settings, small.records.end
    run = threading.Thread(target=lambda: saved.append(save(small.model, settings, end, tmp_path)))
    with hold(tmp_path / small.version):
        run.start()
        run.join(1)
        assert run.is_alive()
    run.join()
    assert saved == names(tmp_path) == [small.version]


def test_training_clears_away_what_killed_runs_left_of_other_versions(small: Small, tmp_path: Path) -> None:
    killed, running = "20200101-0123456789ab", "20200101-0123456789ac"
    for version in (killed, "notes"):
        (tmp_path / f".{version}.part" / "new").mkdir(parents=True)
    with another_run(tmp_path / running):
        save(small.model, small.records.settings, small.records.end, tmp_path)
        assert names(tmp_path) == sorted([f".{running}.part", ".notes.part", small.version])


def ended(*arguments: str) -> int:
    """Run a command in this process; returns its exit code."""
    from relapse_risk.cli import main

    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code if isinstance(end.value.code, int) else 0


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _settings() -> Any:
    from relapse_risk.settings import Settings

    return Settings()
