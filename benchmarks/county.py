"""Time and peak memory of simulating a county and of importing its export, each in a process of its own.

    python benchmarks/county.py --households 30000 --households 300000 [--no-import]

The export is CSV, a file a table, in the product's own column names.
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

import pyarrow.parquet as pq
import tomli_w
from pyarrow import csv

from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings

SIZES = (30_000, 300_000)
#: What is to be reached at the largest of ``SIZES``.
MOST_SECONDS, MOST_GIB = 300, 8


def measure(*arguments: str) -> tuple[float, float]:
    """Return seconds and peak memory (GiB) of a ``relapse`` command."""
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
    return seconds, used.ru_maxrss / 2**20


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
    print(f"{os.cpu_count()} processors; to reach at {SIZES[-1]:,}: simulate in {MOST_SECONDS} s, {MOST_GIB} GiB")
    print(f"{'command':<10}{'households':>12}{'rows':>14}{'seconds':>10}{'peak GiB':>10}")
    for households in asked.households or SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            out = folder / "county"
            of = ("--households", str(households), "--months", str(asked.months), "--seed", str(asked.seed))
            took = measure("simulate", "--out", str(out), *of)
            rows = sum(pq.ParquetFile(file).metadata.num_rows for file in out.glob("*.parquet"))
            print(f"{'simulate':<10}{households:12,}{rows:14,}{took[0]:10.1f}{took[1]:10.2f}", flush=True)
            if asked.imports:
                mapping, rows = export(out, folder / "export")
                shutil.rmtree(out)
                where = ("--mapping", str(mapping), "--out", str(folder / "imported"))
                took = measure("import", "county", str(folder / "export"), *where)
                print(f"{'import':<10}{households:12,}{rows:14,}{took[0]:10.1f}{took[1]:10.2f}", flush=True)


if __name__ == "__main__":
    main()
