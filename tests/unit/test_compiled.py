"""The cache of compiled functions after an upgrade in place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODULE = """
from typing import NamedTuple
import numpy as np
from relapse_risk.compiled import compiled

class {name}(NamedTuple):
    values: np.ndarray

@compiled
def total(rows):
    return rows.values.sum() + {more}

print(total({name}(np.ones(3))))
"""


def run(folder: Path, name: str, more: int, written: int) -> str:
    """Write the module as it was on a day, and run it as a program would import it."""
    file = folder / "sums.py"
    file.write_text(MODULE.format(name=name, more=more))
    os.utime(file, (written, written))
    done = subprocess.run(
        [sys.executable, "-c", "import sums"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def cached(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in (folder / "__pycache__").glob("sums.total-*.nbc")}


def test_a_cache_of_types_that_no_longer_exist_is_compiled_anew(tmp_path: Path) -> None:
    assert run(tmp_path, "Rows", 0, written=1_000_000_000) == "3.0"
    index = next((tmp_path / "__pycache__").glob("*.nbi"))
    os.utime(index, (1_100_000_000, 1_100_000_000))
    assert run(tmp_path, "StreamRows", 1, written=1_200_000_000) == "4.0"


def test_a_cache_of_this_version_is_kept(tmp_path: Path) -> None:
    run(tmp_path, "Rows", 0, written=1_000_000_000)
    before = cached(tmp_path)
    run(tmp_path, "Rows", 0, written=1_000_000_000)
    assert cached(tmp_path) == before != {}
