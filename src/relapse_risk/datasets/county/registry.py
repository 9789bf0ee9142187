"""The registry: how those in need are found, identified, helped and taken off the list again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from relapse_risk.datasets.county import work
from relapse_risk.datasets.county.arrays import NEVER, Flags, Ints, Numbers, anyone, code, positions
from relapse_risk.datasets.county.hazard import CAUSES, draw_causes
from relapse_risk.datasets.county.state import Month, Township
from relapse_risk.dates import add_months, to_days
from relapse_risk.records.codes import MEASURE

#: Kinds of monitored households, by income beside the line and by having been registered poor.
KINDS = ("unstable", "edge", "sudden")
UNSTABLE, EDGE, SUDDEN = range(len(KINDS))
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
#: Measures of development, for households with labour: those that raise business income, and those that are jobs.
BUSINESS, WORK = ("industry", "finance"), ("employment", "welfare_post")
DEVELOPMENT = ("industry", "employment", "finance", "welfare_post")


def enter_status(t: Township, rows: Ints, on: Ints, known: Ints, cause: Ints | None = None) -> None:
    """Enter that households are identified by a cause, or without one that they are off the list."""
    nothing = pa.nulls(len(rows), pa.string())
    risk = nothing if cause is None else pa.array(CAUSES, pa.string()).take(pa.array(cause))
    t.ledger.add("statuses", rows, on, known, poor=cause is not None, origin="registry", risk_types=risk)


def enter_past(t: Township, rng: np.random.Generator) -> None:
    """Enter how the lifted were registered poor and lifted since (建档立卡)."""
    p = t.p
    year = rng.choice(list(p.lifted_years), t.size, p=np.array(list(p.lifted_years.values())))
    year_end = (year - 1969).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) - 1
    t.lifted_on[t.lifted] = year_end[t.lifted]
    rows = np.flatnonzero(t.lifted)
    registered = np.full(len(rows), to_days(p.registered_on))
    enter_status(t, rows, registered, registered, draw_causes(t, rng, rows))
    enter_status(t, rows, t.lifted_on[rows], t.lifted_on[rows])
    rows = np.flatnonzero(t.tekun)
    since = t.lifted_on[rows]
    t.ledger.add("supports", rows, since, since, kind="comprehensive_security", ended_on=-1)


def chance_to_be_found(t: Township, day: int) -> Numbers:
    """Return the monthly chance that someone in need is found."""
    p = t.p
    if not t.switches.selection:
        return np.ones(t.size)
    by_visit = p.found_by_visit * t.place.plan(day).sees() / p.cycle_months
    return 1 - (1 - p.found_otherwise) * (1 - by_visit)


def find(t: Township, month: Month) -> None:
    """Let reports and data comparison find some of those in need, others recover unseen."""
    p, rng = t.p, month.rng
    waits = t.waiting(month.after)
    reported = waits & (rng.random(t.size) < (p.found_otherwise if t.switches.selection else 1.0))
    since = np.where(waits, t.in_need_since, 0)
    day = np.maximum(t.some_day(month), since)
    if not t.switches.delay:
        day = np.where(waits, since, day)
    t.clue_on = np.where(reported, day, t.clue_on)
    over = waits & ~reported & (rng.random(t.size) < p.recovers_unseen_month)
    t.in_need_since = np.where(over, NEVER, t.in_need_since)


def first_wave(t: Township, month: Month, hazard: Numbers) -> None:
    """Put the households nearest to falling on the list in the month the mechanism begins."""
    p, rng = t.p, month.rng
    if not month.first <= to_days(p.first_wave_on) < month.after:
        return
    nearness = np.log(hazard) + rng.gumbel(0, p.first_wave_noise, t.size)
    n = round(p.first_wave_share * t.size)
    rows = np.argsort(-np.where(t.at_risk(), nearness, -np.inf), kind="stable")[:n]
    within, need_before, clue_before = p.first_wave_days
    on = to_days(p.first_wave_on) + rng.integers(0, within, t.size)[rows]
    t.in_need_since[rows], t.clue_on[rows] = on - need_before, on - clue_before
    t.cause[rows] = draw_causes(t, rng, rows)


def identify(t: Township, month: Month) -> None:
    """Turn clues that are old enough into identifications, with measures within the month."""
    wait = t.late(month, t.p.clue_to_identification_days)
    rows = np.flatnonzero((t.clue_on < NEVER) & ~t.monitored() & (t.clue_on + wait < month.after))
    if not rows.size:
        return
    on = np.clip((t.clue_on + wait)[rows], month.first, month.after - 1)
    known = on + t.late(month, t.p.entered_after_days)[rows]
    to_line = t.income_to_line(month.date)[rows]
    t.identified_on[rows] = on
    t.eliminated_on[rows] = t.in_need_since[rows] = t.clue_on[rows] = NEVER
    idle = (t.counts["n_labour"][rows] == 0) | ~anyone(t.people.earner[rows])
    unstable = t.cause[rows] == CAUSES.index(
        "unstable_work"
    )  # refused by the national checks where there is no labour
    t.cause[rows] = cause = np.where(unstable & idle, CAUSES.index("labour_shortage"), t.cause[rows])
    t.kind[rows] = np.where(to_line >= 1, SUDDEN, np.where(t.lifted[rows], UNSTABLE, EDGE))
    enter_status(t, rows, on, known, cause)
    _help(t, month, rows, on, to_line < 1.0)


def _help(t: Township, month: Month, rows: Ints, on: Ints, poor: Flags) -> None:
    """Begin a measure against the cause, and one of development where there is labour."""
    p, rng = t.p, month.rng
    kinds = positions(MEASURE, [MEASURES[name] for name in CAUSES])[t.cause[rows]]
    begins = on + rng.integers(*p.support_begins, t.size)[rows]
    support(t, month, rows, begins, kinds)
    development = _development(t, rng, rows)
    two = (t.counts["n_labour"][rows] > 0) & (development != kinds)
    later = rng.integers(0, p.development_after, t.size)[rows]
    support(t, month, rows[two], (begins + later)[two], development[two])
    t.developed[rows] = two | np.isin(kinds, positions(MEASURE, DEVELOPMENT))
    t.supported_until[rows] = NEVER
    guaranteed = poor & ~t.tekun[rows] & (rng.random(t.size)[rows] < p.dibao_after_identification)
    if t.switches.treatment:
        t.dibao[rows[guaranteed]] = True
        for measure in WORK:
            _employ(t, month, rows[two & (development == code(MEASURE, measure))], measure)
        raised = rows[two & np.isin(development, positions(MEASURE, BUSINESS))]
        t.skill[raised] = np.minimum(t.skill[raised] + p.industry_raises, p.skill[2])


def _development(t: Township, rng: np.random.Generator, rows: Ints) -> Ints:
    """Return a measure of development for each of the rows."""
    return positions(MEASURE, DEVELOPMENT)[rng.integers(0, len(DEVELOPMENT), t.size)[rows]]


def develop(t: Township, month: Month) -> None:
    """Begin a measure of development where labour came to those on the list later, as the form asks."""
    rows = np.flatnonzero(t.monitored() & (t.counts["n_labour"] > 0) & ~t.developed)
    kinds = _development(t, month.rng, rows)
    support(t, month, rows, t.some_day(month)[rows], kinds)
    t.developed[rows] = True


def _employ(t: Township, month: Month, rows: Ints, measure: str) -> None:
    """Give one member able to work and without a job one that a measure found."""
    idle = t.people.labour()[rows] & ~t.people.employed()[rows]
    some = anyone(idle)
    at = rows[some], idle[some].argmax(axis=1)
    t.people.earner[at] = True
    hired = np.zeros(t.people.here.shape, bool)
    hired[at] = True
    work.hire(t, hired, t.random(10, month.first, code(MEASURE, measure)), month.first, month.after, measure)


def support(t: Township, month: Month, rows: Ints, begins: Ints, kinds: Ints) -> None:
    """Enter measures that begin."""
    known = begins + t.late(month, t.p.supports_after_days)[rows]
    t.ledger.add("supports", rows, begins, known, kind=kinds, ended_on=-1)
    t.open_measures += list(zip(rows.tolist(), begins.tolist(), kinds.tolist(), strict=True))


def eliminate(t: Township, month: Month) -> None:
    """Take households off the list whose risk is gone: six months at least, labour, income, no dropout."""
    p, rng, people = t.p, month.rng, t.people
    earliest = add_months(np.where(t.monitored(), t.identified_on, 0), p.earliest_elimination_months)
    chance = np.array([p.elimination_month[kind] for kind in KINDS])[t.kind]
    day = t.some_day(month)
    ready = t.monitored() & (earliest <= day) & (rng.random(t.size) < chance)
    ready &= (t.counts["n_labour"] > 0) & ~anyone(people.dropout & people.here)
    ready &= t.income_to_line(month.date) >= 1.0
    rows = np.flatnonzero(ready)
    enter_status(t, rows, day[rows], day[rows] + t.late(month, p.entered_after_days)[rows])
    t.eliminated_on[rows] = day[rows]
    stays = rng.random(t.size)[rows] < p.support_stays
    end_supports(t, month, rows, day[rows] + np.where(stays, *p.support_days))


def end_supports(t: Township, month: Month, rows: Ints, ends: Ints) -> None:
    """Enter the days on which running measures of some households end, as later versions of their rows."""
    t.supported_until[rows] = ends
    end_of = dict(zip(rows.tolist(), ends.tolist(), strict=True))
    ending = [(h, begun, kind) for h, begun, kind in t.open_measures if h in end_of and begun < end_of[h]]
    t.open_measures = [row for row in t.open_measures if row[0] not in end_of]
    if ending:
        rows, begun, kinds = (np.array(column) for column in zip(*ending, strict=True))
        last = np.array([end_of[h] for h in rows.tolist()])
        soonest, latest = t.p.supports_after_days  # the end is entered after the beginning was
        known = last + t.late(month, (latest, 2 * latest - soonest))[rows]
        t.ledger.add("supports", rows, begun, known, kind=kinds, ended_on=last)


def support_the_lifted(t: Township, month: Month, hazard: Numbers) -> None:
    """Give some lifted households a year's measure each spring, the more so the nearer they are to falling."""
    p, rng = t.p, month.rng
    if month.date.month not in p.paid_in["development"]:
        return
    chosen = t.lifted & ~t.monitored() & (t.supported_until < month.first)
    near = hazard > np.quantile(hazard, p.nearest)
    seldom, often = p.lifted_supported
    rows = np.flatnonzero(chosen & (rng.random(t.size) < np.where(near, often, seldom)))
    begins = t.some_day(month)[rows]
    support(t, month, rows, begins, _development(t, rng, rows))
    end_supports(t, month, rows, begins + p.support_days[0])
