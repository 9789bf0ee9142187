"""What is entered of a month: money, shocks, the ledger of jobs, the profiles of households and members."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.datasets.county import people
from relapse_risk.datasets.county.arrays import NEVER, Flags, Ints, Numbers, anyone, code, positions
from relapse_risk.datasets.county.economy import Bills, Money
from relapse_risk.datasets.county.state import SHOCKS, Month, Township
from relapse_risk.records.codes import HOUSEHOLD_TYPE, SEX


def enter_shocks(t: Township, month: Month, begun: dict[str, Flags]) -> None:
    """Apply this month's shocks to the hazard; record part of them, one row per household and kind."""
    for k, kind in enumerate(SHOCKS):
        t.shocks[k] += begun[kind]
        rows = np.flatnonzero(begun[kind] & (month.rng.random(t.size) < t.p.recorded[kind]))
        day = t.some_day(month)[rows]
        known = day + t.late(month, t.p.shocks_after_days)[rows]
        if month.number >= 0:
            t.ledger.add("shocks", rows, day, known, kind=kind)


def enter_money(t: Township, month: Month, money: Money, bills: list[Bills], claims: Numbers) -> None:
    """Enter incomes at the month's end and bills on their days; a month without a wage is entered as such."""
    p, rng, last = t.p, month.rng, month.after - 1
    share, soonest, latest = p.slow_money
    slow = rng.random(t.size) < share
    lag = np.where(slow, rng.integers(soonest, latest, t.size), rng.integers(*p.money_after_days, t.size))
    known = last + lag * t.switches.delay
    earns = anyone(t.people.earner)
    for (source, part), amount in {**money.amounts, ("claim", "poverty_insurance"): claims}.items():
        rows = np.flatnonzero((amount > 0) | (earns & (part == "migrant_work")))
        t.ledger.add(
            "incomes", rows, last, known[rows], source=source, part=-1 if part is None else part,
            amount_yuan=amount[rows],
        )  # fmt: skip
    for bill in bills:
        day = t.some_day(month)[bill.rows]
        entered = day + t.late(month, p.bills_after_days)[bill.rows]
        t.ledger.add(
            "expenses", bill.rows, day, entered, kind=bill.kind, total_yuan=bill.total,
            reimbursed_yuan=bill.reimbursed, self_paid_yuan=bill.self_paid,
        )  # fmt: skip


def enter_jobs(t: Township, month: Month, money: Money) -> None:
    """Enter the ledger of the lifted and the monitored: every member who would work for a wage."""
    jobs, last = t.people.jobs, month.after - 1
    listed = t.lifted | (t.identified_on < NEVER)
    at = rows, slots = np.nonzero(t.people.earner & listed[:, None])
    works, lag = money.pay[at] > 0, t.late(month, t.p.ledger_after_days)
    seeking = ~works & (jobs.seeking_since[at] >= 0) & (jobs.seeking_since[at] <= last)

    def of_job(values: npt.NDArray[Any], missing: float = np.nan) -> npt.NDArray[Any]:
        return np.where(works, values[at], missing)

    t.ledger.add(
        "employment", rows, last, last + lag[rows], person_id=t.people.person[at], employed=works,
        workplace=of_job(jobs.workplace, -1), wage_yuan=of_job(money.pay), one_off_yuan=of_job(money.one_off),
        industry=of_job(jobs.industry, -1), work_status=of_job(jobs.status, -1),
        contract=of_job(jobs.contract, -1), formal=of_job(jobs.formal, 0), channel=of_job(jobs.channel, -1),
        distance_km=of_job(jobs.distance), hours_week=of_job(jobs.hours), started_on=of_job(jobs.started, -1),
        ended_on=of_job(jobs.ends, -1), months_worked=jobs.worked[:, rows, slots].sum(axis=0), seeking=seeking,
        seeking_since=np.where(seeking, jobs.seeking_since[at], -1),
    )  # fmt: skip


def enter_profiles(t: Township, month: Month) -> None:
    """Enter the profiles that changed, some weeks late and in order of time; all of them in the first month."""
    plan = t.place.plan(month.first)
    others = t.dibao, plan.grid, np.full(t.size, plan.since)
    kind = _household_type(t)
    profile = np.column_stack([*t.counts.values(), kind, *others])
    form = people.profiles(t.people, t.p)
    state = np.ones(t.people.here.shape, np.int64)
    for values in form.values():
        state = state * 32 + values + 1
    state *= t.people.here
    new = state != t.last_form
    changed = anyone(new) | (True if t.last_profile is None else (profile != t.last_profile).any(axis=1))
    t.last_profile, t.last_form = profile, state
    rows = np.flatnonzero(changed)
    lag = t.late(month, t.p.profiles_after_days)[rows] if month.number else 0
    t.profile_known_on[rows] = np.maximum(t.profile_known_on[rows], month.first + lag)
    at = pa.array(rows)
    t.ledger.add(
        "households", rows, month.first, t.profile_known_on[rows], grid_id=plan.ids.take(pa.array(plan.grid[rows])),
        village_id=t.place.village_ids.take(pa.array(t.place.village)).take(at),
        township_id=pa.array([t.place.township_id] * len(rows)), household_type=kind[rows],
        lifted_on=t.lifted_on[rows], dibao=t.dibao[rows], housing_grade=t.housing[rows], land_mu=t.land[rows],
        orchard_mu=t.orchard[rows], relocated=t.relocated[rows],
        **{name: count[rows] for name, count in t.counts.items()},
    )  # fmt: skip
    _enter_members(t, month, form, new)


def _household_type(t: Township) -> Ints:
    kinds = {
        "lifted_tekun": t.tekun,
        "lifted_dibao": t.lifted & t.dibao,
        "lifted": t.lifted,
        "monitored": t.identified_on < NEVER,
    }
    return np.select(list(kinds.values()), positions(HOUSEHOLD_TYPE, list(kinds)), code(HOUSEHOLD_TYPE, "ordinary"))


def _enter_members(t: Township, month: Month, form: dict[str, Ints], new: Flags) -> None:
    """Enter the profiles of members that changed, with their household's; of those who left, that they did."""
    at = rows, _ = np.nonzero(new)
    here = t.people.here[at]
    born = np.datetime64(t.p.start, "M") + month.number - t.people.age[at]
    lasting = ("relation", "schooling")
    stated: dict[str, Any] = {
        name: np.where(here | (name in lasting), values[at], -1) for name, values in form.items()
    }
    for name, sets in (("health", people.HEALTH_SETS), ("insurance", people.INSURANCE_SETS)):
        stated[name] = pa.array(sets).take(pa.array(stated[name], mask=~here))
    t.ledger.add(
        "members", rows, month.first, t.profile_known_on[rows], person_id=t.people.person[at], in_household=here,
        sex=np.where(t.people.male[at], *positions(SEX, ["male", "female"])),
        birth_month=pa.array(born.astype("datetime64[D]")), **stated,
    )  # fmt: skip
