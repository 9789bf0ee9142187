"""``relapse import`` and ``relapse check``: raw files to records, records to a summary or a list of violations."""

from __future__ import annotations

import dataclasses
import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relapse_risk.cli.output import JsonOption, emit, progress, say, show, simple_table
from relapse_risk.errors import OutputExists, UsageError

if TYPE_CHECKING:
    from relapse_risk.datasets.exports import Imported
    from relapse_risk.datasets.exports.merge import Counts

app = typer.Typer(no_args_is_help=True, help="Raw files to records.")
OutOption = Annotated[Path, typer.Option("--out", help="Records folder to write, whole or not at all.")]


@app.callback()
def _group() -> None:
    """Turn raw files into records."""


@app.command("eph")
def eph(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Parquet files of household-quarters and, with them, of person-quarters; any quarters."
        ),
    ],
    out: OutOption,
    horizon: Annotated[
        int, typer.Option(help="Months ahead: 4 for the next visit, 13 for any within four quarters.")
    ] = 4,
    as_json: JsonOption = False,
) -> None:
    """Turn the real panel (EPH Argentina) into records, with the settings that fit."""
    from relapse_risk.datasets.eph import import_eph  # noqa: PLC0415
    from relapse_risk.datasets.eph.files import NO_VISIT  # noqa: PLC0415
    from relapse_risk.records import Records  # noqa: PLC0415
    from relapse_risk.records.folder import fill, new_records  # noqa: PLC0415

    with progress() as report, new_records(out) as new:
        report("reading the panel")
        panel = import_eph(files, horizon)
        report("checking the records")
        records = Records.from_tables(panel.tables, panel.settings)
        report("writing the records")
        fill(new, panel.tables, panel.settings)
    tables = {name: records.table(name).num_rows for name in sorted(records.present)}
    rows = [*panel.counts.items(), *((f"rows of {name}", n) for name, n in tables.items())]
    show(simple_table("Panel imported", ["what", "count"], rows), as_json=as_json)
    if left_out := panel.counts.get(NO_VISIT):
        say(
            f"{left_out:,} row(s) of persons belong to no interviewed household-quarter of the files and are left "
            "out: give the files of those quarters' households too"
        )
    say(f"records in {out}, until {records.end}. Next: relapse train --data {out}")
    if as_json:
        emit({"out": str(out), "end": records.end, "counts": panel.counts, "tables": tables})


@app.command("county")
def import_county(
    src: Annotated[
        str,
        typer.Argument(help="Folder or file (CSV, Excel, Parquet), or a postgresql:// URL.", show_default=False),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", help="Mapping file (TOML); with --suggest-mapping, where to write the first one."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Records folder to write, or to bring up to date: whole or not at all."),
    ] = None,
    exported_on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day the export was made, instead of the mapping's."),
    ] = None,
    max_rejects: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of a table's rows that may be set aside, instead of the mapping's."),
    ] = None,
    id_key: Annotated[
        Path | None,
        typer.Option(
            "--id-key",
            help="File with the county's secret key, for ids that the mapping says to store as pseudonyms.",
        ),
    ] = None,
    suggest_mapping: Annotated[
        bool,
        typer.Option(
            "--suggest-mapping",
            help="Write a first mapping from headers, contents and shared ids, and import nothing.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Turn a county's own exports into records; an updated export brings them up to date."""
    from relapse_risk.datasets.exports import CountyMapping, import_county  # noqa: PLC0415

    if suggest_mapping:
        _suggest(src, mapping, as_json=as_json)
        return
    if mapping is None or out is None:
        raise UsageError(
            "say --mapping FILE and --out DIR; without a mapping yet, --suggest-mapping writes a first one"
        )
    with progress() as report:
        done = import_county(
            src,
            CountyMapping.load(mapping),
            out,
            exported_on=exported_on.date() if exported_on else None,
            max_reject_share=max_rejects,
            id_key=id_key,
            report=report,
            advance=report.advance,
        )
    show_import(done, out, as_json=as_json)


def show_import(done: Imported, out: Path, *, as_json: bool) -> None:
    """Print what became of an export."""
    from relapse_risk.records.folder import REJECTS  # noqa: PLC0415

    columns = [
        "table 表",
        "source 来源",
        "read as 读法",
        "rows read 读取",
        "blank 空行",
        "set aside 剔除",
        "rows made 生成",
    ]
    read = [[s.table, s.source, s.note, s.read, s.blank, s.set_aside, s.made] for s in done.sources]
    show(simple_table("Read", columns, read), as_json=as_json)
    columns = [
        "table 表",
        "repeated 重复",
        "added up 相加",
        "new 新增",
        "late 补录",
        "corrected 更正",
        "unchanged 未变",
        "not in it, kept 保留",
        "now 现有",
    ]
    counts = [
        [
            name,
            c.repeated,
            _added_up(c),
            c.new,
            c.late,
            c.corrected,
            c.unchanged,
            c.kept,
            done.rows[name],
        ]
        for name, c in done.counts.items()
    ]
    show(simple_table(f"Export of {done.exported_on}", columns, counts), as_json=as_json)
    columns = ["table 表", "source 来源", "column 列", "code", "reason", "原因", "rows 行数", "row numbers 行号"]
    aside = [
        [r.table, r.source, r.column, r.code, r.reason.en, r.reason.zh, len(r.rows), r.first_rows]
        for r in done.rejects
    ]
    if aside:
        show(simple_table(f"Set aside, in {out / REJECTS}", columns, aside), as_json=as_json)
    for r in done.rejects:
        if r.hint:
            say(f"{r.source}, column {r.column}: {len(r.rows):,} row(s): {r.hint}")
        if r.valid:
            say(
                f"{r.source}, column {r.column}: {len(r.rows):,} row(s) hold a text that stands for no code. "
                f"Valid: {r.valid}. {out / REJECTS / r.table}.csv lists the texts; say what they stand for under "
                "texts in the mapping"
            )
    if done.undated:
        say(
            f"no column says when rows of {', '.join(done.undated)} were entered: they count as known from "
            f"{done.exported_on} on, and earlier dates learn nothing from them; map known_on if a column says it"
        )
    if done.kept_settings:
        say(f"the settings in {out / 'relapse.toml'} stay; the mapping's differ: edit that file to change them")
    say(f"records in {out}, until {done.end}. Next: relapse check {out}")
    if as_json:
        emit(
            {
                "out": str(out),
                "exported_on": done.exported_on,
                "end": done.end,
                "sources": [dataclasses.asdict(source) for source in done.sources],
                "undated": done.undated,
                "tables": {
                    name: {**dataclasses.asdict(c), "rows": done.rows[name]} for name, c in done.counts.items()
                },
                "rejects": [
                    {
                        "table": r.table,
                        "source": r.source,
                        "column": r.column,
                        "code": r.code,
                        "rows": len(r.rows),
                        "valid": r.valid,
                    }
                    for r in done.rejects
                ],
            }
        )


def _added_up(counts: Counts) -> str:
    return f"{counts.added:,} → {counts.sums:,}" if counts.added else ""


def _suggest(src: str, out: Path | None, *, as_json: bool) -> None:
    from relapse_risk.datasets.exports.suggest import suggest_mapping  # noqa: PLC0415
    from relapse_risk.outputs import new_file  # noqa: PLC0415

    if out is not None and out.exists():
        raise OutputExists(f"{out} exists; name another file for the suggested mapping, or move it away")
    with new_file(out) if out else nullcontext() as new:
        suggested = suggest_mapping(src)
        if new:
            new.write_text(suggested.text, encoding="utf-8")
    if out:
        say(f"a first mapping in {out}: read it through, every TODO in it asks something, then import with it")
    elif not as_json:
        sys.stdout.write(suggested.text)
    if as_json:
        emit({"mapping": suggested.text, "out": str(out) if out else None, "todo": suggested.n_todo})


def check(
    folder: Annotated[Path, typer.Argument(help="Records folder.")],
    as_json: JsonOption = False,
) -> None:
    """Check a records folder: every violation in every table, or counts, ranges and freshness."""
    from relapse_risk.records.blocks import open_records  # noqa: PLC0415
    from relapse_risk.records.summary import summarise  # noqa: PLC0415
    from relapse_risk.records.writer import HOUSEHOLDS_OF_A_BLOCK  # noqa: PLC0415

    with progress() as report:
        report("checking the records")
        records = open_records(folder)
        summary = summarise(records, report.advance)
    n_households = max(row["households"] for row in summary)
    notes = []
    if len(records) == 1 and n_households > 2 * HOUSEHOLDS_OF_A_BLOCK:
        notes.append(
            f"every command holds all {n_households:,} households in memory, because not every table lies in order "
            "of household_id. Sort each table by household_id and write it in row groups of some thousand "
            f"households, as `relapse import` does ({HOUSEHOLDS_OF_A_BLOCK:,}): then they are read block by block."
        )
    columns = ["table", "rows", "households", "first day", "last day", "last known", "late", "missing values"]
    show(simple_table(f"{folder}: sound", columns, (list(row.values()) for row in summary)), as_json=as_json)
    say(f"records until {records.end}; late: rows known more than 30 days after they occurred")
    for note in notes:
        say(f"note: {note}")
    if as_json:
        emit({"folder": str(folder), "sound": True, "end": records.end, "tables": summary, "notes": notes})
