"""``relapse simulate``: a county whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relapse_risk.cli.output import JsonOption, emit, progress, say, show, simple_table


def simulate(
    out: Annotated[Path, typer.Option("--out", help="Records folder to write, whole or not at all.")],
    households: Annotated[int, typer.Option(min=1, help="Households in all.")] = 3_000,
    months: Annotated[int, typer.Option(min=1, help="Months from January 2020 on.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="Folder of the true hazards, apart from the records; OUT-truth otherwise."),
    ] = None,
    selection: Annotated[
        bool,
        typer.Option(
            "--selection/--no-selection",
            help="Who is found depends on who visits; without, all who fall are found.",
        ),
    ] = True,
    treatment: Annotated[
        bool,
        typer.Option("--treatment/--no-treatment", help="Measures lower the hazard; without, they change nothing."),
    ] = True,
    delay: Annotated[
        bool,
        typer.Option("--delay/--no-delay", help="Records come in late; without, on the day itself."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Simulate a county's records, and apart from them the truth that no model may read."""
    from relapse_risk.datasets import Switches, write_county  # noqa: PLC0415

    truth = truth or out.parent / f"{out.name}-truth"
    switches = Switches(selection=selection, treatment=treatment, delay=delay)
    with progress() as report:
        report(f"simulating {households:,} households over {months} months")
        rows = write_county(
            out,
            truth,
            households,
            months,
            seed,
            switches=switches,
            on_progress=lambda done, of: report(f"township {done} of {of} written"),
        )
    show(simple_table(f"{out}: a simulated county", ["table", "rows"], rows.items()), as_json=as_json)
    say(f"records in {out}; true hazards apart, in {truth}. Next: relapse check {out}, relapse train --data {out}")
    if as_json:
        emit(
            {
                "out": str(out),
                "truth": str(truth),
                "households": households,
                "months": months,
                "seed": seed,
                "switches": vars(switches),
                "tables": rows,
            }
        )
