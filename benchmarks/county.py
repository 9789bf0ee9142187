"""Time and peak memory of simulating a county, each size in a process of its own.

python benchmarks/county.py --households 30000 --households 300000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (30_000, 300_000)
#: What is to be reached at the largest of ``SIZES``.
MOST_SECONDS, MOST_GIB = 300, 8


def measure(households: int, months: int, seed: int, folder: Path) -> tuple[float, float, float]:
    """Return seconds, peak memory and size on disk (both in GiB) of ``relapse simulate``."""
    out = folder / str(households)
    command = [sys.executable, "-m", "relapse_risk.cli", "simulate", "--out", str(out)]
    command += ["--households", str(households), "--months", str(months), "--seed", str(seed)]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"relapse simulate ended with {process.returncode} at {households:,} households")
    on_disk = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    return seconds, used.ru_maxrss / 2**20, on_disk / 2**30


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, action="append", help="a size; may be given again")
    parser.add_argument("--months", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} processors; to reach at {SIZES[-1]:,}: {MOST_SECONDS} s, {MOST_GIB} GiB")
    print(f"{'households':>12}{'months':>8}{'seconds':>10}{'peak GiB':>10}{'on disk GiB':>13}")
    for households in asked.households or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            seconds, peak, on_disk = measure(households, asked.months, asked.seed, Path(folder))
        print(f"{households:12,}{asked.months:8}{seconds:10.1f}{peak:10.2f}{on_disk:13.2f}", flush=True)


if __name__ == "__main__":
    main()
