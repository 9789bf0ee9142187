"""Time and peak memory of simulating a county and of importing its export, each in a process of its own.

    python benchmarks/county.py --households 30000 --households 300000 [--no-import] [--records FOLDER]

The export is CSV, a file a table, in the product's own column names. It is imported, and a month later once more,
with corrections of every fiftieth amount of income. Beside it DuckDB sorts the same files and writes them as
Parquet, without a rule. ``--records`` imports an export of records that are there already, instead of simulating
some. Prints a Markdown table. Growth is that of processor time and of peak memory, from the size before.
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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tomli_w
from pyarrow import csv

from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings

SIZES = (30_000, 300_000)
#: Seconds and GiB that are to be reached at the largest of ``SIZES``, on two idle processors.
MOST = {"simulate": (106, 0.8), "import": (240, 4), "re-import": (240, 6)}
#: Every so many rows of incomes, the amount is corrected in the later export.
CORRECTED = 50


class Used(NamedTuple):
    """What a command used: seconds on the clock, seconds of processors, GiB at the peak."""

    wall: float
    cpu: float
    peak: float


def measure(*arguments: str) -> Used:
    """Return what a ``relapse`` command used."""
    return measure_process(f"relapse {arguments[0]}", "-m", "relapse_risk.cli", *arguments)


def measure_process(name: str, *arguments: str) -> Used:
    """Return what a Python process used."""
    command = [sys.executable, *arguments]
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{name} ended with {process.returncode}: {output.read().decode()}")
    return Used(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)


def row(command: str, households: int, rows: int, used: Used, before: Used | None) -> str:
    """Return a row of the table; ``before`` is what the command used at the size before."""
    growth = f"x {used.cpu / before.cpu:.1f}, x {used.peak / before.peak:.1f}" if before else ""
    what = f"| {command} | {households:,} | {rows:,} "
    speed = f"{rows / used.wall:,.0f}"
    return f"{what}| {used.wall:.0f} s | {used.cpu:.0f} s | {used.peak:.2f} GiB | {speed} | {growth} |"


def export(records: Path, folder: Path, *, later: bool = False) -> tuple[Path, int]:
    """Write a records folder as CSV files with the mapping that fits; return the mapping and the rows.

    Parameters
    ----------
    records, folder : Path
        From where to where.
    later : bool
        As a month later, with corrections.
    """
    folder.mkdir()
    tables, rows = {}, 0
    for file in sorted(records.glob("*.parquet")):
        described = TABLES[file.stem]
        parquet = pq.ParquetFile(file)
        with csv.CSVWriter(folder / f"{file.stem}.csv", parquet.schema_arrow) as writer:
            for batch in parquet.iter_batches(2**18):
                writer.write_batch(corrected(batch) if later and file.stem == "incomes" else batch)
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
    data = {"export": {"date": end - dt.timedelta(days=-30 if later else 1)}, "tables": tables}
    mapping.write_text(tomli_w.dumps(data), encoding="utf-8")
    return mapping, rows


def corrected(incomes: pa.RecordBatch) -> pa.RecordBatch:
    """Return incomes of which some amounts are others."""
    amounts = incomes["amount_yuan"].to_numpy(zero_copy_only=False).copy()
    amounts[::CORRECTED] += 1
    return incomes.set_column(incomes.schema.get_field_index("amount_yuan"), "amount_yuan", pa.array(amounts))


def imports(records: Path, folder: Path, show: Callable[[str, int, Used], None]) -> None:
    """Measure the import of an export, that of a later export on top of it, and DuckDB beside them."""
    out = folder / "imported"
    for name, later in (("import", False), ("re-import", True)):
        mapping, rows = export(records, folder / name, later=later)
        used = measure("import", "county", str(folder / name), "--mapping", str(mapping), "--out", str(out))
        show(name, rows, used)
        if not later:
            script = Path(__file__).with_name("sort_export.py")
            peer = measure_process("DuckDB", str(script), str(folder / name), str(folder / "sorted"))
            show("DuckDB sorts", rows, peer)
            shutil.rmtree(folder / "sorted")
        shutil.rmtree(folder / name)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, action="append", help="a size; may be given again")
    parser.add_argument("--records", type=Path, action="append", help="a folder; may be given again")
    parser.add_argument("--months", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--import", dest="imports", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    goals = "; ".join(f"{command} in {seconds} s, {gib} GiB" for command, (seconds, gib) in MOST.items())
    print(f"{os.cpu_count()} processors. To reach at {SIZES[-1]:,}: {goals}.\n")
    print(
        "| command | households | rows | wall | CPU | peak | rows/s | growth |\n|---|---|---|---|---|---|---|---|"
    )
    last: dict[str, Used] = {}

    def show(households: int, command: str, rows: int, used: Used) -> None:
        print(row(command, households, rows, used, last.get(command)), flush=True)
        last[command] = used

    for records in asked.records or ():
        profiles = pq.read_table(records / "households.parquet", columns=["household_id"])
        households = len(pc.unique(profiles["household_id"]))
        with tempfile.TemporaryDirectory() as name:
            imports(records, Path(name), partial(show, households))
    for households in asked.households or (() if asked.records else SIZES):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            out = folder / "county"
            of = ("--households", str(households), "--months", str(asked.months), "--seed", str(asked.seed))
            used = measure("simulate", "--out", str(out), *of)
            rows = sum(pq.ParquetFile(file).metadata.num_rows for file in out.glob("*.parquet"))
            show(households, "simulate", rows, used)
            if asked.imports:
                imports(out, folder, partial(show, households))


if __name__ == "__main__":
    main()
