"""How close a model on a simulated county's records comes to the truth, beside the rules used today.

The ceiling ranks households by their true hazard in the month of the date; nobody can know then what happens to
them later. Rolling origins; every score is evaluated on the same rows.

    python benchmarks/ceiling.py --households 30000 --origins 4
"""

from __future__ import annotations

import argparse
import time

import pandas as pd

from relapse_risk.cli.training import show_metrics
from relapse_risk.datasets import Switches, simulate_county
from relapse_risk.datasets.county.truth import CEILING, true_hazard
from relapse_risk.features.catalogue import catalogue
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.training.dataset import make_dataset
from relapse_risk.training.evaluate import metrics_of, predictions_at_origins
from relapse_risk.training.splits import mature_dates, rolling_origins
from relapse_risk.training.train import unfitted


def main() -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=30_000)
    parser.add_argument("--months", type=int, default=60)
    parser.add_argument("--origins", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--boosters", type=int, default=RelapseModel().n_boosters, help="fewer are quicker")
    for switch in ("selection", "treatment", "delay"):
        parser.add_argument(f"--{switch}", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    switches = Switches(asked.selection, asked.treatment, asked.delay)
    begun = time.perf_counter()

    def report(step: str) -> None:
        print(f"{time.perf_counter() - begun:7.0f} s  {step}", flush=True)

    report(f"simulating {asked.households:,} households, {asked.months} months, seed {asked.seed}, {switches}")
    records, truth = simulate_county(asked.households, asked.months, asked.seed, switches=switches)
    settings = records.settings
    dates = mature_dates(records)
    report(f"features and labels of {len(dates)} dates, {dates[0]} to {dates[-1]}")
    features = catalogue(settings, records.present)
    data = make_dataset(records, dates, features)

    def make_model() -> RelapseModel:
        return unfitted(settings, features).set_params(n_boosters=asked.boosters, random_state=asked.seed)

    origins = rolling_origins(dates, settings.outcome, asked.origins)
    predictions = predictions_at_origins(data, origins, make_model, report)
    index = pd.MultiIndex.from_frame(predictions[["household_id", "as_of"]])
    predictions[CEILING] = true_hazard(truth, index)
    report(f"judged at {', '.join(str(origin.test) for origin in origins)}")
    capacity = settings.training.capacity
    show_metrics(metrics_of(predictions, capacity), capacity, as_json=False)


if __name__ == "__main__":
    main()
