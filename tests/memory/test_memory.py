"""Memory follows the block and the threads, not the county."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.support.small import Small, save

from relapse_risk.datasets import write_county

#: Runs a command and prints the peak of its memory, in kB. Peaks that the system keeps of ended processes are at
#: least what their parent used.
_COMMAND = """
import pathlib, sys
from relapse_risk.cli import main
try:
    main(sys.argv[1:-1])
finally:
    status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    pathlib.Path(sys.argv[-1]).write_text(status["VmHWM"].split()[0])
"""


def peak_of(*arguments: object, tmp_path: Path) -> int:
    """Return the peak memory of a ``relapse`` command, in kB."""
    told = tmp_path / "peak"
    subprocess.run(
        [sys.executable, "-c", _COMMAND, *map(str, arguments), str(told)], check=True, capture_output=True
    )
    return int(told.read_text())


@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak is read from /proc")
def test_scoring_twice_the_households_takes_no_more_memory(small: Small, tmp_path: Path) -> None:
    """All of them, with reasons for all; the first, small county is scored for what compiling takes."""
    own = small.records.settings
    everyone = own.model_copy(update={"cohort": own.cohort.model_copy(update={"previously_poor_only": False})})
    version = save(small.model, everyone, small.records.end, tmp_path / "models")
    peaks = []
    for households in (600, 30_000, 60_000):
        county = tmp_path / f"county-{households}"
        write_county(county, tmp_path / "truth", households, 12, 1)
        out = tmp_path / f"{households}.parquet"
        which = ("--data", county, "--models", tmp_path / "models", "--model", version)
        peaks.append(peak_of("score", *which, "--as-of", "2021-01-01", "--out", out, tmp_path=tmp_path))
        assert pq.read_metadata(out).num_rows > 0.9 * households
    assert peaks[2] <= 1.2 * peaks[1], peaks
