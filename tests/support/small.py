"""A small county and a small model of it: quick to make, and no likeness of the world."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from relapse_risk.cohorts import cycles
from relapse_risk.datasets.county import simulate_county
from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.features.catalogue import catalogue
from relapse_risk.labelling import LEFT_OUT
from relapse_risk.model.bundle import TrainingInfo, save_bundle
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import Settings, TrainingSettings
from relapse_risk.training.dataset import Dataset, make_dataset
from relapse_risk.training.train import unfitted


@dataclass(frozen=True)
class Small:
    """A county, what was learned from, and the model of it, in memory and on disk."""

    records: Records
    data: Dataset
    model: RelapseModel
    models: Path
    version: str

    @property
    def folder(self) -> Path:
        return self.models / self.version

    @property
    def as_of(self) -> dt.date:
        """A date after training: the records' end."""
        return self.records.end


def small_county(households: int = 400, months: int = 30, seed: int = 3) -> Records:
    """Return a county where falling is frequent, so that few households suffice."""
    records, _ = simulate_county(households, months, seed, parameters=replace(CountyParameters(), base=-5.0))
    training = TrainingSettings(max_cycles=7, origins=1)
    return records.with_settings(records.settings.model_copy(update={"training": training}))


def dataset_of(records: Records) -> Dataset:
    """Return the labelled rows of a small county's later dates."""
    dates = cycles(records.settings.cycle, dt.date(2020, 11, 1), dt.date(2021, 12, 1))
    return make_dataset(records, dates, catalogue(records.settings, records.present))


def model_of(records: Records, data: Dataset, **parameters: Any) -> RelapseModel:
    """Return a model of few trees, on one thread unless another number is given."""
    few = {"n_trees": 20, "n_boosters": 2, "n_threads": 1, "feature_fraction": 0.5, "learning_rate": 0.1}
    model = unfitted(records.settings, catalogue(records.settings, records.present))
    return model.set_params(**{**few, **parameters}).fit(data.X[data.to_train], data.y[data.to_train])


def train_few_trees(patched: pytest.MonkeyPatch) -> None:
    """Make training runs quick."""
    few = partial(RelapseModel, n_trees=5, n_boosters=1)
    patched.setattr("relapse_risk.training.train.RelapseModel", few)


def save(model: RelapseModel, settings: Settings, until: dt.date, models: Path) -> str:
    """Write a bundle and return its version."""
    info = TrainingInfo(
        until=until.isoformat(),
        first_as_of="2020-11-01",
        last_as_of="2021-11-01",
        rows=model.n_rows_,
        households=1,
        positives=1,
        left_out=dict.fromkeys(LEFT_OUT, 0),
    )
    return save_bundle(model, models, settings=settings, training=info, metrics={})


def make_small(models: Path) -> Small:
    """Simulate, train and save."""
    records = small_county()
    data = dataset_of(records)
    model = model_of(records, data)
    return Small(records, data, model, models, save(model, records.settings, records.end, models))


def history(records: Records, household: str, as_of: dt.date) -> dict[str, Any]:
    """Return what may be sent of a household: what was visible, and what came in on the day itself."""
    sent: dict[str, Any] = {"household_id": household}
    for name in TABLES:
        if name == "grids":
            continue
        frame = _rows_by_household(records, name).get(household, [])
        sent[name] = [row for row in frame if row["known_on"] <= as_of]
    return {k: _as_json(v) if isinstance(v, list) else v for k, v in sent.items()}


def _rows_by_household(records: Records, name: str) -> dict[str, list[dict[str, Any]]]:
    key = f"rows of {name}"
    if key not in records.cache:
        grouped: dict[str, list[dict[str, Any]]] = {}
        for row in records.table(name).to_pylist():
            grouped.setdefault(row.pop("household_id"), []).append(row)
        records.cache[key] = grouped
    return records.cache[key]  # type: ignore[return-value]


def _as_json(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v.isoformat() if isinstance(v, dt.date) else v for k, v in row.items()} for row in rows]


def request_of(records: Records, households: list[str], as_of: dt.date) -> dict[str, Any]:
    """Return a request for some households."""
    return {"as_of": as_of.isoformat(), "households": [history(records, h, as_of) for h in households]}


def pairs(households: list[str], as_of: dt.date) -> pd.MultiIndex:
    """Return the index of some households on a day."""
    return pd.MultiIndex.from_arrays(
        [pd.Index(households, dtype="str"), pd.DatetimeIndex([as_of] * len(households))],
        names=["household_id", "as_of"],
    )
