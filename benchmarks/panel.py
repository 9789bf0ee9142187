"""Relapse on the real panel: the model beside today's rules, other learners on the same features, several origins.

    python benchmarks/panel.py FILE... [--horizon 4 13] [--origins 6] [--until 2018-04-01]

Two tables a horizon. "Once": everyone trains on what was known before one day and is judged on all later dates
whose outcome is mature. "Rolling": at each of the last origins everyone trains on what was mature before it and
is judged at it; each origin is ranked by itself. Relapse: not poor now, poor at an earlier visit.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from relapse_risk import Records
from relapse_risk.cli.output import show, simple_table
from relapse_risk.datasets.eph import import_eph
from relapse_risk.datasets.eph.files import HOUSEHOLDS, kind_of
from relapse_risk.features.catalogue import catalogue
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.settings import Settings
from relapse_risk.training.baselines import Baseline, baselines
from relapse_risk.training.dataset import Dataset, make_dataset
from relapse_risk.training.intervals import paired_table
from relapse_risk.training.metrics import ranking_metrics
from relapse_risk.training.splits import mature_dates, rolling_origins
from relapse_risk.training.train import unfitted

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
#: Which rows are trained on, which are judged.
Split = tuple[Flags, Flags]
#: A learner: features and labels to learn from, features to score; returns scores.
Learner = Callable[[pd.DataFrame, Flags, pd.DataFrame], Numbers]


def _numeric(X: pd.DataFrame) -> Numbers:
    coded = X.select_dtypes("category")
    return X.assign(**{name: coded[name].cat.codes.astype("float32") for name in coded.columns}).to_numpy(
        np.float32
    )


def _catboost(X: pd.DataFrame, y: Flags, test: pd.DataFrame) -> Numbers:
    learner = CatBoostClassifier(iterations=600, learning_rate=0.03, depth=5, random_seed=0, verbose=False,
                                 allow_writing_files=False)  # fmt: skip
    return learner.fit(_numeric(X), y).predict_proba(_numeric(test))[:, 1]


def _forest(X: pd.DataFrame, y: Flags, test: pd.DataFrame) -> Numbers:
    learner = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-999.0, keep_empty_features=True),
        RandomForestClassifier(500, min_samples_leaf=10, n_jobs=-1, random_state=0),
    )
    return learner.fit(_numeric(X), y).predict_proba(_numeric(test))[:, 1]


def _lightgbm(X: pd.DataFrame, y: Flags, test: pd.DataFrame) -> Numbers:
    return LGBMClassifier(verbose=-1, random_state=0).fit(X, y).predict_proba(test)[:, 1]


def _baseline(baseline: Baseline, data: Dataset) -> Callable[[Flags, Flags], Numbers]:
    return lambda train, test: baseline.fit(data, train).score(data, test)


def _learner(learner: Learner, data: Dataset) -> Callable[[Flags, Flags], Numbers]:
    return lambda train, test: learner(data.X[train], data.y[train], data.X[test])


def contestants(data: Dataset, settings: Settings) -> dict[str, Callable[[Flags, Flags], Numbers]]:
    """Return everyone, by name: from rows to train on and rows to score to scores."""
    features = catalogue(settings, data.records.present)

    def model(X: pd.DataFrame, y: Flags, test: pd.DataFrame) -> Numbers:
        return unfitted(settings, features).fit(X, y).predict_proba(test)[:, 1]

    learners = {"CatBoost": _catboost, "random forest": _forest, "LightGBM, untuned": _lightgbm}
    return {
        "model": _learner(model, data),
        **{baseline.name: _baseline(baseline, data) for baseline in baselines(data.records.present)},
        **{f"{name}, same features and rows": _learner(learner, data) for name, learner in learners.items()},
    }


def judge(title: str, data: Dataset, splits: list[Split], settings: Settings) -> None:
    """Print a table: everyone trained and judged on the same rows, the tests pooled."""
    capacity = settings.training.capacity
    y = np.concatenate([data.y[test] for _, test in splits])
    # Scores of models fitted apart are not compared: each origin is a list of its own.
    origin = np.concatenate([np.full(test.sum(), k) for k, (_, test) in enumerate(splits)])
    rows = []
    for name, contestant in contestants(data, settings).items():
        start = time.perf_counter()
        scores = [contestant(train, test) for train, test in splits]
        metrics = ranking_metrics(np.concatenate(scores), y, capacity, origin)
        by_origin = [
            ranking_metrics(score, data.y[test], capacity)["auc_within_dates"]
            for score, (_, test) in zip(scores, splits, strict=True)
        ]
        aucs = " ".join(f"{auc:.3f}" for auc in by_origin) if len(splits) > 1 else ""
        seconds = round(time.perf_counter() - start)
        rows.append(
            (name, metrics["auc_within_dates"], metrics["average_precision"], metrics["recall"], seconds, aucs)
        )
    columns = [
        "ordered by",
        "AUC within dates",
        "average precision",
        f"recall at {capacity:.0%}",
        "seconds",
        "AUC by origin",
    ]
    show(simple_table(_counted(title, y), columns, rows), as_json=False)


def judge_persons(title: str, without: Dataset, data: Dataset, splits: list[Split], settings: Settings) -> None:
    """Print a table: the model without persons and with them, trained and judged on the same rows."""
    capacity, rows = settings.training.capacity, np.concatenate([np.flatnonzero(test) for _, test in splits])
    before, after = (
        np.concatenate([_fitted(of, train).predict_proba(of.X[test])[:, 1] for train, test in splits])
        for of in (without, data)
    )
    predictions = data.describe(rows).assign(**{"without": before, "with": after})
    table = paired_table(predictions, "without", "with", capacity)
    columns = ["", "without persons", "with persons", "difference", "95 %"]
    show(simple_table(_counted(title, data.y[rows]), columns, table), as_json=False)


def _fitted(data: Dataset, train: Flags) -> RelapseModel:
    settings = data.records.settings
    return data.fit(unfitted(settings, catalogue(settings, data.records.present)), train)


def _counted(title: str, y: Flags) -> str:
    return f"{title}: {len(y):,} households not poor now that were before, {y.mean():.1%} poor in the horizon"


def datasets(files: list[Path], horizon: int) -> tuple[Dataset, Dataset | None]:
    """Return the labelled rows of all files, and, where some are of persons, those of the households' alone."""
    of_households = [file for file in files if kind_of(file) is HOUSEHOLDS]
    found = []
    for some in [files] if of_households == files else [files, of_households]:
        imported = import_eph(some, horizon)
        records = Records.from_tables(imported.tables, imported.settings)
        found.append(make_dataset(records, mature_dates(records)))
    data, without = found[0], found[1] if len(found) > 1 else None
    if without is not None and not without.X.index.equals(data.X.index):
        raise SystemExit("the files of persons change whom is judged; labels must come from households alone")
    return data, without


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--horizon", nargs="+", type=int, default=[4, 13])
    parser.add_argument("--origins", type=int, default=6)
    parser.add_argument("--until", type=dt.date.fromisoformat, default=dt.date(2018, 4, 1))
    parser.add_argument("--persons-only", action="store_true", help="leave out the other learners")
    asked = parser.parse_args()
    for horizon in asked.horizon:
        data, without = datasets(asked.files, horizon)
        settings, dates = data.records.settings, mature_dates(data.records)
        known = mature_dates(data.records.visible(asked.until))
        later = [day for day in dates if day >= asked.until]
        once = (data.on(known) & data.to_train, data.on(later) & data.in_cohort)
        span = f"{later[0]} to {later[-1]}" if len(later) > 1 else f"{later[0]}"
        origins = [
            (data.on(origin.train) & data.to_train, data.on([origin.test]) & data.in_cohort)
            for origin in rolling_origins(dates, settings.outcome, len(dates))
        ]
        usable = [(train, test) for train, test in origins if 0 < data.y[test].sum() < test.sum() >= 200]
        usable = usable[-asked.origins :]
        tables = {
            f"{horizon} months, trained once until {asked.until}, judged at {span}": [once],
            f"{horizon} months, rolling, {len(usable)} origins": usable,
        }
        for title, splits in tables.items():
            if without is not None:
                judge_persons(title, without, data, splits, settings)
            if not asked.persons_only:
                judge(title, data, splits, settings)


if __name__ == "__main__":
    main()
