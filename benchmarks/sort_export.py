"""An export's CSV files read by DuckDB, sorted by household and day and written as Parquet, without any rule.

    python benchmarks/sort_export.py SRC OUT

What an import costs is compared with it: the same files are parsed, put in order and written, but no text is looked
at, no row judged or set aside, none added up, and nothing merged.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def main() -> None:
    """Write a Parquet file for each CSV file of a folder."""
    src, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir()
    connection = duckdb.connect(config={"temp_directory": str(out / "spare")})
    for file in sorted(src.glob("*.csv")):
        table = connection.read_csv(str(file))
        first = "household_id" if "household_id" in table.columns else "grid_id"
        ordered = table.order(f"{first}, occurred_on")
        ordered.write_parquet(str(out / f"{file.stem}.parquet"), compression="zstd")


if __name__ == "__main__":
    main()
