"""``relapse import`` and ``relapse check``: raw files to records, records to a clean bill or a list of breaches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relapse_risk.cli.output import JsonOption, emit, progress, say, show, simple_table

app = typer.Typer(no_args_is_help=True, help="Raw files to records.")
OutOption = Annotated[Path, typer.Option("--out", help="Records folder to write, whole or not at all.")]


@app.callback()
def _group() -> None:
    """Turn raw files into records."""


@app.command("eph")
def import_eph(
    files: Annotated[list[Path], typer.Argument(help="Parquet files of household-quarters, any quarters.")],
    out: OutOption,
    horizon: Annotated[
        int, typer.Option(help="Months ahead: 4 for the next visit, 13 for any within four quarters.")
    ] = 4,
    as_json: JsonOption = False,
) -> None:
    """Turn the real panel (EPH Argentina) into records, with the settings that fit."""
    from relapse_risk.datasets import eph  # noqa: PLC0415
    from relapse_risk.records import Records, write_folder  # noqa: PLC0415

    with progress() as told:
        told("reading the panel")
        panel = eph.import_eph(files, horizon)
        told("checking the records")
        records = Records.from_tables(panel.tables, panel.settings)
        told("writing the records")
        write_folder(panel.tables, panel.settings, out)
    tables = {name: records.table(name).num_rows for name in sorted(records.present)}
    rows = [*panel.counts.items(), *((f"rows of {name}", n) for name, n in tables.items())]
    show(simple_table("Panel imported", ["what", "count"], rows), as_json=as_json)
    say(f"records in {out}, until {records.end}. Next: relapse train --data {out}")
    if as_json:
        emit({"out": str(out), "end": records.end, "counts": panel.counts, "tables": tables})


def check(
    folder: Annotated[Path, typer.Argument(help="Records folder.")],
    as_json: JsonOption = False,
) -> None:
    """Check a records folder: every breach of every table, or counts, ranges and freshness."""
    from relapse_risk.records import load_records  # noqa: PLC0415
    from relapse_risk.records.summary import summarise  # noqa: PLC0415

    with progress() as told:
        told("checking the records")
        records = load_records(folder)
        summary = summarise(records)
    columns = ["table", "rows", "households", "first day", "last day", "last known", "late", "missing values"]
    show(simple_table(f"{folder}: sound", columns, (list(row.values()) for row in summary)), as_json=as_json)
    say(f"records until {records.end}; late: rows known more than 30 days after they occurred")
    if as_json:
        emit({"folder": str(folder), "sound": True, "end": records.end, "tables": summary})
