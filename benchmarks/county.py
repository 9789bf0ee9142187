"""Time and peak memory of simulating a county and of importing its export, each in a process of its own.

    python benchmarks/county.py --households 30000 --households 300000 [--no-import]

The export is CSV, a file a table, in the product's own column names. Prints a Markdown table. Growth is that of
processor time and of peak memory, from the size before.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import tomli_w
from pyarrow import csv

from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings

SIZES = (30_000, 300_000)
#: Seconds and GiB that are to be reached at the largest of ``SIZES``, on two idle processors.
MOST = {"simulate": (106, 0.8), "import": (240, 4)}


class Used(NamedTuple):
    """What a command used: seconds on the clock, seconds of processors, GiB at the peak."""

    wall: float
    cpu: float
    peak: float


def measure(*arguments: str) -> Used:
    """Return what a ``relapse`` command used."""
    command = [sys.executable, "-m", "relapse_risk.cli", *arguments]
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"relapse {arguments[0]} ended with {process.returncode}: {output.read().decode()}")
    return Used(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)


def row(command: str, households: int, rows: int, used: Used, before: Used | None) -> str:
    """Return a row of the table; ``before`` is what the command used at the size before."""
    growth = f"x {used.cpu / before.cpu:.1f}, x {used.peak / before.peak:.1f}" if before else ""
    what = f"| {command} | {households:,} | {rows:,} "
    return f"{what}| {used.wall:.0f} s | {used.cpu:.0f} s | {used.peak:.2f} GiB | {growth} |"


def export(records: Path, folder: Path) -> tuple[Path, int]:
    """Write a records folder as CSV files with the mapping that fits; return the mapping and the rows."""
    folder.mkdir()
    tables, rows = {}, 0
    for file in sorted(records.glob("*.parquet")):
        described = TABLES[file.stem]
        parquet = pq.ParquetFile(file)
        with csv.CSVWriter(folder / f"{file.stem}.csv", parquet.schema_arrow) as writer:
            for batch in parquet.iter_batches(2**18):
                writer.write_batch(batch)
        rows += parquet.metadata.num_rows
        unit = {"yuan": "元", "mu": "亩"}
        columns = {
            name: {"column": name, "unit": unit[column.unit]} if column.unit in unit else name
            for name, column in described.columns.items()
            if name in parquet.schema_arrow.names
        }
        tables[file.stem] = {"file": f"{file.stem}.csv", "columns": columns}
    end = Settings.load(records).data.end
    assert end is not None
    mapping = folder.with_suffix(".toml")
    data = {"export": {"date": end - dt.timedelta(days=1)}, "tables": tables}
    mapping.write_text(tomli_w.dumps(data), encoding="utf-8")
    return mapping, rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, action="append", help="a size; may be given again")
    parser.add_argument("--months", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--import", dest="imports", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    goals = "; ".join(f"{command} in {seconds} s, {gib} GiB" for command, (seconds, gib) in MOST.items())
    print(f"{os.cpu_count()} processors. To reach at {SIZES[-1]:,}: {goals}.\n")
    print("| command | households | rows | wall | CPU | peak | growth |\n|---|---|---|---|---|---|---|")
    last: dict[str, Used] = {}

    def show(command: str, households: int, rows: int, used: Used) -> None:
        print(row(command, households, rows, used, last.get(command)), flush=True)
        last[command] = used

    for households in asked.households or SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            out = folder / "county"
            of = ("--households", str(households), "--months", str(asked.months), "--seed", str(asked.seed))
            used = measure("simulate", "--out", str(out), *of)
            rows = sum(pq.ParquetFile(file).metadata.num_rows for file in out.glob("*.parquet"))
            show("simulate", households, rows, used)
            if asked.imports:
                mapping, rows = export(out, folder / "export")
                shutil.rmtree(out)
                where = ("--mapping", str(mapping), "--out", str(folder / "imported"))
                show("import", households, rows, measure("import", "county", str(folder / "export"), *where))


if __name__ == "__main__":
    main()
