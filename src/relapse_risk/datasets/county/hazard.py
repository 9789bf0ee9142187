"""What makes households fall: shocks of their own and of the whole area, the hazard, and the causes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relapse_risk.datasets.county import people
from relapse_risk.datasets.county.arrays import Flags, Ints, Numbers, anyone, count, pick
from relapse_risk.datasets.county.parameters import AREA_SHOCKS
from relapse_risk.datasets.county.state import SHOCKS, Month, Township
from relapse_risk.dates import add_months, to_days
from relapse_risk.records.codes import RISK_TYPE

CAUSES = RISK_TYPE.values


@dataclass(frozen=True)
class Area:
    """What area-wide events do to a township's households in a month."""

    hazard: Numbers  # added to the log hazard
    income: Numbers  # what is left of it
    job_loss: Numbers  # added to the monthly chance
    migration: Numbers  # factor on the chance of leaving for work
    hit: dict[str, Flags]  # whom the events that begin this month touch, by kind


def area_of(t: Township, month: Month) -> Area:
    """Return what area-wide events do to a township in a month."""
    n = t.size
    area = Area(np.zeros(n), np.ones(n), np.zeros(n), np.ones(n), {})
    for number, event in enumerate(AREA_SHOCKS):
        begins = to_days(event.first)
        lasts = begins <= month.first < int(add_months(begins, event.months))
        if not lasts or t.random(4, number).random() >= event.townships:
            continue
        touched = t.by_livelihood(dict.fromkeys(event.income, 1.0)) > 0
        area.hazard[touched] += event.hazard
        area.income[:] *= t.by_livelihood(event.income, otherwise=1.0)
        area.job_loss[touched] += event.job_loss
        area.migration[touched] *= event.migration
        if begins == month.first:
            area.hit[event.kind] = touched
    return area


def strike(t: Township, month: Month, bereaved: Flags, hit: dict[str, Flags]) -> dict[str, Flags]:
    """Let personal and area-wide shocks hit; return whom each kind hit."""
    p, rng, n = t.p, month.rng, t.size
    of_chronic, of_major = p.illness_more
    chance = {
        "illness": p.illness_month
        * (1 + of_chronic * t.counts["n_chronic"] + of_major * t.counts["n_major_illness"]),
        "accident": np.full(n, p.accident_month),
        "disaster": np.full(n, p.disaster_month),
        "crop_failure": p.crop_failure_month * t.farms(),
    }
    nobody = np.zeros(n, bool)
    begun = {
        kind: (rng.random(n) < chance.get(kind, nobody))
        | (hit.get(kind, nobody) & (rng.random(n) < p.hit_by_area[kind]))
        | (bereaved if kind == "accident" else nobody)
        for kind in SHOCKS
    }
    failed = begun["crop_failure"] | begun["disaster"]
    left, lasts = p.harvest_lost
    t.setback = np.where(failed, left, t.setback)
    t.setback_left = np.where(failed, lasts, t.setback_left)
    ill = np.flatnonzero(begun["illness"])
    member = people.SLOTS - 1 - t.people.here[ill, ::-1].argmax(axis=1)  # the last who is there
    lasting = rng.random(len(ill)) < p.illness_lasts
    t.people.chronic[ill[lasting], member[lasting]] = True
    t.counts["n_chronic"] = count(t.people.chronic)
    return begun


def log_hazard(t: Township, month: Month, to_line: Numbers, area: Numbers) -> Numbers:
    """Return the log of the monthly hazard of falling.

    Parameters
    ----------
    to_line : ndarray of float, shape (n,)
        Income to line.
    area : ndarray of float, shape (n,)
        What area-wide events add.
    """
    p, counts = t.p, t.counts
    height, peak = p.season
    supported = (t.supported_until > month.first) & t.switches.treatment
    return (
        p.base
        + p.of_lifted * t.lifted
        - p.of_income * np.log2(np.clip(to_line, *p.income_bounds))
        + p.of_chronic * np.minimum(counts["n_chronic"], p.counted)
        + p.of_major * (counts["n_major_illness"] > 0)
        + p.of_disabled * (counts["n_disabled"] > 0)
        + p.of_no_labour * (counts["n_labour"] == 0)
        + p.of_school * np.minimum(count(t.people.beyond_school()), p.counted)
        + p.of_housing * (t.housing >= 2)
        + np.array([p.of_shock[kind] for kind in SHOCKS]) @ np.minimum(t.shocks, p.most_shock)
        + height * np.cos(2 * np.pi * (month.date.month - peak) / 12)
        + area
        + t.unseen
        + np.where(supported, p.of_support, 0.0)
    )


def draw_causes(t: Township, rng: np.random.Generator, rows: Ints) -> Ints:
    """Return what each of the rows falls by: only what can befall it, the likelier what has just hit it."""
    p, members = t.p, t.people
    names = ("n_labour", "n_major_illness", "n_chronic", "n_disabled")
    labour, major, chronic, disabled = (t.counts[name][rows] for name in names)
    worked = anyone(members.earner[rows] & members.jobs.worked[:, rows].any(axis=0))
    after = {kind: factor * t.shocks[SHOCKS.index(kind), rows] for kind, factor in p.cause_after_shock.items()}
    of_major, of_chronic = p.illness_of
    can = {
        "illness": 1 + after["illness"] + of_major * major + of_chronic * chronic,
        "schooling": anyone(members.beyond_school()[rows]),
        "disability": disabled > 0,
        "natural_disaster": 1 + after["disaster"],
        "accident": 1 + after["accident"],
        "industry_failure": t.farms()[rows] * (1 + after["crop_failure"] + after["market"]),
        "unstable_work": worked * (labour > 0) * (1 + after["job_loss"]),
        "labour_shortage": np.where(labour == 0, p.shortage_without_labour, 1.0),
        "unsafe_water": t.tap_trouble[rows],
        "other": np.ones(len(rows)),
    }
    return pick(rng, np.stack([p.causes[cause] * can[cause] for cause in CAUSES], axis=1))


def fall(t: Township, month: Month, hazard: Numbers) -> Numbers:
    """Let households fall by their hazard; return on whom a large bill comes with it."""
    p, rng = t.p, month.rng
    falls = t.at_risk() & (rng.random(t.size) < hazard) & (month.number >= 0)
    day = t.some_day(month)
    rows = np.flatnonzero(falls)
    cause = draw_causes(t, rng, rows)
    t.in_need_since[rows], t.cause[rows] = day[rows], cause
    by = {name: rows[cause == k] for k, name in enumerate(CAUSES)}
    jobs, lose = t.people.jobs, by["unstable_work"]
    last = np.maximum(day[lose, None], jobs.started[lose])
    jobs.ends[lose] = np.where(t.people.employed()[lose], last, -1)
    t.setback[by["industry_failure"]], t.setback_left[by["industry_failure"]] = p.project_failed
    bill = np.zeros(t.size)
    for name, size in p.fallen_bills.items():
        bill[by[name]] = size
    return bill
