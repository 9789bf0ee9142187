"""Tables made of household-quarters alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from relapse_risk.datasets.eph import items
from relapse_risk.datasets.eph.frames import YES, dated

#: Columns that are read.
COLUMNS = tuple(
    dict.fromkeys(
        (
            *("REGION", "AGLOMERADO", "ITF", "basic_total_basket", "adult_equivalents", "aid_income"),
            *("n_members", "n_employed", "n_unemployed", "n_under_15", "n_65_plus", "V5", "V6"),
            *items.COLUMNS,
        )
    )
)


def profiles(visits: pd.DataFrame) -> pd.DataFrame:
    """Return table ``households``."""
    return dated(
        visits,
        grid_id="A" + visits["AGLOMERADO"].astype(str),
        village_id="A" + visits["AGLOMERADO"].astype(str),
        township_id="R" + visits["REGION"].astype(str),
        n_members=visits["n_members"],
        n_labour=visits["n_employed"] + visits["n_unemployed"],
        n_students=visits["n_under_15"],
        n_elderly=visits["n_65_plus"],
        line_units=visits["adult_equivalents"],
    )


def grids(visits: pd.DataFrame) -> pd.DataFrame:
    """Return table ``grids``: an urban area is a grid, a region a township."""
    areas = visits[["AGLOMERADO", "REGION", "day"]].sort_values("day").drop_duplicates("AGLOMERADO")
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


def looks(visits: pd.DataFrame) -> pd.DataFrame:
    """Return table ``visits``, the answers as grades of the looks."""
    grades = {look: _worst(visits, rules) for look, rules in items.LOOKS.items()}
    no_child = (visits["n_under_15"] == 0).to_numpy()
    grades["children"] = np.where(no_child, np.nan, grades["children"])
    quarter = visits["ANO4"].astype(str) + "T" + visits["TRIMESTRE"].astype(str)
    visit_id = visits["household_id"] + "-" + quarter
    return dated(visits, visit_id=visit_id, **{look: _grade(values) for look, values in grades.items()})


def _worst(visits: pd.DataFrame, rules: Mapping[str, Mapping[int, int]]) -> npt.NDArray[np.float64]:
    """Return the worst grade any of the answers gives; NaN where none was answered."""
    given = np.stack([visits[column].map(dict(grades)).to_numpy(float) for column, grades in rules.items()])
    return np.where(np.isnan(given).all(axis=0), np.nan, np.fmax.reduce(given))


def _grade(values: npt.NDArray[np.float64]) -> Any:
    return pd.Series(values).astype("Int64").array


def observations(visits: pd.DataFrame) -> pd.DataFrame:
    """Return table ``observations``, a row an answer."""
    answers = {name: item.value(visits) for name, item in items.ITEMS.items()}
    frames = [dated(visits, item=name, value=value)[value.notna().to_numpy()] for name, value in answers.items()]
    return pd.concat(frames, ignore_index=True)


def statuses(visits: pd.DataFrame) -> pd.DataFrame:
    """Return table ``statuses``: poor is a household income below the basket of all its adult equivalents."""
    known = visits[visits["answered"] & visits["line"].notna()]
    return dated(known, poor=known["ITF"] < known["line"], origin="survey", risk_types=None)


def supports(visits: pd.DataFrame) -> pd.DataFrame:
    """Return table ``supports``: aid of the last three months, as measures that ended on the day of the visit."""
    money, goods = visits[visits["V5"] == YES], visits[visits["V6"] == YES]
    amount = money["aid_income"].where(money["answered"] & (money["aid_income"] > 0))
    frames = [
        dated(money, kind="comprehensive_security", ended_on=money["day"], amount_yuan=amount),
        dated(goods, kind="social_assistance", ended_on=goods["day"], amount_yuan=np.nan),
    ]
    return pd.concat(frames, ignore_index=True)
