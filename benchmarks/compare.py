"""Two models' predictions of the same households on the same dates: who orders better, with paired intervals.

    relapse evaluate ... --predictions before.parquet     # with one version, or one setting
    relapse evaluate ... --predictions after.parquet      # with another
    python benchmarks/compare.py before.parquet after.parquet

Every figure is of both files' common rows. Intervals are of 95 %, from drawing households anew with all their rows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from relapse_risk.cli.output import show, simple_table
from relapse_risk.training.intervals import paired_table

KEY = ["household_id", "as_of"]


def read(file: Path) -> pd.DataFrame:
    """Return a predictions file, by household and date."""
    frame = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, dtype={"household_id": str})
    return frame.assign(as_of=pd.to_datetime(frame["as_of"])).set_index(KEY).sort_index()


def compare(name: str, rows: pd.DataFrame, draws: int, capacity: float) -> None:
    """Print the table of one group."""
    title = f"{name}: {len(rows):,} rows, {int(rows['label'].sum()):,} poor in the horizon"
    table = paired_table(rows, "before", "after", capacity, draws)
    show(simple_table(title, ["metric", "before", "after", "difference", "95 %"], table), as_json=False)
    foreseen = ", ".join(f"{rows[score].sum():.0f} {score}" for score in ("before", "after"))
    print(f"foreseen {foreseen}; came true {int(rows['label'].sum())}\n")


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--capacity", type=float, default=0.10)
    parser.add_argument("--draws", type=int, default=500)
    asked = parser.parse_args()
    before, after = read(asked.before), read(asked.after)
    both = after.join(before[["probability", "label"]].add_suffix("_before"), how="inner")
    differ = int((both["label"] != both["label_before"]).sum())
    print(f"{len(before):,} and {len(after):,} rows, {len(both):,} in both; labels differ in {differ:,}, left out")
    both = both[both["label"] == both["label_before"]].rename(
        columns={"probability_before": "before", "probability": "after"}
    )
    rows = both.reset_index()
    for name, of in (("relapse, those to be scored", rows[rows["in_cohort"]]), ("all rows", rows)):
        if of["label"].nunique() == 2:
            compare(name, of, asked.draws, asked.capacity)


if __name__ == "__main__":
    main()
