"""The real panel: Encuesta Permanente de Hogares (INDEC, Argentina) as records.

A household is visited up to four times, in quarters 0, 1, 4 and 5. The day of a visit is not published, so a
visit and all it brought are dated to the last day of its quarter: no feature then uses an answer before it can
have been given. Source: INDEC public-use microdata and regional baskets, joined as the panel's description says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from relapse_risk.datasets import eph_items
from relapse_risk.errors import ImportRefused, NotFoundError
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES
from relapse_risk.settings import (
    CohortSettings,
    CycleSettings,
    DataSettings,
    LineSettings,
    LineStep,
    OutcomeSettings,
    Settings,
    TrainingSettings,
)

#: Answer codes of yes/no questions; others are "no answer".
YES, NO = 1, 2
NO_ANSWER = 9
#: Horizons the panel is judged at: the next visit, and any visit within the next four quarters.
HORIZONS = (4, 13)
#: Columns that money is in, with the source and part they stand for.
INCOME_COLUMNS = {
    "labour_income_main": ("wage", "migrant_work"),
    "labour_income_other": ("wage", "other"),
    "pension_income": ("transfer", "pension"),
    "aid_income": ("transfer", "social_relief"),
}
_COLUMNS = (
    *("CODUSU", "NRO_HOGAR", "ANO4", "TRIMESTRE", "REALIZADA", "REGION", "AGLOMERADO", "PONDIH", "ITF"),
    *(
        "non_labour_income",
        "adult_equivalents",
        "basic_total_basket",
        "n_members",
        "n_employed",
        "n_unemployed",
    ),
    *("n_under_15", "n_65_plus", "V5", "V6"),
    *INCOME_COLUMNS,
    *eph_items.COLUMNS,
)
#: Every panel column that is read, once.
COLUMNS = tuple(dict.fromkeys(_COLUMNS))


@dataclass(frozen=True)
class PanelImport:
    """What became of the files.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        The records.
    settings : Settings
        The settings that fit, for a horizon of 4 months.
    counts : dict of str to int
        Rows read, used and set aside, by reason.
    """

    tables: dict[str, pa.Table]
    settings: Settings
    counts: dict[str, int]


def import_eph(files: Iterable[Path | str], horizon_months: int = HORIZONS[0]) -> PanelImport:
    """Turn panel files into records.

    Parameters
    ----------
    files : iterable of path
        Parquet files of household-quarters, any quarters, in any order; a household-quarter that several files
        hold alike is taken once.
    horizon_months : int
        Horizon of the settings: 4 for the next visit, 13 for any visit within the next four quarters.

    Raises
    ------
    NotFoundError
        If a file is not there.
    ImportRefused
        If a file is not Parquet, lacks a column, has an unusable id, or contradicts another file.
    """
    panel, counts = _read([Path(file) for file in files])
    interviewed = panel["REALIZADA"] == 1
    counts["not interviewed"] = int((~interviewed).sum())
    panel = panel[interviewed].reset_index(drop=True)
    panel = panel.assign(
        household_id=panel["CODUSU"] + "-" + panel["NRO_HOGAR"].astype(str),
        day=_quarter_end(panel["ANO4"], panel["TRIMESTRE"]),
        answered=panel["PONDIH"] > 0,
        line=panel["basic_total_basket"] * panel["adult_equivalents"],
    ).sort_values(["household_id", "day"], ignore_index=True)
    counts["households"] = int(panel["household_id"].nunique())
    counts["income not answered"] = int((~panel["answered"]).sum())
    counts["basket not known"] = int(panel["line"].isna().sum())
    frames = {
        "households": _profiles(panel),
        "visits": _visits(panel),
        "observations": _observations(panel),
        "incomes": _incomes(panel),
        "statuses": _statuses(panel),
        "supports": _supports(panel),
        "grids": _grids(panel),
    }
    tables = {name: _table(name, frame) for name, frame in frames.items()}
    return PanelImport(tables, _settings(panel, horizon_months), counts)


def _read(files: list[Path]) -> tuple[pd.DataFrame, dict[str, int]]:
    parts = []
    for file in files:
        if not file.is_file():
            raise NotFoundError(f"no panel file {file}")
        try:
            part = pd.read_parquet(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise ImportRefused(f"{file} is not a Parquet file; the panel comes as Parquet") from error
        lacking = [column for column in COLUMNS if column not in part]
        if lacking:
            raise ImportRefused(f"{file} lacks {', '.join(lacking)}; the panel's description lists all columns")
        if pd.api.types.is_numeric_dtype(part["CODUSU"]):
            raise ImportRefused(f"{file}: CODUSU holds numbers; an id is text, export it so")
        parts.append(part[list(COLUMNS)])
    if not parts:
        raise ImportRefused("no panel file given; give at least one")
    panel = pd.concat(parts, ignore_index=True)
    read = len(panel)
    panel = panel.drop_duplicates(ignore_index=True)
    twice = panel.duplicated(["CODUSU", "NRO_HOGAR", "ANO4", "TRIMESTRE"])
    if twice.any():
        raise ImportRefused(
            f"{int(twice.sum())} household-quarter(s) stand in the files with different answers; "
            "give each quarter once"
        )
    return panel, {"rows read": read, "rows repeated": read - len(panel)}


def _quarter_end(year: pd.Series[int], quarter: pd.Series[int]) -> pd.Series[Any]:
    months = (year.to_numpy(np.int64) - 1970) * 12 + quarter.to_numpy(np.int64) * 3
    return pd.Series(months.astype("datetime64[M]").astype("datetime64[D]") - np.timedelta64(1, "D"))


def _dated(panel: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "household_id": panel["household_id"],
            "occurred_on": panel["day"],
            "known_on": panel["day"],
            **columns,
        }
    )


def _profiles(panel: pd.DataFrame) -> pd.DataFrame:
    return _dated(
        panel,
        grid_id="A" + panel["AGLOMERADO"].astype(str),
        village_id="A" + panel["AGLOMERADO"].astype(str),
        township_id="R" + panel["REGION"].astype(str),
        n_members=panel["n_members"],
        n_labour=panel["n_employed"] + panel["n_unemployed"],
        n_students=panel["n_under_15"],
        n_elderly=panel["n_65_plus"],
        line_units=panel["adult_equivalents"],
    )


def _grids(panel: pd.DataFrame) -> pd.DataFrame:
    areas = panel[["AGLOMERADO", "REGION", "day"]].sort_values("day").drop_duplicates("AGLOMERADO")
    name = "A" + areas["AGLOMERADO"].astype(str)
    return pd.DataFrame(
        {
            "occurred_on": areas["day"],
            "known_on": areas["day"],
            "grid_id": name,
            "village_id": name,
            "township_id": "R" + areas["REGION"].astype(str),
        }
    )


def _visits(panel: pd.DataFrame) -> pd.DataFrame:
    grades = {look: _worst(panel, rules) for look, rules in eph_items.LOOKS.items()}
    no_child = (panel["n_under_15"] == 0).to_numpy()
    grades["children"] = np.where(no_child, np.nan, grades["children"])
    visit_id = panel["household_id"] + "-" + panel["ANO4"].astype(str) + "T" + panel["TRIMESTRE"].astype(str)
    return _dated(panel, visit_id=visit_id, **{look: _grade(values) for look, values in grades.items()})


def _worst(panel: pd.DataFrame, rules: Mapping[str, Mapping[int, int]]) -> npt.NDArray[np.float64]:
    """Return the worst grade any of the answers gives; NaN where none was answered."""
    given = np.stack([panel[column].map(dict(grades)).to_numpy(float) for column, grades in rules.items()])
    return np.where(np.isnan(given).all(axis=0), np.nan, np.fmax.reduce(given))


def _grade(values: npt.NDArray[np.float64]) -> Any:
    return pd.Series(values).astype("Int64").array


def _observations(panel: pd.DataFrame) -> pd.DataFrame:
    answers = {name: item.value(panel) for name, item in eph_items.ITEMS.items()}
    frames = [_dated(panel, item=name, value=value)[value.notna().to_numpy()] for name, value in answers.items()]
    return pd.concat(frames, ignore_index=True)


def _incomes(panel: pd.DataFrame) -> pd.DataFrame:
    """One row a source and part of every visit where income was answered; zero is an answer."""
    told = panel[panel["answered"]]
    rest = told["non_labour_income"] - told["pension_income"] - told["aid_income"]
    amounts = {source: told[column] for column, source in INCOME_COLUMNS.items()}
    amounts["property", "other"] = rest.clip(lower=0.0)  # rents, interest, gifts: the panel does not part them
    frames = [
        _dated(told, source=source, part=part, amount_yuan=amount) for (source, part), amount in amounts.items()
    ]
    incomes = pd.concat(frames, ignore_index=True)
    return incomes[incomes["amount_yuan"].notna()]


def _statuses(panel: pd.DataFrame) -> pd.DataFrame:
    known = panel[panel["answered"] & panel["line"].notna()]
    return _dated(known, poor=known["ITF"] < known["line"], origin="survey", risk_types=None)


def _supports(panel: pd.DataFrame) -> pd.DataFrame:
    """Aid in money and in goods of the last three months, as measures that ended on the day of the visit."""
    money, goods = panel[panel["V5"] == YES], panel[panel["V6"] == YES]
    amount = money["aid_income"].where(money["answered"] & (money["aid_income"] > 0))
    frames = [
        _dated(money, kind="comprehensive_security", ended_on=money["day"], amount_yuan=amount),
        _dated(goods, kind="social_assistance", ended_on=goods["day"], amount_yuan=np.nan),
    ]
    return pd.concat(frames, ignore_index=True)


def _table(name: str, frame: pd.DataFrame) -> pa.Table:
    """Return a frame as the table it stands for; what the panel does not ask is missing."""
    order = [c for c in ("household_id", "occurred_on") if c in frame]
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    schema = arrow_schema(TABLES[name])
    lacking = {field.name: None for field in schema if field.name not in frame}
    return pa.Table.from_pandas(frame.assign(**lacking), schema=schema, preserve_index=False)


def _settings(panel: pd.DataFrame, horizon_months: int) -> Settings:
    baskets = panel.dropna(subset=["basic_total_basket"]).drop_duplicates(["REGION", "day"])
    steps = tuple(
        LineStep(since=_quarter_start(day), yuan=float(yuan), area=f"R{region}")
        for region, day, yuan in zip(baskets["REGION"], baskets["day"], baskets["basic_total_basket"], strict=True)
    )
    end = panel["day"].max().date() + dt.timedelta(days=1)
    return Settings(
        # What brought nothing has a row that says so; a source without one was not answered.
        data=DataSettings(end=end, currency="ARS", accounts_complete=False),
        cycle=CycleSettings(months=3, anchor=dt.date(2016, 1, 1)),
        outcome=OutcomeSettings(
            horizon_months=horizon_months,
            kind="panel",
            reporting_lag_days=0,
            rounds=("03-31", "06-30", "09-30", "12-31"),
        ),
        # Households poor now are learned from too: on several origins that ordered relapses better.
        cohort=CohortSettings(status_within_months=3, train_on="observed"),
        line=LineSettings(months=1, steps=tuple(sorted(steps, key=lambda s: (s.area or "", s.since)))),
        # A household's history is short, whenever it joined: every date is worth learning from.
        training=TrainingSettings(history_months=0, max_cycles=60),
        items={name: item.setting for name, item in eph_items.ITEMS.items()},
    )


def _quarter_start(quarter_end: pd.Timestamp) -> dt.date:
    return dt.date(quarter_end.year, quarter_end.month - 2, 1)
