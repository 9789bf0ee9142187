"""Reasons of scores beside LightGBM's own TreeSHAP, shap and woodelf-explainer: the same numbers, in one run.

    python benchmarks/reasons.py [--households 5000] [--rows 10000] [--models DIR]

Contributions of every feature to the mean of the model's boosters, worked out by each, and beside them our sums by
group with the three largest, which scoring uses. Peers that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import io
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from relapse_risk import Records, load_model
from relapse_risk.cohorts import cohort, cycles
from relapse_risk.datasets import simulate_county
from relapse_risk.features.build import build_matrix, split_index
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.features.plan import make_plan
from relapse_risk.model.boosters import Boosters
from relapse_risk.model.bundle import find_bundle
from relapse_risk.model.inputs import FeatureReference
from relapse_risk.model.reasons import Explainer
from relapse_risk.training.dataset import make_dataset
from relapse_risk.training.train import unfitted

Matrix = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
#: Explains a matrix: contributions, shape (n, n_features + 1).
Explain = Callable[[Matrix], Numbers]


class Model(NamedTuple):
    """Boosters, and the features they take."""

    name: str
    boosters: Boosters
    features: tuple[Feature, ...]


class Measured(NamedTuple):
    """What was measured of one way; nothing where it failed."""

    set_up: float
    wall: float
    cpu: float
    one_row: float
    difference: float


def lightgbm_way(boosters: Boosters, threads: int) -> Explain:
    """Return LightGBM's own contributions."""

    def explain(matrix: Matrix) -> Numbers:
        made = [b.predict(matrix, pred_contrib=True, num_threads=threads) for b in boosters.boosters]
        return np.asarray(sum(made)) / len(made)

    return explain


def shap_way(boosters: Boosters, _threads: int) -> Explain:
    """Return those of shap.TreeExplainer, which hands LightGBM's models back to LightGBM."""
    return _explainers(importlib.import_module("shap").TreeExplainer, boosters, lambda matrix: matrix)


def woodelf_way(boosters: Boosters, _threads: int) -> Explain:
    """Return those of woodelf-explainer, which reads no categories."""
    return _explainers(importlib.import_module("woodelf").WoodelfExplainer, boosters, pd.DataFrame)


def _explainers(make: Callable[[Any], Any], boosters: Boosters, as_input: Callable[[Matrix], Any]) -> Explain:
    explainers = [make(booster) for booster in boosters.boosters]

    def explain(matrix: Matrix) -> Numbers:
        given = as_input(matrix)
        values = sum(np.asarray(e.shap_values(given), np.float64) for e in explainers) / len(explainers)
        base = sum(float(np.ravel(e.expected_value)[-1]) for e in explainers) / len(explainers)
        return np.column_stack([values, np.full(len(matrix), base)])

    return explain


def ours_way(boosters: Boosters, threads: int) -> Explain:
    """Return contributions by tables, made anew."""
    made = Boosters(boosters.boosters)
    _ = made.tables
    return lambda matrix: made.contributions(matrix, threads)


PEERS: dict[str, Callable[[Boosters, int], Explain]] = {
    "pred_contrib": lightgbm_way,
    "shap": shap_way,
    "woodelf-explainer": woodelf_way,
    "relapse-risk": ours_way,
}


def measure(
    make: Callable[[], Callable[[Matrix], Any]], matrix: Matrix, difference: Callable[[Any], Numbers]
) -> Measured:
    """Measure one way of explaining a matrix: set-up, all rows, and the median of one row."""
    start = time.perf_counter()
    explain = make()
    set_up = time.perf_counter() - start
    explain(matrix[:300])
    wall, cpu = time.perf_counter(), time.process_time()
    made = explain(matrix)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    single: list[float] = []
    began = time.perf_counter()
    while len(single) < 3 or (len(single) < 200 and time.perf_counter() - began < 3):
        row = np.ascontiguousarray(matrix[len(single) % len(matrix)][None])
        start = time.perf_counter()
        explain(row)
        single.append(time.perf_counter() - start)
    return Measured(set_up, wall, cpu, float(np.median(single)) * 1e3, float(difference(made).max()))


def compare(model: Model, matrix: Matrix, threads: int) -> Iterator[tuple[str, Measured | str]]:
    """Yield what was measured of each way, or why it was not."""
    ours_way(model.boosters, threads)(matrix[:300])  # compiles
    reference = lightgbm_way(model.boosters, threads)(matrix)
    largest = np.abs(reference).max(axis=1, keepdims=True)
    for name, way in PEERS.items():
        try:
            with quiet():
                found = measure(
                    lambda way=way: way(model.boosters, threads),  # type: ignore[misc]
                    matrix,
                    lambda made: np.abs(made - reference) / largest,
                )
        except ModuleNotFoundError as error:
            yield name, f"not installed ({error.name})"
        except Exception as error:  # a refusal is a result too
            yield name, f"refuses the model: {str(error).splitlines()[0][:90]}"
        else:
            yield name, found
    references = {feature.name: FeatureReference(0.0, ()) for feature in model.features}
    explainer = Explainer(model.features, references)
    by_group = np.zeros((len(explainer.groups), len(matrix)))
    np.add.at(by_group, explainer.group_of, reference[:, :-1].T)
    yield (
        "relapse-risk, groups and top 3",
        measure(
            lambda: lambda rows: model.boosters.explain(rows, explainer.group_of, 3, threads),
            matrix,
            lambda made: np.abs(made.by_group - by_group.T) / largest,
        ),
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep a peer's progress bars, and warnings of what it calls, out of the table."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def trained(records: Records, n_trees: int) -> Iterator[Model]:
    """Yield the usual model of a county, and one without categories, which woodelf-explainer takes."""
    features = catalogue(records.settings, records.present)
    dates = cycles(records.settings.cycle, dt.date(2020, 1, 1), records.end)[-10:-4]
    data = make_dataset(records, dates, features)
    for name, some in (
        ("all features", features),
        ("without categories", tuple(feature for feature in features if not feature.codes)),
    ):
        model = unfitted(records.settings, some).set_params(n_trees=n_trees)
        columns = [feature.name for feature in some]
        model.fit_trees(data.X.loc[data.to_train, columns], data.y[data.to_train])
        yield Model(name, model.boosters_, some)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--households", type=int, default=5_000, help="of the simulated county")
    parser.add_argument("--rows", type=int, default=10_000, help="rows explained")
    parser.add_argument("--trees", type=int, default=400, help="of each booster trained here")
    parser.add_argument("--models", type=Path, help="explain the newest model of this folder, and train none")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    records, _ = simulate_county(asked.households, months=60, seed=1)
    if asked.models:
        bundle = load_model(find_bundle(asked.models))
        records = records.with_model_settings(bundle.settings)
        models = [Model(bundle.version, bundle.model.boosters_, bundle.features)]
    else:
        models = list(trained(records, asked.trees))
    pairs = split_index(cohort(records, [records.end], purpose="train"))
    for model in models:
        matrix = build_matrix(records, *pairs, make_plan(model.features))
        matrix = np.asfortranarray(np.resize(matrix, (asked.rows, matrix.shape[1])))
        trees = sum(booster.num_trees() for booster in model.boosters.boosters)
        print(f"\n{model.name}: {trees:,} trees, {matrix.shape[1]} features, {len(matrix):,} rows\n")
        print("| | set-up, s | rows/s | CPU s | rows/CPU s | one row, ms | largest difference |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for name, found in compare(model, matrix, asked.threads):
            if isinstance(found, str):
                print(f"| {name} | {found} | | | | | |")
                continue
            speed, of_cpu = len(matrix) / found.wall, len(matrix) / found.cpu
            print(
                f"| {name} | {found.set_up:.2f} | {speed:,.0f} | {found.cpu:.2f} | {of_cpu:,.0f} | "
                f"{found.one_row:.2f} | {found.difference:.0e} |"
            )
    print("\nDifference: from pred_contrib, as a share of the row's largest contribution.")


if __name__ == "__main__":
    main()
