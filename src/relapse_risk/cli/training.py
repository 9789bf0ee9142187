"""``relapse train`` and ``relapse evaluate``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from relapse_risk.cli.options import DataOption, ModelsOption
from relapse_risk.cli.output import JsonOption, emit, progress, say, show, simple_table


def train_command(
    data: DataOption,
    config: Annotated[
        Path | None, typer.Option(help="Settings file instead of the data folder's relapse.toml.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Use only what was known before this day.")
    ] = None,
    models: ModelsOption = Path("models"),
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; the model does not depend on it.")] = None,
    track: Annotated[
        str | None, typer.Option(metavar="URI", help="Log the run to MLflow, such as sqlite:///mlflow.db.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the procedure at rolling origins, train on every mature label, and write a model bundle."""
    from relapse_risk.outputs import check_folder  # noqa: PLC0415
    from relapse_risk.records.blocks import open_records  # noqa: PLC0415
    from relapse_risk.records.folder import settings_of  # noqa: PLC0415
    from relapse_risk.settings import Settings  # noqa: PLC0415
    from relapse_risk.training.train import train  # noqa: PLC0415

    check_folder(models, "--models")
    settings = Settings.load(config) if config else settings_of(data)
    if track:
        from relapse_risk.training.tracking import check_uri  # noqa: PLC0415

        check_uri(track)
    with progress() as report:
        report("opening the records")
        records = open_records(data, settings)
        result = train(
            records,
            models,
            until=until.date() if until else None,
            n_threads=threads,
            on_progress=report,
            on_done=report.advance,
        )
        run = None
        if track:
            from relapse_risk.training.tracking import track as log_run  # noqa: PLC0415

            report("logging the run")
            run = log_run(result, records.settings, track)
    show_metrics(result.metrics, records.settings.training.capacity, as_json=as_json)
    version, model, info = result.bundle.version, result.bundle.model, result.bundle.info.training
    left_out = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in info.left_out.items())
    if result.predictions is not None and settings.training.origin_boosters < model.n_boosters:
        say(
            f"judged with {settings.training.origin_boosters} of the model's {model.n_boosters} boosters "
            "(training.origin_boosters)"
        )
    if result.predictions is None:
        say(
            "not judged: no date has enough dates before it to learn from. Bring more records, or raise "
            "training.max_cycles or training.origins"
        )
    if info.negatives_share < 1.0:
        judged = "" if result.predictions is None else "; every household is judged"
        say(
            f"fitted on all positives and {info.negatives_share:.2%} of the negatives, each counted for "
            f"{1.0 / info.negatives_share:.4g} (training.most_negatives){judged}"
        )
    say(
        f"trained on {info.rows:,} rows of {info.households:,} households ({info.positives:,} positive), as_of "
        f"{info.first_as_of} to {info.last_as_of}; calibrated on {model.calibrated_on_}\n"
        f"left out for want of a label: {left_out}\n"
        f"model {version} in {result.folder}. Next: relapse score --data {data} --models {models} "
        f"--model {version} --as-of {info.until}"
    )
    if as_json:
        emit(
            {
                "version": version,
                "folder": str(result.folder),
                "training": info.model_dump(),
                "calibrated_on": model.calibrated_on_,
                "metrics": result.metrics,
                "skipped": result.predictions.attrs["skipped"] if result.predictions is not None else {},
                "mlflow_run": run,
            }
        )


def evaluate_command(
    data: DataOption,
    model: Annotated[str | None, typer.Option(help="Model version; the latest otherwise.")] = None,
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First as_of; the end of its training otherwise."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last as_of; the last mature one otherwise."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Write predictions and labels to this .parquet or .csv file.")
    ] = None,
    models: ModelsOption = Path("models"),
    as_json: JsonOption = False,
) -> None:
    """Judge a model on later dates, beside the rules used today."""
    from relapse_risk.model.bundle import find_bundle, load_model  # noqa: PLC0415
    from relapse_risk.records.blocks import open_records  # noqa: PLC0415
    from relapse_risk.scoring.result_files import new_table  # noqa: PLC0415
    from relapse_risk.training.evaluate import evaluate, judged_from  # noqa: PLC0415

    folder = find_bundle(models, model)
    with progress() as report, new_table(predictions) as write:
        report("reading the model")
        bundle = load_model(folder)
        judged_from(bundle, start.date() if start else None)  # before the records are read
        records = open_records(data)
        report("judging")
        rows, metrics = evaluate(
            bundle, records, start=start.date() if start else None, end=end.date() if end else None
        )
        write(predictions_file(rows))
    skipped = rows.attrs["skipped"]
    for day, why in skipped.items():
        say(f"not judged: {day}, {why}")
    show_metrics(metrics, bundle.settings.training.capacity, as_json=as_json)
    if predictions:
        say(f"{len(rows):,} predictions in {predictions}")
    if as_json:
        emit(
            {
                "model": bundle.version,
                "rows": len(rows),
                "metrics": metrics,
                "skipped": skipped,
                "predictions": predictions,
            }
        )


def predictions_file(rows: Any) -> Any:
    """Return the columns that the predictions file has, in their order."""
    columns = ["household_id", "as_of", "probability", "label", "in_cohort", "was_poor_before"]
    return rows[columns].assign(label=rows["label"].astype("int8"))


def show_metrics(metrics: dict[str, Any], capacity: float, *, as_json: bool) -> None:
    """Print metrics as tables, one a group."""
    titles = {
        "relapse": "Relapse: households that were poor or lifted before",
        "fall": "Fall: every household not poor",
    }
    for group, of_group in metrics.items():
        first = next(iter(of_group["scores"].values()))
        title = f"{titles[group]} ({first['n']:,} rows, {first['base_rate']:.1%} poor in the horizon)"
        columns = [
            "ordered by",
            "AUC within dates",
            "AUC pooled",
            "average precision",
            f"recall at {capacity:.0%}",
            f"precision at {capacity:.0%}",
        ]
        rows = [
            (name, m["auc_within_dates"], m["auc_pooled"], m["average_precision"], m["recall"], m["precision"])
            for name, m in of_group["scores"].items()
        ]
        show(simple_table(title, columns, rows), as_json=as_json)
        p, by_date = of_group["probability"], of_group["foreseen"].values()
        foreseen, came_true = sum(d["foreseen"] for d in by_date), sum(d["came_true"] for d in by_date)
        show(
            simple_table(
                f"{titles[group].split(':')[0]}: foreseen beside what came true",
                ["as of", "rows", "foreseen", "came true"],
                [
                    *(
                        (day, d["rows"], round(d["foreseen"], 1), d["came_true"])
                        for day, d in of_group["foreseen"].items()
                    ),
                    ("all", first["n"], round(foreseen, 1), came_true),
                ],
            ),
            as_json=as_json,
        )
        say(
            f"probabilities: {foreseen:.0f} foreseen where {came_true} came true, Brier {p['brier']:.4f}, "
            f"calibration error {p['calibration_error']:.3f}"
        )
