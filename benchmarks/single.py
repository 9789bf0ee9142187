"""One household over the service: from its posted text to checked records, to all features, to the whole answer.

    python benchmarks/single.py [--households 2000] [--runs 400] [--model models/VERSION]

A county is simulated and, unless a model is given, one is trained on it. Of the households with persons and work on
record, the one with the median number of rows and the largest are posted as the service gets them, with all their
rows; then a hundred in one request. Beside it, in the same run, a plain route: pydantic models of the same rows and
pandas, to 27 of the features, equal to ours, from visits and incomes alone. It checks types, but no rules.

Times are milliseconds of one thread: the least, the median and the 99th percentile of wall time, and the median of
CPU time. Where these lie far above the least, others use the machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel

from relapse_risk import Records, load_model
from relapse_risk.datasets import simulate_county
from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.features.build import build_matrix
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Series
from relapse_risk.features.plan import Plan, make_plan
from relapse_risk.model.bundle import Bundle
from relapse_risk.records.codes import Label
from relapse_risk.settings import Settings, TrainingSettings
from relapse_risk.training.train import train
from relapse_serve.app import Service
from relapse_serve.requests import parse
from relapse_serve.settings import ServiceSettings
from relapse_serve.shape import HISTORY

WINDOWS = (2, 6, 12, 24)
LOOKS = ("yard", "house", "cupboard", "tap", "health", "children")


def _outputs() -> Iterator[Feature]:
    def feature(name: str, series: Series, how: A, window: int) -> Feature:
        missing = Missing.ZERO if how in (A.COUNT, A.SUM) else Missing.NOT_RECORDED
        return Feature(name, Label(name, name), "", series, how, window, missing=missing)

    visits, grade = Series("visits"), Series("visits", "grade_total")
    clues = Series("visits", where=(("clue_raised", ("true",)),))
    incomes, net = Series("incomes"), Series("incomes", "net_yuan")
    for w in WINDOWS:
        yield feature(f"visits_{w}", visits, A.COUNT, w)
        yield feature(f"clues_{w}", clues, A.COUNT, w)
        yield feature(f"grade_mean_{w}", grade, A.MEAN, w)
        yield feature(f"grade_max_{w}", grade, A.MAX, w)
        yield feature(f"incomes_{w}", incomes, A.COUNT, w)
        yield feature(f"net_{w}", net, A.SUM, w)
    yield feature("grade_last", grade, A.LAST, 24)
    yield feature("visit_days", visits, A.DAYS_SINCE, 24)
    yield feature("income_days", incomes, A.DAYS_SINCE, 24)


#: What the plain route computes too.
OUTPUTS = tuple(_outputs())
NAMES = [feature.name for feature in OUTPUTS]
ZERO = [feature.name for feature in OUTPUTS if feature.missing is Missing.ZERO]


class Visit(BaseModel):
    """A visit, as the plain route reads it."""

    occurred_on: dt.date
    known_on: dt.date
    visit_id: str
    yard: int | None = None
    house: int | None = None
    cupboard: int | None = None
    tap: int | None = None
    health: int | None = None
    children: int | None = None
    clue_raised: bool | None = None


class Income(BaseModel):
    """An income."""

    occurred_on: dt.date
    known_on: dt.date
    source: str
    amount_yuan: float


class History(BaseModel):
    """A household's rows; those of other tables are not read."""

    household_id: str
    visits: list[Visit]
    incomes: list[Income]


class Request(BaseModel):
    """A request."""

    as_of: dt.date
    households: list[History]


def plain_route(text: bytes) -> npt.NDArray[np.float32]:
    """Return 27 features of each household, by pydantic and pandas."""
    request = Request.model_validate_json(text)
    frames = {}
    for name, fields in (("visits", Visit.model_fields), ("incomes", Income.model_fields)):
        rows = [
            (h, *(getattr(row, field) for field in fields))
            for h, household in enumerate(request.households)
            for row in getattr(household, name)
        ]
        frame = pd.DataFrame(rows, columns=["household", *fields])
        for day in ("occurred_on", "known_on"):
            frame[day] = pd.to_datetime(frame[day])
        frames[name] = frame
    visits, incomes = frames["visits"], frames["incomes"]
    looks = visits[list(LOOKS)].astype(float)
    visits["grade"] = looks.sum(axis=1).where(looks.notna().any(axis=1))
    visits["clue"] = visits["clue_raised"].eq(other=True)
    incomes["net"] = incomes["amount_yuan"].where(incomes["source"] != "production_cost", -incomes["amount_yuan"])
    as_of, columns, seen = pd.Timestamp(request.as_of), {}, {}
    for w in reversed(WINDOWS):
        start = pd.Timestamp(from_days(int(add_months(to_days(request.as_of), -w))))
        for name, frame in frames.items():
            within = (frame["known_on"] < as_of) & (frame["occurred_on"] < as_of) & (frame["occurred_on"] >= start)
            seen[name, w] = frame[within]
        by = seen["visits", w].groupby("household")
        columns[f"visits_{w}"], columns[f"clues_{w}"] = by.size(), by["clue"].sum()
        columns[f"grade_mean_{w}"], columns[f"grade_max_{w}"] = by["grade"].mean(), by["grade"].max()
        by = seen["incomes", w].groupby("household")
        columns[f"incomes_{w}"], columns[f"net_{w}"] = by.size(), by["net"].sum()
    by = seen["visits", 24].sort_values("occurred_on", kind="stable").groupby("household")
    columns["grade_last"] = by["grade"].last()
    columns["visit_days"] = (as_of - by["occurred_on"].max()).dt.days
    columns["income_days"] = (as_of - seen["incomes", 24].groupby("household")["occurred_on"].max()).dt.days
    found = pd.DataFrame(columns, columns=NAMES).reindex(np.arange(len(request.households)))
    found[ZERO] = found[ZERO].fillna(0.0)
    return found.to_numpy(np.float32)


def features(text: bytes, settings: Settings, plan: Plan) -> npt.NDArray[np.float32]:
    """Return a plan's features of each household, as the service computes them."""
    as_of, ids, records = parse(text, settings, HISTORY)
    n = len(ids)
    days, date = np.array([to_days(as_of)], np.int32), np.zeros(n, np.int64)
    return build_matrix(records, pa.array(ids, pa.string()), np.arange(n), days, date, plan)


def histories(records: Records) -> dict[str, dict[str, Any]]:
    """Return each household as it is posted."""
    posted: dict[str, dict[str, Any]] = {}
    for name in HISTORY:
        for row in records.table(name).to_pylist():
            household = row.pop("household_id")
            empty: dict[str, Any] = {"household_id": household, **{table: [] for table in HISTORY}}
            of = posted.setdefault(household, empty)
            given = {column: value for column, value in row.items() if value is not None}
            of[name].append({c: v.isoformat() if isinstance(v, dt.date) else v for c, v in given.items()})
    return posted


def n_rows(household: dict[str, Any]) -> int:
    """Return how many rows a household posts."""
    return sum(len(household[name]) for name in HISTORY)


def cases(records: Records) -> Iterator[tuple[str, bytes]]:
    """Yield requests: what they hold, and their text."""
    with_persons = [of for of in histories(records).values() if of["members"] and of["employment"]]
    by_rows = sorted(with_persons, key=n_rows)
    for what, chosen in (
        ("a typical household", by_rows[len(by_rows) // 2 :][:1]),
        ("the largest", by_rows[-1:]),
        ("a hundred", by_rows[:: -(-len(by_rows) // 100)]),
    ):
        body = {"as_of": records.end.isoformat(), "households": chosen}
        yield f"{what} ({sum(map(n_rows, chosen)):,} rows)", json.dumps(body).encode()


def measure(work: Callable[[], Any], runs: int) -> str:
    """Return the least, the median and the 99th percentile of wall time, and the median CPU time, as cells."""
    for _ in range(5):
        work()
    wall, cpu = np.empty(runs), np.empty(runs)
    for run in range(runs):
        start, cpu_start = time.perf_counter(), time.thread_time()
        work()
        cpu[run], wall[run] = time.thread_time() - cpu_start, time.perf_counter() - start
    return " | ".join(
        f"{1e3 * t:.2f}" for t in (wall.min(), np.median(wall), np.quantile(wall, 0.99), np.median(cpu))
    )


def trained(records: Records, models: Path) -> Bundle:
    """Return a model of the usual size, trained on a few dates."""
    training = TrainingSettings(max_cycles=6, origins=0)
    settings = records.settings.model_copy(update={"training": training})
    return train(records.with_settings(settings), models, until=records.end).bundle


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--households", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--model", type=Path, help="folder of a bundle; one is trained otherwise")
    asked = parser.parse_args()
    records, _ = simulate_county(asked.households, months=60, seed=1)
    plan, few = make_plan(catalogue(records.settings, records.present)), make_plan(OUTPUTS)
    with tempfile.TemporaryDirectory() as folder:
        bundle = load_model(asked.model) if asked.model else trained(records, Path(folder))
        bundle.model.n_threads = 1  # as the service does
        service = Service(bundle, ServiceSettings(models=Path(folder), model=bundle.version))
    print("| request | step | least ms | median ms | p99 ms | CPU ms |")
    print("|---|---|---:|---:|---:|---:|")
    for what, text in cases(records):
        runs = max(20, asked.runs // max(1, len(text) // 200_000))
        np.testing.assert_allclose(plain_route(text), features(text, records.settings, few), rtol=1e-5, atol=1e-2)
        steps: dict[str, Callable[[], Any]] = {
            "text to checked records": partial(parse, text, records.settings, HISTORY),
            f"... to {len(plan.features)} features": partial(features, text, records.settings, plan),
            "... to the whole answer": partial(service.score, text),
            f"plain route: text to {len(NAMES)} features": partial(plain_route, text),
        }
        for step, work in steps.items():
            print(f"| {what} | {step} | {measure(work, runs)} |", flush=True)


if __name__ == "__main__":
    main()
