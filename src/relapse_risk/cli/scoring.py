"""``relapse score``: the batch before a visit cycle."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from relapse_risk.cli.options import DataOption, ModelsOption
from relapse_risk.cli.output import JsonOption, emit, progress, say, show, simple_table


def score_command(
    data: DataOption,
    model: Annotated[str | None, typer.Option(help="Model version; the latest otherwise.")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the scores are made for.")
    ] = None,
    cycle: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Visit cycle that begins this month.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Parquet or CSV file of all scores.")] = None,
    head: Annotated[int, typer.Option(min=0, help="Households to print.")] = 10,
    models: ModelsOption = Path("models"),
    as_json: JsonOption = False,
) -> None:
    """Score every household of the cohort, with reasons, riskiest first within each grid."""
    import pyarrow.compute as pc  # noqa: PLC0415

    from relapse_risk.errors import RecordsEndBefore  # noqa: PLC0415
    from relapse_risk.model.bundle import find_bundle, load_model  # noqa: PLC0415
    from relapse_risk.records.blocks import open_records  # noqa: PLC0415
    from relapse_risk.records.folder import settings_of  # noqa: PLC0415
    from relapse_risk.scoring.ranking import as_of_date, rank  # noqa: PLC0415
    from relapse_risk.scoring.reach import why_empty  # noqa: PLC0415
    from relapse_risk.scoring.result_files import new_table  # noqa: PLC0415

    folder = find_bundle(models, model)
    settings = settings_of(data)
    day = as_of_date(as_of.date() if as_of else None, cycle, settings.cycle)
    with progress() as report, new_table(out) as write:
        report("reading the model")
        bundle, records = load_model(folder), open_records(data, settings)
        report(f"scoring as of {day}")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RecordsEndBefore)
            rows, removed, first_profile = rank(bundle, records, day, on_done=report.advance)
        report("writing the scores")
        write(rows)
    warned = [str(warning.message) for warning in caught]
    notes = [] if len(rows) else [f"nobody is in the cohort as of {day}: {why_empty(removed, first_profile, day)}"]
    for kind, texts in (("warning", warned), ("note", notes)):
        for text in texts:
            say(f"{kind}: {text}")
    show(
        simple_table(
            "Cohort",
            ["rule", "removed", "left"],
            removed[["rule", "removed", "left"]].itertuples(index=False),
        ),
        as_json=as_json,
    )
    riskiest = [("probability", "descending"), ("household_id", "ascending")]
    first = rows.take(pc.sort_indices(rows, riskiest)[:head])
    show(
        simple_table(
            f"Riskiest households as of {day} (a score orders visits; it decides nothing)",
            ["household", "grid", "probability", "band", "why"],
            (
                (r["household_id"], r["grid_id"], r["probability"], r["band"], _why(r["reasons"]))
                for r in first.to_pylist()
            ),
        ),
        as_json=as_json,
    )
    say(
        f"{len(rows):,} households scored by model {bundle.version}"
        + (f", in {out}" if out else "; --out FILE keeps them")
    )
    if as_json:
        emit(
            {
                "model": bundle.version,
                "as_of": day,
                "households": len(rows),
                "bands": rows["band"].to_pandas().value_counts().to_dict(),
                "attrition": removed[["rule", "removed", "left"]].to_dict("records"),
                "out": out,
                "warnings": warned,
                "notes": notes,
            }
        )


def _why(reasons: list[dict[str, Any]]) -> str:
    return "\n".join(reason["zh"] for reason in reasons)
