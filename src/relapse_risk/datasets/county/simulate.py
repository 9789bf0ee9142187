"""A simulated county in memory and on disk, its settings, and the truth apart from the records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.state import Switches, Township
from relapse_risk.datasets.county.township import SIMULATED, TRUTH_SCHEMA, SimulatedTownship, live
from relapse_risk.datasets.county.truth import new_county
from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.errors import UsageError
from relapse_risk.records.order import in_order
from relapse_risk.records.records import Records
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES
from relapse_risk.records.writer import HOUSEHOLDS_OF_A_BLOCK, RecordsWriter
from relapse_risk.settings import (
    SETTINGS_FILE,
    CycleSettings,
    DataSettings,
    LineSettings,
    LineStep,
    Settings,
    county_defaults,
)


def county_settings(end: dt.date, parameters: CountyParameters) -> Settings:
    """Return the settings of a simulated county: those of any county, with its own rounds and line."""
    steps = tuple(LineStep(since=since, yuan=yuan) for since, yuan in parameters.line_yuan.items())
    update = {
        "data": DataSettings(end=end, accounts_complete=True),  # what brought nothing in a month has no row of it
        "cycle": CycleSettings(months=parameters.cycle_months, anchor=parameters.start),
        "line": LineSettings(steps=steps),
    }
    return county_defaults().model_copy(update=update)


def townships(
    households: int,
    months: int = 60,
    seed: int = 0,
    *,
    switches: Switches | None = None,
    parameters: CountyParameters | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Iterator[SimulatedTownship]:
    """Simulate a county, a township at a time.

    Parameters
    ----------
    households : int
        Households in all.
    months : int
        Months from the start (2020-01). The months of a longer run begin as those of a shorter one.
    seed : int
        The same seed gives the same rows.
    switches : Switches, optional
        All on otherwise.
    parameters : CountyParameters, optional
        The documented ones otherwise.
    on_progress : callable
        Called with the townships done, and of how many.

    Raises
    ------
    UsageError
        If there are no households or months.
    """
    if households < 1 or months < 1:
        raise UsageError(f"households={households}, months={months}. Valid: 1 or more of each.")
    p = parameters or CountyParameters()
    sizes = sizes_of(households, p)
    for number, size in enumerate(sizes):
        yield live(Township(number, size, seed, switches or Switches(), p), months)
        on_progress(number + 1, len(sizes))


def sizes_of(households: int, parameters: CountyParameters) -> list[int]:
    """Return how many households each township of a county has."""
    n_townships = max(1, min(parameters.n_townships, households // parameters.smallest_township))
    size, more = divmod(households, n_townships)
    return [size + (number < more) for number in range(n_townships)]


def simulate_county(
    households: int,
    months: int = 60,
    seed: int = 0,
    *,
    switches: Switches | None = None,
    parameters: CountyParameters | None = None,
) -> tuple[Records, pa.Table]:
    """Simulate a small county in memory.

    Returns
    -------
    records : Records
        As after reading the folder ``write_county`` writes.
    truth : pyarrow.Table
        See ``SimulatedTownship``.

    Examples
    --------
    >>> records, truth = simulate_county(200, months=12, seed=1)
    >>> records.end.isoformat(), truth.num_rows
    ('2021-01-01', 2400)
    """
    p = parameters or CountyParameters()
    parts = list(townships(households, months, seed, switches=switches, parameters=p))
    settings = county_settings(_end(p, months), p)
    return Records.from_tables(whole_tables(parts), settings), pa.concat_tables([part.truth for part in parts])


def whole_tables(parts: Sequence[SimulatedTownship]) -> dict[str, pa.Table]:
    """Return the tables of all townships, conformed and in the order of a folder."""
    tables = _joined(
        [{name: rows.cast(arrow_schema(TABLES[name])) for name, rows in part.tables().items()} for part in parts]
    )
    return {**tables, "grids": in_order(tables["grids"], "grids")}


def write_county(
    out: Path | str,
    truth: Path | str,
    households: int,
    months: int = 60,
    seed: int = 0,
    *,
    switches: Switches | None = None,
    parameters: CountyParameters | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> dict[str, int]:
    """Simulate a county onto disk, streamed by township: records and truth whole, or what was there before.

    Parameters
    ----------
    out : path
        Records folder.
    truth : path
        Folder of the true hazards, apart from the records: nothing of the pipeline reads it.

    Returns
    -------
    dict of str to int
        Rows of each table.

    Raises
    ------
    OutputExists
        If either folder is there and ``write_county`` did not make it: imported records are never replaced.
    OutputBusy
        If another run is writing either.
    UsageError
        If one folder lies in the other, or there are no households or months.
    """
    p = parameters or CountyParameters()
    used = switches or Switches()
    made_with = {"households": households, "months": months, "seed": seed, "switches": vars(used)}
    rows = dict.fromkeys(SIMULATED, 0)
    with new_county(out, truth, made_with) as new:
        with (
            RecordsWriter(new.records) as writer,
            pq.ParquetWriter(new.truth, TRUTH_SCHEMA, compression="zstd") as true,
        ):
            simulated = townships(households, months, seed, switches=used, parameters=p, on_progress=on_progress)
            for block in _blocks(simulated, true.write_table):
                writer.write_block(block)
                for name, table in block.items():
                    rows[name] += table.num_rows
        settings = county_settings(_end(p, months), p)
        (new.records / SETTINGS_FILE).write_text(settings.to_toml(), encoding="utf-8")
    return rows


def _blocks(
    simulated: Iterator[SimulatedTownship], write_truth: Callable[[pa.Table], None]
) -> Iterator[dict[str, pa.Table]]:
    """Yield blocks of whole households; what is left of one township begins the next block."""
    parts: list[dict[str, pa.Table]] = []
    lacking = HOUSEHOLDS_OF_A_BLOCK
    for township in simulated:
        write_truth(township.truth)
        first = 0
        while first < township.size:
            after = min(first + lacking, township.size)
            parts.append(township.tables(first, after))
            lacking -= after - first
            first = after
            if not lacking:
                yield _joined(parts)
                parts, lacking = [], HOUSEHOLDS_OF_A_BLOCK
        del township  # or it would stay in memory while the next one is simulated
    if parts:
        yield _joined(parts)


def _joined(parts: Sequence[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    return {name: pa.concat_tables([part[name] for part in parts]) for name in SIMULATED}


def _end(p: CountyParameters, months: int) -> dt.date:
    return from_days(int(add_months(to_days(p.start), months)))
