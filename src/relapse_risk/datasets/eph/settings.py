"""The settings that fit the panel."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from relapse_risk.datasets.eph.items import ITEMS
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


def panel_settings(visits: pd.DataFrame, horizon_months: int) -> Settings:
    """Return the settings: the baskets as the line, quarters as rounds, Argentine pesos."""
    baskets = visits.dropna(subset=["basic_total_basket"]).drop_duplicates(["REGION", "day"])
    steps = tuple(
        LineStep(since=_quarter_start(day), yuan=float(yuan), area=f"R{region}")
        for region, day, yuan in zip(baskets["REGION"], baskets["day"], baskets["basic_total_basket"], strict=True)
    )
    end = visits["day"].max().date() + dt.timedelta(days=1)
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
        items={name: item.setting for name, item in ITEMS.items()},
    )


def _quarter_start(quarter_end: pd.Timestamp) -> dt.date:
    return dt.date(quarter_end.year, quarter_end.month - 2, 1)
