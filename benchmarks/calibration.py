"""Expected and actual positives at many origins, by several ways of fitting the level of probabilities.

    python benchmarks/calibration.py county --households 30000 --seeds 1 2
    python benchmarks/calibration.py panel FILE...

Every way starts from the same trees and the same held-out sigmoid at each origin:

- sigmoid: as fitted on held-out labels
- newest date: its level fitted on the newest held-out date, shrunk if positives are few there
- final trees: its level fitted with the final trees, on all labels, weighted towards the newest, and on the
  households that would be scored
- estimator: the same if base rates show no trend; otherwise the sigmoid's level, extrapolated along the trend
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from relapse_risk import Records
from relapse_risk.cli.output import show, simple_table
from relapse_risk.datasets import import_eph, simulate_county
from relapse_risk.features.catalogue import catalogue
from relapse_risk.model.calibration import SigmoidCalibrator, Timing, fit_sigmoid, level_shift
from relapse_risk.model.calibration_split import calibration_splits, label_timing
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.training.dataset import Dataset, make_dataset
from relapse_risk.training.evaluate import GROUPS
from relapse_risk.training.splits import RollingOrigin, mature_dates, rolling_origins
from relapse_risk.training.train import unfitted

Flags = npt.NDArray[np.bool_]
WAYS = ("sigmoid", "newest date", "final trees", "estimator")


def datasets(asked: argparse.Namespace) -> Iterator[tuple[str, Dataset, list[RollingOrigin]]]:
    """Yield the rows and origins of each county or horizon."""
    if asked.source == "county":
        made = ((f"county, seed {seed}", simulate_county(asked.households, 60, seed)[0]) for seed in asked.seeds)
    else:
        panels = ((h, import_eph(asked.files, h)) for h in asked.horizon)
        made = ((f"panel, {h} months", Records.from_tables(p.tables, p.settings)) for h, p in panels)
    for name, records in made:
        dates = mature_dates(records)
        data = make_dataset(records, dates, catalogue(records.settings, records.present))
        yield name, data, rolling_origins(dates, records.settings.outcome, asked.origins)


def calibrators(data: Dataset, train: Flags, boosters: int) -> tuple[RelapseModel, dict[str, SigmoidCalibrator]]:
    """Return a model fitted on some rows, and its calibrator by each way."""
    settings = data.records.settings
    model = unfitted(settings, catalogue(settings, data.records.present)).set_params(n_boosters=boosters)
    X, y = data.X[train], data.y[train]
    assert isinstance(X.index, pd.MultiIndex)
    data.fit(model, train)
    splits, _ = calibration_splits(X.index, y, settings.outcome, share=model.calibration_share, seed=0)
    timing = label_timing(X.index, len(y), settings.outcome, splits)
    scores = [clone(model).fit_trees(X.iloc[s.train], y[s.train]).decision_function(X.iloc[s.test]) for s in splits]
    held = np.concatenate(scores)
    truth, age = (np.concatenate([of[s.test] for s in splits]) for of in (y, timing.age))
    sigmoid = fit_sigmoid(held, truth)
    newest = age == age.min()
    at_newest = level_shift(sigmoid.log_odds(held[newest]), truth[newest], Timing(np.zeros(int(newest.sum()))))
    log_odds = sigmoid.log_odds(model.decision_function(X))
    return model, {
        "sigmoid": sigmoid,
        "newest date": sigmoid.shifted(at_newest),
        "final trees": sigmoid.shifted(level_shift(log_odds, y, Timing(timing.age), data.in_cohort[train])),
        "estimator": model.calibrator_,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=["county", "panel"])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--households", type=int, default=30_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--horizon", type=int, nargs="+", default=[4, 13])
    parser.add_argument("--origins", type=int, default=12)
    parser.add_argument("--boosters", type=int, default=1, help="fewer are quicker; the level hardly moves")
    asked = parser.parse_args()
    for name, data, origins in datasets(asked):
        begun = time.perf_counter()
        rows: list[list[object]] = []
        errors: dict[tuple[str, str], list[float]] = {}
        for origin in origins:
            train, test = data.on(origin.train) & data.to_train, data.on([origin.test])
            if min(data.y[train].sum(), (~data.y[train]).sum()) < 40:
                continue
            model, ways = calibrators(data, train, asked.boosters)
            for group, flag in GROUPS.items():
                whom = test & getattr(data, flag)
                came_true = int(data.y[whom].sum())
                if not came_true:
                    continue
                raw = model.decision_function(data.X[whom])
                foreseen = {way: float(calibrator(raw).sum()) for way, calibrator in ways.items()}
                for way, number in foreseen.items():
                    errors.setdefault((group, way), []).append(abs(np.log(number / came_true)))
                rows.append([group, origin.test, came_true, *(round(foreseen[way], 1) for way in WAYS)])
        rows.sort(key=lambda row: (str(row[0]), str(row[1])))
        for group in GROUPS:
            means = [float(np.mean(errors[group, way])) for way in WAYS if (group, way) in errors]
            if means:
                rows.append([group, "mean |log ratio|", "", *(f"{mean:.3f}" for mean in means)])
        title = f"{name}: foreseen beside what came true ({time.perf_counter() - begun:.0f} s)"
        show(simple_table(title, ["whom", "as of", "came true", *WAYS], rows), as_json=False)


if __name__ == "__main__":
    main()
