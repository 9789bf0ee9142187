"""``relapse demo``: simulate, train, evaluate and score, on a small county."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relapse_risk.cli.output import JsonOption, emit, progress, say, show, simple_table
from relapse_risk.cli.training import show_metrics

if TYPE_CHECKING:
    from pandas import DataFrame

#: Months at the end of the records that the evaluated model is not trained on.
_JUDGED_MONTHS = 18
_HEAD = 8
#: What ``_intervals`` says of an order of households.
_INTERVAL = ("value", "low", "high", "model_better_by", "model_better_low", "model_better_high")


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for all that is made.")] = Path("demo"),
    households: Annotated[int, typer.Option(min=600, help="Households to simulate.")] = 5_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same county and model.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Simulate a small county, train, evaluate beside today's rules, score the next cycle, show a visit list."""
    import pandas as pd  # noqa: PLC0415

    from relapse_risk.datasets import read_county, write_county  # noqa: PLC0415
    from relapse_risk.datasets.county.truth import CEILING, true_hazard  # noqa: PLC0415
    from relapse_risk.dates import add_months, from_days, to_days  # noqa: PLC0415
    from relapse_risk.outputs import check_folder, hold  # noqa: PLC0415
    from relapse_risk.scoring.ranking import rank, to_frame  # noqa: PLC0415
    from relapse_risk.scoring.result_files import new_table  # noqa: PLC0415
    from relapse_risk.training.evaluate import GROUPS, metrics_of, predictions_after  # noqa: PLC0415
    from relapse_risk.training.train import train  # noqa: PLC0415

    county, truth, models, scores = (out / name for name in ("county", "truth", "models", "scores.parquet"))
    check_folder(models, "--out")
    with progress() as report, hold(out), new_table(scores) as write:
        report(f"1 of 5: simulating {households:,} households over five years")
        write_county(county, truth, households, seed=seed)
        report("2 of 5: checking the records")
        records, true = read_county(county, truth)
        settings = records.settings
        once = settings.model_copy(update={"training": settings.training.model_copy(update={"origins": 0})})
        records = records.with_settings(once)
        until = from_days(int(add_months(to_days(records.end), -_JUDGED_MONTHS)))
        report(f"3 of 5: training on what was known before {until}")
        past = train(records, models, until=until).bundle
        report("4 of 5: judging it on the visit cycles after that")
        predictions = predictions_after(past, records)
        index = pd.MultiIndex.from_frame(predictions[["household_id", "as_of"]])
        predictions[CEILING] = true_hazard(true, index)
        metrics = metrics_of(predictions, settings.training.capacity)
        fewest = next(iter(metrics))  # relapses, where there are any: the rarest, and quickly drawn anew
        sure = _intervals(predictions[predictions[GROUPS[fewest]]], list(metrics[fewest]["scores"]))
        report("5 of 5: training on everything, scoring the next cycle")
        latest = train(records, models).bundle
        ranking = rank(latest, records, records.end)
        write(ranking.rows)
    show_metrics(metrics, settings.training.capacity, as_json=as_json)
    show(
        simple_table(
            f"{fewest.capitalize()}: AUC within dates, with 95 % intervals over households",
            ["ordered by", "AUC", "from", "to", "model better by", "from", "to"],
            sure,
        ),
        as_json=as_json,
    )
    say("Where 0 lies between the last two numbers, so small a county does not show which order is better.")
    rows = to_frame(ranking.rows)
    grid = _riskiest_grid(rows)
    in_grid = rows[rows["grid_id"] == grid]
    head = _head(in_grid)
    show(
        simple_table(
            f"Visit list of grid {grid}, cycle from {records.end} (the first {len(head)} of {len(in_grid)})",
            ["visit", "household", "probability", "band", "why"],
            head,
        ),
        as_json=as_json,
    )
    say(
        f"\nA score orders visits; it decides nothing. Where everything lies:\n"
        f"  {county}  records, and relapse.toml with the settings\n"
        f"  {truth}  the true hazards, which nothing but the ceiling above reads\n"
        f"  {models}  {past.version} (judged), {latest.version} (trained on everything)\n"
        f"  {scores}  all {len(rows):,} scores with their reasons\n"
        f"Next: relapse check {county}; relapse score --data {county} --models {models} --as-of {records.end}; "
        "relapse import county --help for your own records"
    )
    if as_json:
        emit(
            {
                "county": county,
                "truth": truth,
                "models": [past.version, latest.version],
                "scores": scores,
                "as_of": records.end,
                "households_scored": len(rows),
                "metrics": metrics,
                "auc_within_dates": {
                    fewest: {name: dict(zip(_INTERVAL, of_name, strict=True)) for name, *of_name in sure}
                },
            }
        )


def _intervals(rows: DataFrame, names: list[str]) -> list[tuple[Any, ...]]:
    """Return each order's AUC within dates and what the model's is better by, with 95 % intervals."""
    from relapse_risk.training.evaluate import MODEL  # noqa: PLC0415
    from relapse_risk.training.intervals import ranking_intervals  # noqa: PLC0415

    columns = {name: "probability" if name == MODEL else name for name in names}
    found = ranking_intervals(rows, columns, capacity=1.0, base=MODEL).xs("auc_within_dates", level="figure")
    return [
        (
            name,
            of.value,
            of.low,
            of.high,
            *((None,) * 3 if name == MODEL else (-of.difference, -of.difference_high, -of.difference_low)),
        )
        for name, of in zip(found.index, found.itertuples(), strict=True)
    ]


def _riskiest_grid(rows: DataFrame) -> str:
    return str(rows.groupby("grid_id")["probability"].sum().sort_index().idxmax())


def _head(rows: DataFrame) -> list[tuple[Any, ...]]:
    return [
        (
            row["place_in_grid"],
            row["household_id"],
            row["probability"],
            row["band"],
            "\n".join(f"{reason['zh']}\n  {reason['en']}" for reason in row["reasons"]),
        )
        for row in rows.head(_HEAD).to_dict("records")
    ]
