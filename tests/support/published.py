"""Published figures compared with the same figures of a simulated county."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from relapse_risk.records.codes import income_sources
from relapse_risk.records.records import Records

#: The monitoring line of a day.
Line = Callable[[pd.Timestamp], float]


@dataclass(frozen=True)
class Target:
    """A published number.

    Parameters
    ----------
    name : str
        What.
    published : float
        The number.
    simulated : float
        The same of the simulated records.
    within : float
        How far the simulated may lie from it, as a share of it.
    source : str
        Where it was published.
    """

    name: str
    published: float
    simulated: float
    within: float
    source: str

    @property
    def apart(self) -> float:
        """How far the simulated number lies from the published one, as a share of it."""
        return self.simulated / self.published - 1

    @property
    def near(self) -> bool:
        """Whether the simulated number is near enough."""
        return abs(self.apart) <= self.within


def compare(records: Records) -> list[Target]:
    """Return simulated and published numbers in pairs.

    Parameters
    ----------
    records : Records
        Of a simulated county of five years from 2020 on; of 20,000 households or more, or chance shows.
    """
    first = records.frame("households").sort_values(["household_id", "occurred_on", "known_on"])
    first = first.drop_duplicates("household_id").set_index("household_id")
    members = first["n_members"].astype(float)
    lifted = first["lifted_on"].notna()
    statuses = records.frame("statuses")
    statuses = statuses[statuses["occurred_on"] >= "2020-01-01"].assign(
        persons=lambda s: s["household_id"].map(members), lifted=lambda s: s["household_id"].map(lifted)
    )
    found, gone = statuses[statuses["poor"]], statuses[~statuses["poor"]]
    found = found.assign(kind=_kinds(records, found, members, _line(records)))
    once = found[found["occurred_on"].dt.year <= 2021].drop_duplicates("household_id").set_index("household_id")
    off = once.index.isin(gone[gone["occurred_on"].dt.year <= 2021]["household_id"])

    def off_of(kind: str) -> float:
        return float(off[(once["kind"] == kind).to_numpy()].mean())

    def in_year(frame: pd.DataFrame, year: int) -> pd.DataFrame:
        return frame[frame["occurred_on"].dt.year == year]

    def until(frame: pd.DataFrame, year: int) -> float:
        return float(frame[frame["occurred_on"].dt.year <= year]["household_id"].nunique())

    income = _income_a_head(records, lifted)
    shares = _shares_of_income(records, lifted, 2022)
    monitored = found[found["occurred_on"].dt.year <= 2021].drop_duplicates("household_id")
    illness = found["risk_types"].str.contains("illness").astype(float).mean()
    lifted_found = found[found["lifted"]]
    yearly = [len(in_year(lifted_found, y)) / lifted.sum() for y in (2021, 2022, 2023, 2024)]
    bulletin = "保山通报 2021"
    people_daily = "People's Daily 2023-02-22, Yunnan"
    return [
        Target("members of a lifted household", 3.84, members[lifted].mean(), 0.08, "中国扶贫 2018(16)"),
        Target("members of a monitored household", 3.35, monitored["persons"].mean(), 0.12, bulletin),
        Target("lifted, share of persons", 0.188, members[lifted].sum() / members.sum(), 0.25, bulletin),
        Target("income a head of the lifted, 2020", 10740, income[2020], 0.08, "S: 12,550 less 1,810"),
        Target("income a head of the lifted, 2021", 12550, income[2021], 0.08, "eecv.cn 9468"),
        Target("income a head of the lifted, 2022", 14342, income[2022], 0.08, "CCTV 2023-02-14"),
        Target("wage share of income, 2022", 0.665, shares["wage"], 0.10, people_daily),
        Target("business share of income, 2022", 0.22, shares["business"], 0.20, people_daily),
        Target("transfer and property share, 2022", 0.115, shares["rest"], 0.25, people_daily),
        Target("identified in 2021, share of persons", 0.0093,
               in_year(found, 2021)["persons"].sum() / members.sum(), 0.25, bulletin),
        Target("identified in 2021, share of the lifted", 0.0147, yearly[0], 0.25, bulletin),
        Target("identified a year, share of the lifted", 0.015, float(np.mean(yearly)), 0.34, "1 to 2 % a year"),
        Target("monitored by the end of 2021, share of persons", 0.0263,
               monitored["persons"].sum() / members.sum(), 0.25, bulletin),
        Target("eliminated by the end of 2021", 0.497, until(gone, 2021) / until(found, 2021), 0.25, bulletin),
        Target("of them unstable", 0.543, off_of("unstable"), 0.40, bulletin),
        Target("of them on the edge", 0.660, off_of("edge"), 0.40, bulletin),
        Target("of them in sudden hardship", 0.296, off_of("sudden"), 0.40, bulletin),
        Target("eliminated by the end of 2022", 0.681, until(gone, 2022) / until(found, 2022), 0.25, people_daily),
        Target("sudden hardship, share of those identified in 2021", 0.587,
               float((in_year(found, 2021)["kind"] == "sudden").mean()), 0.25, bulletin),
        Target("identified by illness", 0.44, float(illness), 0.20, "registered poor, chinataiwan.cn 2016-06"),
    ]  # fmt: skip


def _line(records: Records) -> Line:
    steps = sorted((step.since, step.yuan) for step in records.settings.line.steps)

    def on(day: pd.Timestamp) -> float:
        return [yuan for since, yuan in steps if since <= day.date()][-1]

    return on


def _income_a_head(records: Records, lifted: pd.Series[bool]) -> dict[int, float]:
    """Return each year's net income of the lifted, a head of its mid-year members."""
    incomes = _net_of(records, lifted)
    by_year = incomes.groupby(incomes["occurred_on"].dt.year)["net"].sum()
    profiles = records.frame("households").sort_values(["occurred_on", "known_on"], kind="stable")
    profiles = profiles[profiles["household_id"].map(lifted).to_numpy(bool)]

    def heads(year: int) -> float:
        held = profiles[profiles["occurred_on"] <= f"{year}-07-01"].drop_duplicates("household_id", keep="last")
        return float(held["n_members"].sum())

    years, nets = by_year.index.tolist(), by_year.tolist()
    return {year: net / heads(year) for year, net in zip(years, nets, strict=True)}


def _shares_of_income(records: Records, lifted: pd.Series[bool], year: int) -> dict[str, float]:
    """Return the shares of wages, of business less its costs, and of the rest in net income without claims."""
    incomes = _net_of(records, lifted)
    by_source = incomes[incomes["occurred_on"].dt.year == year].groupby("source")["net"].sum()
    business = by_source["business"] + by_source["production_cost"]
    total = by_source.drop(list(income_sources("claim")), errors="ignore").sum()
    return {
        "wage": float(by_source["wage"] / total),
        "business": float(business / total),
        "rest": float((by_source["transfer"] + by_source["property"]) / total),
    }


def _kinds(records: Records, found: pd.DataFrame, members: pd.Series[float], line: Line) -> pd.Series[Any]:
    """Return the kind of each identification, by the income account of the twelve months before its own.

    Sudden hardship is above the line; below it, the lifted are unstable and others on the edge.
    """
    of = found.reset_index(drop=True).assign(case=lambda s: s.index, on=lambda s: s["occurred_on"])
    ids = set(of["household_id"])
    incomes, paid = records.frame("incomes"), records.frame("expenses")
    incomes, paid = (frame[frame["household_id"].isin(ids)] for frame in (incomes, paid))
    flows = pd.concat(
        [
            incomes[["household_id", "occurred_on"]].assign(net=_signed(incomes)),
            paid[["household_id", "occurred_on"]].assign(net=-paid["self_paid_yuan"]),
        ]
    )
    joined = of[["case", "household_id", "on"]].merge(flows, on="household_id")
    month = joined["on"].dt.to_period("M").dt.start_time
    inside = (joined["occurred_on"] < month) & (joined["occurred_on"] >= month - pd.DateOffset(months=12))
    account = joined[inside].groupby("case")["net"].sum().reindex(of["case"], fill_value=0.0).to_numpy()
    above = account / of["household_id"].map(members).to_numpy() >= of["on"].map(line).to_numpy()
    kinds = np.where(above, "sudden", np.where(of["lifted"].to_numpy(bool), "unstable", "edge"))
    return pd.Series(kinds, index=found.index)


def _net_of(records: Records, lifted: pd.Series[bool]) -> pd.DataFrame:
    incomes = records.frame("incomes")
    incomes = incomes[incomes["household_id"].map(lifted).to_numpy(bool)]
    return incomes.assign(net=_signed(incomes))


def _signed(incomes: pd.DataFrame) -> pd.Series[float]:
    """Return the amounts, negative for costs."""
    return incomes["amount_yuan"].mask(incomes["source"].isin(income_sources("cost")), -incomes["amount_yuan"])
