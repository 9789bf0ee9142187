"""Simulated beside published: the numbers a county is calibrated to, and how near it comes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from relapse_risk.records.records import Records


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
    def near(self) -> bool:
        """Whether the simulated number is near enough."""
        return abs(self.simulated - self.published) <= self.within * self.published


def compare(records: Records) -> list[Target]:
    """Return simulated beside published numbers.

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

    def in_year(frame: pd.DataFrame, year: int) -> pd.DataFrame:
        return frame[frame["occurred_on"].dt.year == year]

    def until(frame: pd.DataFrame, year: int) -> float:
        return float(frame[frame["occurred_on"].dt.year <= year]["household_id"].nunique())

    income = _income_a_head(records, lifted, members)
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
        Target("eliminated by the end of 2022", 0.681, until(gone, 2022) / until(found, 2022), 0.25, people_daily),
        Target("identified by illness", 0.44, float(illness), 0.20, "registered poor, chinataiwan.cn 2016-06"),
    ]  # fmt: skip


def _income_a_head(records: Records, lifted: pd.Series[bool], members: pd.Series[float]) -> dict[int, float]:
    incomes = _net_of(records, lifted)
    by_year = incomes.groupby(incomes["occurred_on"].dt.year)["net"].sum() / members[lifted].sum()
    return dict(zip(by_year.index.tolist(), by_year.tolist(), strict=True))


def _shares_of_income(records: Records, lifted: pd.Series[bool], year: int) -> dict[str, float]:
    """Return the shares of wages, of business less its costs, and of the rest in net income."""
    incomes = _net_of(records, lifted)
    by_source = incomes[incomes["occurred_on"].dt.year == year].groupby("source")["net"].sum()
    business = by_source["business"] + by_source["production_cost"]
    total = by_source.sum() - by_source.get("claim", 0.0)
    return {
        "wage": float(by_source["wage"] / total),
        "business": float(business / total),
        "rest": float((by_source["transfer"] + by_source["property"]) / total),
    }


def _net_of(records: Records, lifted: pd.Series[bool]) -> pd.DataFrame:
    incomes = records.frame("incomes")
    incomes = incomes[incomes["household_id"].map(lifted).to_numpy(bool)]
    sign = np.where(incomes["source"] == "production_cost", -1.0, 1.0)
    return incomes.assign(net=incomes["amount_yuan"] * sign)
