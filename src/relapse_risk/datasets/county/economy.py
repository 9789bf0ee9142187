"""What comes in and what is spent, month by month, in yuan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relapse_risk.datasets.county.arrays import Flags, Ints, Numbers, anyone, code, count, total
from relapse_risk.datasets.county.parameters import WORKSHOP, Age
from relapse_risk.datasets.county.state import Month, Township
from relapse_risk.records.codes import WORK_CHANNEL, WORK_STATUS


@dataclass(frozen=True)
class Money:
    """A month's money, in yuan."""

    amounts: dict[tuple[str, str | None], Numbers]  # of households, by source and part of income; costs positive
    pay: Numbers  # of members, from all work
    one_off: Numbers  # the part of it that does not come every month

    def net(self) -> Numbers:
        """Return income less production costs."""
        costs = self.amounts["production_cost", None]
        return np.sum(list(self.amounts.values()), axis=0) - 2 * costs


def earn(t: Township, month: Month, factor: Numbers, severance: Numbers) -> Money:
    """Return a month's money.

    Parameters
    ----------
    factor : ndarray of float, shape (n,)
        What area-wide events leave of income.
    severance : ndarray of float, shape (n,)
        Paid this month.
    """
    p, people, jobs, rng, m = t.p, t.people, t.people.jobs, month.rng, month.date.month
    employed, growth = people.employed(), p.growth_on(month.date)
    noise = np.exp(rng.normal(0, p.wage_noise, people.age.shape))
    place = np.where(people.away, 1.0, t.by_livelihood(p.home_wage)[:, None])
    base = p.wage_month * growth * factor * np.where(t.lifted, p.lifted_wage_factor, 1.0)
    wages = base[:, None] * place * np.exp(people.level + people.drift + jobs.pay) * noise
    wages = np.where(employed, np.clip(np.round(wages), *p.wage_bounds), 0.0)
    jobs.wage = np.where(employed, wages, jobs.wage)
    bonus = np.round(p.bonus_months * wages * (jobs.formal & (m in p.paid_in["bonus"])))
    own = jobs.status == code(WORK_STATUS, "self_employed")
    post = jobs.channel == code(WORK_CHANNEL, "welfare_post")
    own_account = total(wages * own) / (1 - p.cost_share)
    benefits = count((jobs.benefit_left > 0) & ~employed & people.earner)

    luck = np.exp(rng.normal(0, p.farm_luck, t.size)) * np.exp(t.skill) * t.setback * factor
    members = t.counts["n_members"]
    tends = anyone(people.here & (people.age >= Age.LABOUR) & ~employed)
    hours = np.where(tends, 1.0, p.on_the_side)
    orchard, land = (hours * np.minimum(mu, p.tended_mu * members) for mu in (t.orchard, t.land))
    oranges, crops = orchard * p.orange_yuan_mu, land * p.farming_yuan_mu * t.by_livelihood(p.farmed)
    workshop = np.where(t.livelihood == WORKSHOP, p.workshop_month * growth * hours * luck, 0.0)
    expected = (oranges + crops) * growth * np.exp(t.skill)
    spared = np.where(t.setback < 1, p.cost_spared, 1.0)
    spent = expected * spared * p.cost_months.get(m, 0.0) + p.cost_of_workshop * workshop + own_account
    steps = 1.0 + p.benefit_growth * (month.date.year - p.start.year)
    amounts = {
        ("wage", "migrant_work"): total(wages * ~(own | post)),
        ("wage", "welfare_post"): total(wages * post),
        ("wage", "bonus"): total(bonus),
        ("business", "orchard"): oranges * growth * p.orange_sales.get(m, 0.0) * luck,
        ("business", "crops"): crops * growth * p.farm_sales.get(m, 0.0) * luck,
        ("business", "other"): workshop + own_account,
        ("transfer", "pension"): t.counts["n_elderly"] * p.pension_month * steps,
        ("transfer", "dibao"): t.dibao * members * p.dibao_month * steps,
        ("transfer", "tekun"): t.tekun * members * p.tekun_month * steps,
        ("transfer", "land_fertility"): np.full(t.size, p.subsidies_year * steps * (m in p.paid_in["subsidies"])),
        ("transfer", "alimony"): np.where(anyone(employed), 0.0, members * p.alimony_month * growth),
        ("transfer", "severance"): severance,
        ("transfer", "unemployment"): benefits * p.unemployment_month * steps,
        ("property", "land_rent"): t.rents_out * p.property_year * steps * (m in p.paid_in["property"]),
        ("production_cost", None): p.cost_share * spent,
    }
    return Money({key: np.round(amount) for key, amount in amounts.items()}, wages + bonus, bonus)


@dataclass(frozen=True)
class Bills:
    """A month's bills of a kind (a code of EXPENSE_KIND), in yuan, and the households that pay."""

    kind: str
    rows: Ints
    total: Numbers
    reimbursed: Numbers
    self_paid: Numbers


def medical_bills(t: Township, month: Month, costly: Numbers) -> Bills:
    """Return the month's medical bills: of the chronically ill now and then, and of costly illness at once.

    Parameters
    ----------
    costly : ndarray of float, shape (n,)
        How many costly illnesses or accidents begin; 0 for most.
    """
    p, rng, n = t.p, month.rng, t.size
    of_routine, of_costly, _ = p.bill_spread
    chronic = t.counts["n_chronic"]
    routine = rng.random(n) < 1 - (1 - p.routine_bill_month) ** chronic
    small = np.where(routine, p.routine_yuan * np.exp(rng.normal(0, of_routine, n)), 0.0)
    large = costly * p.medical_yuan * np.exp(rng.normal(0, of_costly, n))
    total = np.round((small + large) * p.growth_on(month.date) ** p.bill_growth)
    mean, spread, least, most = p.reimbursed
    share = np.clip(mean + rng.normal(0, spread, n), least, most)
    rows = np.flatnonzero(total > 0)
    reimbursed = np.round(total[rows] * share[rows])
    return Bills("medical", rows, total[rows], reimbursed, np.round((total[rows] - reimbursed) * p.compliant))


def school_bills(t: Township, month: Month) -> Bills:
    """Return the fees of those beyond compulsory school, at the start of each term."""
    p, pupils = t.p, count(t.people.beyond_school())
    fee = np.round(pupils * p.school_yuan * np.exp(month.rng.normal(0, p.bill_spread[2], t.size)))
    rows = np.flatnonzero((fee > 0) & (month.date.month in p.paid_in["school"]))
    return Bills("education", rows, fee[rows], np.zeros(len(rows)), fee[rows])


def claims(t: Township, month: Month, begun: dict[str, Flags]) -> Numbers:
    """Return insurance payouts after some of the shocks."""
    p, rng = t.p, month.rng
    insured = rng.random(t.size) < p.insured
    size = sum((share * begun[kind] for kind, share in p.claimed.items()), np.zeros(t.size))
    return np.round(insured * size * p.claim_yuan * np.exp(rng.normal(0, p.claim_spread, t.size)))
