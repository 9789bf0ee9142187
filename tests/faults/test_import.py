"""An import that is killed leaves the records as they were, and nothing that the next one does not clear away."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import exports

LATER = dt.date(2023, 8, 31)
#: Kills its process at the n-th time that something is reported, or done to a file of the output.
KILLED = """
import datetime as dt, os, signal, sys
from pathlib import Path
from tests.support import exports
src, out, n = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod"}
done = 0

def count(*_):
    global done
    done += 1
    if done == n:
        os.kill(os.getpid(), signal.SIGKILL)

def audit(event, arguments):
    if event in EVENTS and ".out.part" in str(arguments):
        count()

sys.addaudithook(audit)
options = {"exported_on": dt.date(2023, 8, 31), "households_of_a_range": 1, "rows_of_a_batch": 2}
exports.run(src, out, report=count, advance=count, **options)
"""


def killed(src: Path, out: Path, n: int) -> bool:
    """Import in a process that is killed at its n-th step; False where it has fewer."""
    command = [sys.executable, "-c", KILLED, str(src), str(out), str(n)]
    ended = subprocess.run(command, check=False).returncode
    assert ended in (0, -signal.SIGKILL)
    return ended != 0


def content(out: Path) -> dict[str, bytes] | None:
    """Return the files of a records folder, None where there is none."""
    return {file.name: file.read_bytes() for file in out.iterdir()} if out.exists() else None


@pytest.mark.parametrize("old", [True, False], ids=["re-import", "new"])
def test_killed_at_any_step_an_import_leaves_the_old_records_and_the_next_one_clears_up(
    tmp_path: Path, *, old: bool
) -> None:
    first = exports.write_csv(tmp_path / "first", exports.county())
    visit = ["v04", "500236000000000033", "2023-07-04", "2023-07-05", "正常", "否"]
    second = exports.write_csv(tmp_path / "second", exports.county(走访=[visit]))
    before = None
    if old:
        exports.run(first, tmp_path / "out")
        before = content(tmp_path / "out")
    exports.run(second, tmp_path / "out", exported_on=LATER)
    after = content(tmp_path / "out")
    seen = set()
    for n in (*range(1, 30, 7), *range(30, 1000, 23)):
        root = tmp_path / str(n)
        out = root / "out"
        root.mkdir()
        if old:
            exports.run(first, out)
        if not killed(second, out, n):
            break
        assert content(out) in (before, after)
        seen |= {file.suffix for file in root.rglob("*") if ".out.part" in str(file)}
        exports.run(second, out, exported_on=LATER)
        assert [file.name for file in root.iterdir()] == ["out"]
        assert content(out) == after
    assert n > 50
    assert seen >= {".arrow", ".parquet", ".toml"}, (
        "killed while rows were put aside, and while records were written"
    )
