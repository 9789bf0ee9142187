"""The feature engine beside Polars, DuckDB and pandas: the same outputs, checked to be equal, in one run.

    python benchmarks/features.py [--households 50000] [--dates 24] [--repeats 5] [--only polars duckdb]

Everyone starts from the same Arrow tables in memory, sorted by household and day, and ends with one float32 array
of (household, as_of) pairs by outputs; all between is in the time. Each repeat runs every engine once, in turn.

The peers are written for speed: each is the fastest of several forms tried, Polars on its streaming engine. They
share what made all of them faster than filtered aggregates per window:

- They take household ids as the integers of their Arrow dictionary, which beats plain texts for all three.
- Rows carry the number of their period, a stretch of days in which no window begins, and the first date that sees
  them. Incomes are summed by household, period and that date before any window is computed.
- The windows are nested, so every date groups its rows once, by household and band (the narrowest window that holds
  the row); ``_widen`` adds the bands up to windows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk import Records, build_features, cycles
from relapse_risk.datasets import simulate_county
from relapse_risk.dates import add_months, to_days
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Series
from relapse_risk.records.codes import Label
from relapse_risk.records.tables import TABLES

WINDOWS = (2, 6, 12, 24)
SOURCES = ("wage", "business", "transfer")
LOOKS = ("yard", "house", "cupboard", "tap", "health", "children")
N_BANDS = len(WINDOWS)
Matrix = npt.NDArray[np.float32]
Numbers = npt.NDArray[Any]
Columns = Mapping[str, Numbers]


def _outputs() -> tuple[Feature, ...]:
    def feature(name: str, series: Series, how: A, w: int) -> Feature:
        zero = how in (A.COUNT, A.SUM)
        return Feature(
            name,
            Label(name, name),
            "",
            series,
            how,
            w,
            missing=Missing.ZERO if zero else Missing.NOT_RECORDED,
        )

    visit, grade = Series("visits"), Series("visits", "grade_total")
    clue = Series("visits", where=(("clue_raised", ("true",)),))
    net = Series("incomes", "net_yuan")
    found = []
    for w in WINDOWS:
        found += [
            feature(f"visits_{w}", visit, A.COUNT, w),
            feature(f"grade_mean_{w}", grade, A.MEAN, w),
            feature(f"grade_max_{w}", grade, A.MAX, w),
            feature(f"clues_{w}", clue, A.COUNT, w),
            feature(f"net_{w}", net, A.SUM, w),
            feature(f"incomes_{w}", Series("incomes"), A.COUNT, w),
            *(
                feature(f"{s}_{w}", Series("incomes", "amount_yuan", where=(("source", (s,)),)), A.SUM, w)
                for s in SOURCES
            ),
        ]
    found += [
        feature("grade_last", grade, A.LAST, 24),
        feature("visit_days", visit, A.DAYS_SINCE, 24),
        feature("income_days", Series("incomes"), A.DAYS_SINCE, 24),
    ]
    return tuple(found)


OUTPUTS = _outputs()
NAMES = [feature.name for feature in OUTPUTS]
COLUMN = {name: k for k, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Task:
    """What every engine is asked: Arrow tables, household ids (sorted) and dates (ascending)."""

    records: Records
    tables: dict[str, pa.Table]
    ids: list[str]
    dates: list[dt.date]

    @cached_property
    def days(self) -> Numbers:
        """The dates as days since 1970-01-01."""
        return np.array([to_days(day) for day in self.dates], np.int32)

    @cached_property
    def starts(self) -> Numbers:
        """First day of each date's windows, shape (n_dates, n_windows)."""
        return np.column_stack([add_months(self.days, -w) for w in WINDOWS])

    @cached_property
    def first_periods(self) -> Numbers:
        """The period in which each date's windows begin, shape (n_dates, n_windows)."""
        return np.searchsorted(np.unique(self.starts), self.starts, side="right")


def ours(task: Task) -> Matrix:
    """Ask the engine, from tables it has not seen."""
    fresh = Records.from_valid(task.tables, task.records.settings, task.records.present)
    index = pd.MultiIndex.from_product([task.ids, pd.DatetimeIndex(task.dates)], names=["household_id", "as_of"])
    return build_features(fresh, index, OUTPUTS).to_numpy()


def _numbered(task: Task, name: str, columns: Sequence[str]) -> pa.Table:
    """Return columns of a table with household, day, period and first date to see the row, all as integers."""
    table = task.tables[name]
    ids = table["household_id"].combine_chunks()
    place = pc.index_in(ids.dictionary, pa.array(task.ids)).to_numpy()
    occurred, known = (table[c].combine_chunks().cast(pa.int32()).to_numpy() for c in ("occurred_on", "known_on"))
    seen = np.maximum(occurred, known)
    every_day = np.arange(occurred.min(), seen.max() + 1)  # looking a day up is faster than searching for each row
    period = np.searchsorted(np.unique(task.starts), every_day, side="right").astype(np.int16)
    first_date = np.searchsorted(task.days, every_day, side="right").astype(np.int16)
    return pa.table({
        "household": place[ids.indices.to_numpy()],
        "day": occurred,
        "period": period[occurred - every_day[0]],
        "first_date": first_date[seen - every_day[0]],
        **{c: table[c] for c in columns},
    })  # fmt: skip


def _widen(visits: Columns, incomes: Columns, days: Numbers, out: Matrix) -> None:
    """Fill an array of shape (n, n_outputs) from aggregates per band; ``cell`` is row * n_bands + band."""

    def banded(columns: Columns, name: str, missing: float) -> Numbers:
        bands = np.full(len(out) * N_BANDS, missing)
        bands[columns["cell"]] = columns[name]
        return bands.reshape(-1, N_BANDS)

    def put(name: str, values: Numbers) -> None:
        for band, w in enumerate(WINDOWS):
            out[:, COLUMN[f"{name}_{w}"]] = values[:, band]

    def summed(columns: Columns, name: str) -> Numbers:
        return banded(columns, name, 0.0).cumsum(axis=1)

    put("visits", summed(visits, "n"))
    put("clues", summed(visits, "clues"))
    with np.errstate(invalid="ignore"):
        put("grade_mean", summed(visits, "total") / summed(visits, "graded"))
    put("grade_max", np.fmax.accumulate(banded(visits, "highest", np.nan), axis=1))
    put("incomes", summed(incomes, "n"))
    for name in ("net", *SOURCES):
        put(name, summed(incomes, name))
    last = banded(visits, "last", np.nan)
    recorded = ~np.isnan(last)
    out[:, COLUMN["grade_last"]] = last[np.arange(len(last)), recorded.argmax(axis=1)]
    for name, columns in (("visit_days", visits), ("income_days", incomes)):
        out[:, COLUMN[name]] = days - np.fmax.reduce(banded(columns, "day", np.nan), axis=1)


def with_polars(task: Task) -> Matrix:
    """Group lazily for each date, on the streaming engine."""
    looks, amount, source = [pl.col(look) for look in LOOKS], pl.col("amount_yuan"), pl.col("source")
    grade = pl.when(pl.any_horizontal(look.is_not_null() for look in looks)).then(pl.sum_horizontal(looks))
    in_a_window = pl.col("first_date") < len(task.dates), pl.col("period") >= int(task.first_periods[0, -1])
    visits = (
        pl.LazyFrame(pl.from_arrow(_numbered(task, "visits", [*LOOKS, "clue_raised"])))
        .filter(*in_a_window)
        .select("household", "day", "period", "first_date", "clue_raised", grade=grade.cast(pl.Int32))
        .with_columns(graded=pl.col("grade").is_not_null())
        .collect(engine="streaming")
    )
    key = ["household", "period", "first_date"]
    incomes = (
        pl.LazyFrame(pl.from_arrow(_numbered(task, "incomes", ["source", "amount_yuan"])))
        .filter(*in_a_window)
        .select(
            *key,
            "day",
            net=pl.when(source == "production_cost").then(-amount).otherwise(amount),
            **{s: pl.when(source == s).then(amount).otherwise(0.0) for s in SOURCES},
        )
        .group_by(key)
        .agg(pl.len().alias("n"), pl.col("day").max(), pl.col("net", *SOURCES).sum())
        .collect(engine="streaming")
    )
    out = np.empty((len(task.ids), len(task.dates), len(NAMES)), np.float32)
    for d, first in enumerate(task.first_periods.tolist()):
        seen = pl.col("first_date") <= d, pl.col("period") >= first[-1]
        band = pl.sum_horizontal((pl.col("period") < start).cast(pl.Int32) for start in first[:-1])
        cell = (pl.col("household") * N_BANDS + band).alias("cell")
        by_visits, by_incomes = (frame.lazy().filter(*seen).group_by(cell) for frame in (visits, incomes))
        of_visits = by_visits.agg(
            pl.len().alias("n"),
            pl.col("clue_raised").sum().alias("clues"),
            pl.col("grade").sum().alias("total"),
            pl.col("graded").sum(),
            pl.col("grade").max().alias("highest"),
            pl.col("grade").drop_nulls().last().alias("last"),
            pl.col("day").max(),
        )
        of_incomes = by_incomes.agg(pl.col("n", "net", *SOURCES).sum(), pl.col("day").max())
        v, i = pl.collect_all([of_visits, of_incomes], engine="streaming")
        _widen(_columns(v), _columns(i), task.days[d], out[:, d])
    return out.reshape(-1, len(NAMES))


def with_duckdb(task: Task) -> Matrix:
    """Join rows and dates, and group by household, date and band: one SQL query a table."""
    con = duckdb.connect()
    con.execute(f"SET threads = {os.cpu_count() or 1}")
    con.execute("SET preserve_insertion_order = false")
    con.register("visits", _numbered(task, "visits", [*LOOKS, "clue_raised"]))
    con.register("incomes", _numbered(task, "incomes", ["source", "amount_yuan"]))
    first = {f"p{w}": task.first_periods[:, band] for band, w in enumerate(WINDOWS)}
    con.register("dates", pa.table({"d": np.arange(len(task.dates)), **first}))
    total = " + ".join(f"coalesce({look}, 0)" for look in LOOKS)
    band = " + ".join(f"(period < p{w})::INT" for w in WINDOWS[:-1])
    cell = f"((household * {len(task.dates)} + d::INT) * {N_BANDS} + {band})::INT AS cell"
    seen = f"JOIN dates ON first_date <= d AND period >= p{WINDOWS[-1]}"
    in_a_window = f"first_date < {len(task.dates)} AND period >= {task.first_periods[0, -1]}"
    of_visits = con.sql(f"""
        WITH graded AS (
            SELECT household, period, first_date, day, clue_raised,
                   CASE WHEN coalesce({", ".join(LOOKS)}) IS NOT NULL THEN {total} END AS grade
            FROM visits WHERE {in_a_window})
        SELECT {cell}, count(*) AS n, count_if(clue_raised) AS clues, coalesce(sum(grade), 0)::DOUBLE AS total,
               count(grade) AS graded, max(grade)::DOUBLE AS highest,
               arg_max(grade, day)::DOUBLE AS last, max(day) AS day
        FROM graded {seen} GROUP BY cell
    """).fetchnumpy()  # noqa: S608
    of_incomes = con.sql(f"""
        WITH summed AS (
            SELECT household, period, first_date, max(day) AS day, count(*) AS n,
                   sum(CASE source WHEN 'production_cost' THEN -amount_yuan ELSE amount_yuan END) AS net,
                   {", ".join(f"sum(CASE source WHEN '{s}' THEN amount_yuan ELSE 0 END) AS {s}" for s in SOURCES)}
            FROM incomes WHERE {in_a_window} GROUP BY household, period, first_date)
        SELECT {cell}, max(day) AS day, sum(n)::DOUBLE AS n, sum(net) AS net,
               {", ".join(f"sum({s}) AS {s}" for s in SOURCES)}
        FROM summed {seen} GROUP BY cell
    """).fetchnumpy()  # noqa: S608
    for missing in ("highest", "last"):
        of_visits[missing] = np.ma.filled(of_visits[missing], np.nan)
    out = np.empty((len(task.ids) * len(task.dates), len(NAMES)), np.float32)
    _widen(of_visits, of_incomes, np.tile(task.days, len(task.ids)), out)
    return out


def with_pandas(task: Task) -> Matrix:
    """Group by household and band for each date."""
    n_dates = len(task.dates)
    visits = _numbered(task, "visits", [*LOOKS, "clue_raised"]).to_pandas()
    looks = visits[list(LOOKS)]
    visits["grade"] = looks.sum(axis=1).where(looks.notna().any(axis=1))
    visits["graded"] = visits["grade"].notna().astype(float)
    visits["total"] = visits["grade"].fillna(0.0)
    visits["clues"] = visits["clue_raised"].fillna(value=False).astype(float)
    visits["n"] = 1.0
    incomes = _numbered(task, "incomes", ["source", "amount_yuan"]).to_pandas()
    amount, source = incomes["amount_yuan"], incomes["source"]
    incomes["net"] = amount.where(source != "production_cost", -amount)
    for s in SOURCES:
        incomes[s] = amount.where(source == s, 0.0)
    incomes["n"] = 1.0
    earliest = task.first_periods[0, -1]
    visits, incomes = (f[(f["first_date"] < n_dates) & (f["period"] >= earliest)] for f in (visits, incomes))
    sums, n_periods = ["n", "net", *SOURCES], int(task.first_periods.max()) + 1
    key = (incomes["household"].to_numpy(np.int64) * n_periods + incomes["period"]) * n_dates
    by = incomes.groupby((key + incomes["first_date"]).to_numpy(), sort=False)
    incomes = by[sums].sum().join(by[["household", "period", "first_date", "day"]].max())
    out = np.empty((len(task.ids), n_dates, len(NAMES)), np.float32)
    for d, first in enumerate(task.first_periods):
        v, i = (_by_cell(frame, d, first) for frame in (visits, incomes))
        of_visits = v[["n", "clues", "graded", "total"]].sum()
        of_visits = of_visits.assign(highest=v["grade"].max(), last=v["grade"].last(), day=v["day"].max())
        of_incomes = i[sums].sum().assign(day=i["day"].max())
        _widen(_columns(of_visits.reset_index()), _columns(of_incomes.reset_index()), task.days[d], out[:, d])
    return out.reshape(-1, len(NAMES))


def _by_cell(frame: pd.DataFrame, d: int, first_periods: Numbers) -> Any:
    """Group the rows that a date sees by household and band."""
    rows = frame[(frame["first_date"] <= d) & (frame["period"] >= first_periods[-1])]
    period, cell = rows["period"].to_numpy(), rows["household"].to_numpy() * N_BANDS
    for start in first_periods[:-1]:
        cell += period < start
    return rows.groupby(pd.Index(cell, name="cell"), sort=False)


def _columns(frame: pd.DataFrame | pl.DataFrame) -> Columns:
    return {name: frame[name].to_numpy() for name in frame.columns}


@dataclass(frozen=True)
class Engine:
    """One way to answer a task, and the threads it may use."""

    answer: Callable[[Task], Matrix]
    threads: int


ENGINES = {
    "relapse-risk": Engine(ours, os.cpu_count() or 1),
    "polars": Engine(with_polars, pl.thread_pool_size()),
    "duckdb": Engine(with_duckdb, os.cpu_count() or 1),
    "pandas": Engine(with_pandas, 1),
}
OURS, *PEERS = ENGINES


def simulated(households: int, n_dates: int, seed: int) -> Task:
    """Return the task on a simulated county: its last dates, each table in one chunk."""
    records, _ = simulate_county(households, months=60, seed=seed)
    tables = {name: records.table(name).unify_dictionaries().combine_chunks() for name in TABLES}
    ids = sorted(records.frame("households")["household_id"].unique())
    days = cycles(records.settings.cycle, dt.date(2020, 1, 1), records.end + dt.timedelta(days=1))
    return Task(records, tables, ids, days[-n_dates:])


def timed(engine: Engine, task: Task) -> tuple[Matrix, tuple[float, float]]:
    """Return an engine's answer, and the wall and CPU seconds (user and system, all threads) it took."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    answer = engine.answer(task)
    return answer, (time.perf_counter() - wall, time.process_time() - cpu)


def compare(task: Task, peers: Sequence[str], repeats: int) -> dict[str, Numbers]:
    """Return each engine's wall and CPU seconds, shape (repeats, 2), after holding that their answers are equal."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in (OURS, *peers)}
    for repeat in range(repeats):
        reference: Matrix | None = None
        for name, of_engine in seconds.items():
            answer, took = timed(ENGINES[name], task)
            of_engine.append(took)
            if repeat == 0:
                reference = answer if reference is None else reference
                np.testing.assert_allclose(answer, reference, rtol=1e-6, atol=1e-6, err_msg=name)
    return {name: np.array(of_engine) for name, of_engine in seconds.items()}


def report(task: Task, seconds: dict[str, Numbers]) -> str:
    """Return a Markdown table of medians over repeats; factors are medians of each repeat's own ratio."""
    n_ids, n_dates = len(task.ids), len(task.dates)
    own, peers = seconds[OURS], [s for name, s in seconds.items() if name != OURS]
    lines = [
        f"{n_ids:,} households x {n_dates} dates = {n_ids * n_dates:,} rows of {len(NAMES)} outputs",
        f"from {task.tables['visits'].num_rows:,} visits and {task.tables['incomes'].num_rows:,} incomes;",
        f"{len(own)} paired repeats on {os.cpu_count()} processors; outputs equal",
        "",
        "| engine | threads | wall s | CPU s | wall, times ours | CPU, times ours |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, of_engine in seconds.items():
        wall, cpu = np.median(of_engine, axis=0)
        times = np.median(of_engine / own, axis=0)
        cells = (f"{number:.2f}" for number in (wall, cpu, *times))
        lines.append(f"| {_with_version(name)} | {ENGINES[name].threads} | {' | '.join(cells)} |")
    if peers:
        wall, cpu = np.median(np.min(peers, axis=0) / own, axis=0)
        lines.append(f"| best peer of each repeat | | | | {wall:.2f} | {cpu:.2f} |")
    return "\n".join(lines)


def _with_version(name: str) -> str:
    return name if name == OURS else f"{name} {version(name)}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--households", type=int, default=50_000)
    parser.add_argument("--dates", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PEERS, default=PEERS, help="peers to compare with")
    asked = parser.parse_args()
    compare(simulated(200, asked.dates, seed=2), asked.only, repeats=1)  # compiles, starts threads
    task = simulated(asked.households, asked.dates, seed=1)
    print(report(task, compare(task, asked.only, asked.repeats)))


if __name__ == "__main__":
    main()
