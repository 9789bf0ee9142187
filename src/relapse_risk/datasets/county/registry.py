"""How households fall, are found, helped and taken off the list again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.county.economy import Holdings
from relapse_risk.datasets.county.livelihoods import MIXED, ORANGE, WORKSHOP
from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.people import People
from relapse_risk.records.codes import RISK_TYPE, SHOCK_KIND

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.int64]

SHOCKS = tuple(SHOCK_KIND.labels)
CAUSES = tuple(RISK_TYPE.labels)
NEVER = np.int64(2**40)
#: Kinds of monitored households, by income beside the line and by having been registered poor.
KINDS = ("unstable", "edge", "sudden")
UNSTABLE, EDGE, SUDDEN = range(3)
#: What is done about each cause; the first rule of the national checks is that something is, within a month.
MEASURES = {
    "illness": "health",
    "schooling": "other_education",
    "disability": "comprehensive_security",
    "natural_disaster": "living_conditions",
    "accident": "comprehensive_security",
    "industry_failure": "industry",
    "unstable_work": "employment",
    "labour_shortage": "comprehensive_security",
    "unsafe_water": "water_safety",
    "other": "social_assistance",
}
DEVELOPMENT = ("industry", "employment", "finance", "welfare_post")


@dataclass
class Standing:
    """Where each household stands with the registry and with fate.

    Parameters
    ----------
    in_need_since, identified_on, eliminated_on : ndarray of int, shape (n,)
        Days since 1970-01-01; ``NEVER`` where not.
    clue_on : ndarray of int
        Day a clue was raised that will end in identification; ``NEVER`` where none.
    cause : ndarray of int
        Position in ``CAUSES`` of what it fell by.
    kind : ndarray of int
        Position in ``KINDS``.
    supported_until : ndarray of int
        Day until which measures run; 0 where none does.
    shocks : ndarray of float, shape (n_kinds, n)
        What is left of each kind of shock, 1 at its height.
    unseen : ndarray of float
        Part of the log hazard that no record holds.
    """

    in_need_since: Days
    identified_on: Days
    eliminated_on: Days
    clue_on: Days
    cause: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    supported_until: Days
    shocks: Numbers
    unseen: Numbers

    @classmethod
    def of(cls, n: int, rng: np.random.Generator, p: CountyParameters) -> Standing:
        """Return the standing of n households that have not fallen."""
        never = np.full(n, NEVER)
        return cls(
            in_need_since=never.copy(),
            identified_on=never.copy(),
            eliminated_on=never.copy(),
            clue_on=never.copy(),
            cause=np.zeros(n, np.int64),
            kind=np.zeros(n, np.int64),
            supported_until=np.zeros(n, np.int64),
            shocks=np.zeros((len(SHOCKS), n)),
            unseen=rng.normal(0, p.unseen, n),
        )

    def monitored(self) -> Flags:
        """Return who is on the list."""
        return (self.identified_on < NEVER) & (self.eliminated_on == NEVER)

    def at_risk(self) -> Flags:
        """Return who could fall: neither in need already nor on the list."""
        return (self.in_need_since == NEVER) & ~self.monitored()


def log_hazard(
    standing: Standing,
    people: People,
    income_to_line: Numbers,
    housing: npt.NDArray[np.int64],
    lifted: Flags,
    area: Numbers,
    month_of_year: int,
    supported: Flags,
    p: CountyParameters,
) -> Numbers:
    """Return the log of the monthly hazard of falling.

    Parameters
    ----------
    income_to_line : ndarray of float, shape (n,)
        Net income of twelve months with payouts, less self-paid spending, a member, over the line.
    housing : ndarray of int
        Hazard grade, 0 for A.
    area : ndarray of float
        What area-wide events add.
    supported : ndarray of bool
        Whose measures lower the hazard.
    """
    counts = people.counts()
    chronic, major, disabled, labour = counts[:, 4], counts[:, 5], counts[:, 6], counts[:, 1]
    weights = np.array([p.of_shock[kind] for kind in SHOCKS])
    return (
        p.base
        + p.of_lifted * lifted
        - p.of_income * np.log2(np.clip(income_to_line, 0.15, 8.0))
        + p.of_chronic * np.minimum(chronic, 2)
        + p.of_major * (major > 0)
        + p.of_disabled * (disabled > 0)
        + p.of_no_labour * (labour == 0)
        + p.of_school * np.minimum(people.beyond_school().sum(axis=1), 2)
        + p.of_housing * (housing >= 2)
        + weights @ np.minimum(standing.shocks, 1.5)
        + p.season * np.cos(2 * np.pi * (month_of_year - 6) / 12)
        + area
        + standing.unseen
        + np.where(supported, p.of_support, 0.0)
    )


def draw_causes(
    rng: np.random.Generator, rows: npt.NDArray[np.int64], standing: Standing, people: People, has: Holdings,
    tap_trouble: Flags, p: CountyParameters,
) -> npt.NDArray[np.int64]:  # fmt: skip
    """Return what each of the rows falls by: only what can befall it, the likelier what has just hit it.

    Shares are an assumption (illness about half), as no official table of monitored households was found.
    """
    counts = people.counts()[rows]
    labour, major, chronic, disabled = counts[:, 1], counts[:, 5], counts[:, 4], counts[:, 6]
    hit = {kind: standing.shocks[k, rows] for k, kind in enumerate(SHOCKS)}
    farms = np.isin(has.livelihood[rows], [ORANGE, MIXED, WORKSHOP])
    earns = (people.earner[rows] & people.jobs.worked[:, rows].any(axis=0)).any(axis=1)
    after = {kind: factor * hit[kind] for kind, factor in p.cause_after_shock.items()}
    can = {
        "illness": 1 + after["illness"] + 0.7 * major + 0.3 * chronic,
        "schooling": people.beyond_school()[rows].any(axis=1),
        "disability": disabled > 0,
        "natural_disaster": 1 + after["disaster"],
        "accident": 1 + after["accident"],
        "industry_failure": farms * (1 + after["crop_failure"] + after["market"]),
        "unstable_work": earns * (labour > 0) * (1 + after["job_loss"]),
        "labour_shortage": 1 + 9 * (labour == 0),
        "unsafe_water": tap_trouble[rows],
        "other": np.ones(len(rows)),
    }
    stacked = np.stack([p.causes[cause] * can[cause] for cause in CAUSES], axis=1)
    upto = np.cumsum(stacked / stacked.sum(axis=1, keepdims=True), axis=1)
    return (rng.random((len(rows), 1)) > upto).sum(axis=1).clip(0, len(CAUSES) - 1)


def kind_of(income_to_line: Numbers, lifted: Flags) -> npt.NDArray[np.int64]:
    """Return the kind of monitored household each would be: sudden hardship above the line, else by its past."""
    return np.where(income_to_line >= 1, SUDDEN, np.where(lifted, UNSTABLE, EDGE))
