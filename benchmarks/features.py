"""The feature engine beside pandas, Polars and DuckDB: the same outputs, checked to be equal, in one run.

    python benchmarks/features.py [--households 50000] [--dates 24] [--only polars duckdb]

Everyone starts from the same Arrow tables in memory, household ids as texts, and ends with one float32 array of
(household, as_of) pairs by outputs; whatever sorting and encoding that takes is in the time.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import time
from collections.abc import Callable

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk import Records, build_features, cycles
from relapse_risk.datasets import simulate_county
from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Feature, Missing, Series
from relapse_risk.records.codes import Label
from relapse_risk.records.schema import plain
from relapse_risk.records.tables import TABLES

WINDOWS = (2, 6, 12, 24)
SOURCES = ("wage", "business", "transfer")
LOOKS = ("yard", "house", "cupboard", "tap", "health", "children")
Matrix = npt.NDArray[np.float32]
Tables = dict[str, pa.Table]


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
ZERO = [f.name for f in OUTPUTS if f.missing is Missing.ZERO]


def ours(records: Records, tables: Tables, ids: list[str], days: list[dt.date]) -> Matrix:
    """Ask the engine, from tables it has not seen."""
    fresh = Records.from_valid(tables, records.settings, records.present)
    index = pd.MultiIndex.from_product([ids, pd.DatetimeIndex(days)], names=["household_id", "as_of"])
    return build_features(fresh, index, OUTPUTS).to_numpy()


def _start(day: dt.date, months: int) -> dt.date:
    return from_days(int(add_months(to_days(day), -months)))


def with_pandas(_: Records, tables: Tables, ids: list[str], days: list[dt.date]) -> Matrix:
    """Group by household for each date and window."""
    visits = tables["visits"].to_pandas(date_as_object=False)
    graded = visits[list(LOOKS)].notna().any(axis=1)
    visits["grade"] = visits[list(LOOKS)].sum(axis=1).where(graded)
    visits["clue"] = visits["clue_raised"].fillna(value=False).astype(bool)
    incomes = tables["incomes"].to_pandas(date_as_object=False)
    incomes["net"] = incomes["amount_yuan"].where(incomes["source"] != "production_cost", -incomes["amount_yuan"])
    households = pd.Index(ids)
    for frame in (visits, incomes):
        frame["household"] = households.get_indexer(frame["household_id"])
    out = np.full((len(ids), len(days), len(NAMES)), np.nan, np.float32)
    for d, day in enumerate(days):
        as_of, columns = pd.Timestamp(day), {}
        seen = {}
        for name, frame in (("visits", visits), ("incomes", incomes)):
            within = (frame["known_on"] < as_of) & (frame["occurred_on"] < as_of)
            seen[name] = frame[within & (frame["occurred_on"] >= pd.Timestamp(_start(day, 24)))]
        for w in WINDOWS:
            start = pd.Timestamp(_start(day, w))
            v = seen["visits"][seen["visits"]["occurred_on"] >= start].groupby("household")
            columns[f"visits_{w}"], columns[f"clues_{w}"] = v.size(), v["clue"].sum()
            columns[f"grade_mean_{w}"], columns[f"grade_max_{w}"] = v["grade"].mean(), v["grade"].max()
            i = seen["incomes"][seen["incomes"]["occurred_on"] >= start]
            by = i.groupby("household")
            columns[f"net_{w}"], columns[f"incomes_{w}"] = by["net"].sum(), by.size()
            for s in SOURCES:
                columns[f"{s}_{w}"] = i[i["source"] == s].groupby("household")["amount_yuan"].sum()
        v = seen["visits"].sort_values("occurred_on", kind="stable").groupby("household")
        columns["grade_last"] = v["grade"].last()
        columns["visit_days"] = (as_of - v["occurred_on"].max()).dt.days
        columns["income_days"] = (as_of - seen["incomes"].groupby("household")["occurred_on"].max()).dt.days
        frame = pd.DataFrame(columns, columns=NAMES).reindex(np.arange(len(ids)))
        frame[ZERO] = frame[ZERO].fillna(0.0)
        out[:, d] = frame.to_numpy(np.float32)
    return out.reshape(-1, len(NAMES))


def with_polars(_: Records, tables: Tables, ids: list[str], days: list[dt.date]) -> Matrix:
    """Group lazily for each date, all its windows in one pass."""
    row = pl.DataFrame({"household_id": ids, "household": np.arange(len(ids))})
    looks = [pl.col(look) for look in LOOKS]
    visits = pl.DataFrame(pl.from_arrow(tables["visits"])).join(row, on="household_id").with_columns(
        grade=pl.when(pl.any_horizontal(*(x.is_not_null() for x in looks))).then(pl.sum_horizontal(*looks)),
        clue=pl.col("clue_raised").fill_null(value=False),
    )  # fmt: skip
    cost = pl.col("source") == "production_cost"
    incomes = pl.DataFrame(pl.from_arrow(tables["incomes"])).join(row, on="household_id").with_columns(
        net=pl.when(cost).then(-pl.col("amount_yuan")).otherwise(pl.col("amount_yuan"))
    )  # fmt: skip
    visits = visits.sort("occurred_on", maintain_order=True)
    out = np.full((len(ids), len(days), len(NAMES)), np.nan, np.float32)
    on = pl.col("occurred_on")
    for d, day in enumerate(days):
        of_visits = [pl.col("grade").drop_nulls().last().alias("grade_last")]
        of_visits += [(pl.lit(day) - on.max()).dt.total_days().alias("visit_days")]
        of_incomes = [(pl.lit(day) - on.max()).dt.total_days().alias("income_days")]
        for w in WINDOWS:
            within = on >= _start(day, w)
            of_visits += [
                within.sum().alias(f"visits_{w}"),
                (within & pl.col("clue")).sum().alias(f"clues_{w}"),
                pl.col("grade").filter(within).mean().alias(f"grade_mean_{w}"),
                pl.col("grade").filter(within).max().alias(f"grade_max_{w}"),
            ]
            of_incomes += [
                pl.col("net").filter(within).sum().alias(f"net_{w}"),
                within.sum().alias(f"incomes_{w}"),
                *(
                    pl.col("amount_yuan").filter(within & (pl.col("source") == s)).sum().alias(f"{s}_{w}")
                    for s in SOURCES
                ),
            ]
        columns = [
            frame.lazy()
            .filter((pl.col("known_on") < day) & (on < day) & (on >= _start(day, 24)))
            .group_by("household")
            .agg(asked)
            for frame, asked in ((visits, of_visits), (incomes, of_incomes))
        ]
        both = row.lazy().select("household").join(columns[0], on="household", how="left")
        both = both.join(columns[1], on="household", how="left").sort("household")
        done = both.select(pl.col(n).cast(pl.Float32) for n in NAMES).with_columns(pl.col(ZERO).fill_null(0.0))
        out[:, d] = done.collect().to_numpy()
    return out.reshape(-1, len(NAMES))


def with_duckdb(_: Records, tables: Tables, ids: list[str], days: list[dt.date]) -> Matrix:
    """Join dates and rows by range, all windows as filtered aggregates."""
    con = duckdb.connect()
    con.execute(f"SET threads = {os.cpu_count() or 1}")
    con.register("visits", tables["visits"])
    con.register("incomes", tables["incomes"])
    con.register("ids", pa.table({"household_id": ids, "h": np.arange(len(ids))}))
    starts = {f"s{w}": [_start(day, w) for day in days] for w in WINDOWS}
    con.register("days", pa.table({"d": np.arange(len(days)), "day": days, **starts}))
    total = " + ".join(f"coalesce({look}, 0)" for look in LOOKS)
    grade = f"CASE WHEN coalesce({', '.join(LOOKS)}) IS NOT NULL THEN {total} END"
    v, i = ["date_diff('day', max(occurred_on), any_value(day)) AS visit_days"], []
    v += ["arg_max(grade, occurred_on) FILTER (grade IS NOT NULL) AS grade_last"]
    i += ["date_diff('day', max(occurred_on), any_value(day)) AS income_days"]
    for w in WINDOWS:
        inside = f"FILTER (occurred_on >= s{w})"
        v += [
            f"count(*) {inside} AS visits_{w}",
            f"avg(grade) {inside} AS grade_mean_{w}",
            f"max(grade) {inside} AS grade_max_{w}",
            f"count(*) FILTER (occurred_on >= s{w} AND clue_raised) AS clues_{w}",
        ]
        i += [
            f"sum(net) {inside} AS net_{w}",
            f"count(*) {inside} AS incomes_{w}",
            *(f"sum(amount_yuan) FILTER (occurred_on >= s{w} AND source = '{s}') AS {s}_{w}" for s in SOURCES),
        ]
    seen = "known_on < day AND occurred_on < day AND occurred_on >= s24"
    sql = f"""
        WITH v AS (SELECT *, {grade} AS grade FROM visits JOIN ids USING (household_id)),
             i AS (SELECT *, CASE source WHEN 'production_cost' THEN -amount_yuan ELSE amount_yuan END AS net
                   FROM incomes JOIN ids USING (household_id)),
             of_v AS (SELECT h, d, {", ".join(v)} FROM v JOIN days ON {seen} GROUP BY h, d),
             of_i AS (SELECT h, d, {", ".join(i)} FROM i JOIN days ON {seen} GROUP BY h, d)
        SELECT {", ".join(f"{n}::FLOAT AS {n}" for n in NAMES)}
        FROM (SELECT h, d FROM ids CROSS JOIN days) LEFT JOIN of_v USING (h, d) LEFT JOIN of_i USING (h, d)
        ORDER BY h, d
    """  # noqa: S608
    answer = con.sql(sql).to_arrow_table()
    columns = [
        np.asarray(pc.fill_null(answer[name], 0.0 if name in ZERO else float("nan"))).astype(np.float32)
        for name in NAMES
    ]
    return np.column_stack(columns)


PEERS: dict[str, Callable[[Records, Tables, list[str], list[dt.date]], Matrix]] = {
    "engine": ours,
    "pandas": with_pandas,
    "polars": with_polars,
    "duckdb": with_duckdb,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--households", type=int, default=50_000)
    parser.add_argument("--dates", type=int, default=24)
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS))
    asked = parser.parse_args()
    small, _ = simulate_county(200, months=30, seed=2)
    ours(small, _tables(small), ["T01V01H0001"], [small.end])  # compiles
    records, _ = simulate_county(asked.households, months=60, seed=1)
    tables = _tables(records)
    ids = sorted(records.frame("households")["household_id"].unique())
    days = cycles(records.settings.cycle, dt.date(2020, 1, 1), records.end + dt.timedelta(days=1))[-asked.dates :]
    n_rows = {name: table.num_rows for name, table in tables.items()}
    print(
        f"{len(ids):,} households x {len(days)} dates = {len(ids) * len(days):,} rows of {len(NAMES)} outputs, "
        f"from {n_rows['visits']:,} visits and {n_rows['incomes']:,} incomes, on {os.cpu_count()} cores"
    )
    times: dict[str, float] = {}
    reference: Matrix | None = None
    for name in ["engine", *(name for name in asked.only if name != "engine")]:
        start = time.perf_counter()
        made = PEERS[name](records, tables, ids, days)
        times[name] = time.perf_counter() - start
        if reference is None:
            reference = made
        np.testing.assert_allclose(made, reference, rtol=1e-5, atol=1e-2, err_msg=name)
        print(f"{name:8s} {times[name]:8.2f} s   {times[name] / times['engine']:6.1f} x the engine, outputs equal")
    others = [seconds for name, seconds in times.items() if name != "engine"]
    if others:
        print(f"the engine is {min(others) / times['engine']:.1f} times as fast as the best of them")


def _tables(records: Records) -> Tables:
    return {name: plain(records.table(name)) for name in TABLES}


if __name__ == "__main__":
    main()
