"""Two models' predictions of the same households on the same dates: who orders better, with paired intervals.

    relapse evaluate ... --predictions before.parquet     # with one version, or one setting
    relapse evaluate ... --predictions after.parquet      # with another
    python benchmarks/compare.py before.parquet after.parquet

Every figure is of both files' common rows. Intervals are of 95 %, from drawing households anew with all their rows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from relapse_risk.cli.output import show, simple_table
from relapse_risk.training.metrics import ranking_metrics

FIGURES = {"auc_within_dates": "AUC", "average_precision": "average precision", "recall": "recall"}
KEY = ["household_id", "as_of"]


def read(file: Path) -> pd.DataFrame:
    """Return a predictions file, by household and date."""
    frame = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, dtype={"household_id": str})
    return frame.assign(as_of=pd.to_datetime(frame["as_of"])).set_index(KEY).sort_index()


def figures(rows: pd.DataFrame, capacity: float) -> npt.NDArray[np.float64]:
    """Return each score's figures, shape (2, 3); dates whose rows are all of one class do not count."""
    y, lists = rows["label"].to_numpy(bool), rows["as_of"].to_numpy()
    told = [ranking_metrics(rows[name].to_numpy(np.float64), y, capacity, lists) for name in ("before", "after")]
    return np.array([[one[figure] for figure in FIGURES] for one in told])


def drawn(rows: pd.DataFrame, draws: int, capacity: float) -> npt.NDArray[np.float64]:
    """Return the figures of households drawn anew, shape (draws, 2, 3)."""
    rng = np.random.default_rng(0)
    of_household = rows.groupby("household_id", sort=False).indices
    places = list(of_household.values())
    made: list[npt.NDArray[np.float64]] = []
    while len(made) < draws:
        chosen = np.concatenate([places[k] for k in rng.integers(0, len(places), len(places))])
        sample = rows.iloc[chosen]
        if sample["label"].any():
            made.append(figures(sample, capacity))
    return np.array(made)


def compare(name: str, rows: pd.DataFrame, draws: int, capacity: float) -> None:
    """Print one group's table."""
    found, spread = figures(rows, capacity), drawn(rows, draws, capacity)
    low, high = np.quantile(spread[:, 1] - spread[:, 0], [0.025, 0.975], axis=0)
    table = [
        (word, before, after, f"{after - before:+.3f}", f"{low[k]:+.3f} to {high[k]:+.3f}")
        for k, (word, before, after) in enumerate(zip(FIGURES.values(), found[0], found[1], strict=True))
    ]
    title = f"{name}: {len(rows):,} rows, {int(rows['label'].sum()):,} poor in the horizon"
    show(simple_table(title, ["within dates", "before", "after", "difference", "95 %"], table), as_json=False)
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
