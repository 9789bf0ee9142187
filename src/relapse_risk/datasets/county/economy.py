"""What comes in and what is spent, month by month, in yuan."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.county.livelihoods import LIVELIHOODS, WORKSHOP
from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.people import ELDERLY, LABOUR_FROM, People
from relapse_risk.datasets.county.work import code
from relapse_risk.records.codes import WORK_CHANNEL, WORK_STATUS

Numbers = npt.NDArray[np.float64]

SUBSIDIES_MONTH, PROPERTY_MONTH, BONUS_MONTH = 6, 12, 1
TERMS = (3, 9)
#: Parts of a month's money, in the order of ``Money.amounts``.
STREAMS = (
    ("wage", "migrant_work"),
    ("wage", "welfare_post"),
    ("wage", "bonus"),
    ("business", "orchard"),
    ("business", "crops"),
    ("business", "other"),
    ("transfer", "pension"),
    ("transfer", "dibao"),
    ("transfer", "tekun"),
    ("transfer", "land_fertility"),
    ("transfer", "alimony"),
    ("transfer", "severance"),
    ("transfer", "unemployment"),
    ("property", "land_rent"),
    ("production_cost", None),
)


@dataclass
class Holdings:
    """What a household lives from.

    Parameters
    ----------
    livelihood : ndarray of int
        Position in ``LIVELIHOODS``.
    land, orchard : ndarray of float
        Mu.
    dibao, tekun : ndarray of bool
        Receives the subsistence allowance; destitute support.
    rents : ndarray of bool
        Rents land out or draws dividends.
    skill : ndarray of float
        Log of business income beside the usual.
    setback : ndarray of float
        Factor on business income, 1 in ordinary times.
    """

    livelihood: npt.NDArray[np.int64]
    land: Numbers
    orchard: Numbers
    dibao: npt.NDArray[np.bool_]
    tekun: npt.NDArray[np.bool_]
    rents: npt.NDArray[np.bool_]
    skill: Numbers
    setback: Numbers


@dataclass(frozen=True)
class Money:
    """A month's money of each household.

    Parameters
    ----------
    amounts : ndarray of float, shape (n_streams, n)
        By stream; costs positive.
    pay, one_off : ndarray of float, shape (n, SLOTS)
        By member: pay of the month from all work, and the part of it that does not come every month.
    """

    amounts: Numbers
    pay: Numbers
    one_off: Numbers

    def net(self) -> Numbers:
        """Return income less production costs."""
        return self.amounts[:-1].sum(axis=0) - self.amounts[-1]


def earn(
    people: People,
    has: Holdings,
    rng: np.random.Generator,
    month: dt.date,
    factor: Numbers,
    lifted: npt.NDArray[np.bool_],
    severance: Numbers,
    p: CountyParameters,
) -> Money:
    """Return a month's money.

    Parameters
    ----------
    people, has
        The households.
    rng : Generator
        Of this month.
    month : date
        Its first day.
    factor : ndarray of float, shape (n,)
        What area-wide events leave of income.
    lifted : ndarray of bool, shape (n,)
        Lifted households.
    severance : ndarray of float, shape (n,)
        Paid this month.
    p : CountyParameters
        Numbers.
    """
    n = len(factor)
    growth = _growth(p, month)
    noise = np.exp(rng.normal(0, p.wage_noise, people.age.shape))
    at_home = np.array([p.home_wage[name] for name in LIVELIHOODS])[has.livelihood]
    place = np.where(people.away, 1.0, at_home[:, None])
    base = p.wage_month * growth * factor * np.where(lifted, p.lifted_wage_factor, 1.0)
    employed, jobs = people.employed(), people.jobs
    wages = base[:, None] * place * np.exp(people.level + people.drift + jobs.pay) * noise
    wages = np.where(employed, np.clip(np.round(wages), *p.wage_bounds), 0.0)
    jobs.wage = np.where(employed, wages, jobs.wage)
    bonus = np.round(p.bonus_months * wages * (jobs.formal & (month.month == BONUS_MONTH)))
    own = jobs.status == code(WORK_STATUS, "self_employed")
    post = jobs.channel == code(WORK_CHANNEL, "welfare_post")
    own_account = (wages * own).sum(axis=1) / (1 - p.cost_share)
    benefits = ((jobs.benefit_left > 0) & ~employed & people.earner).sum(axis=1)
    luck = np.exp(rng.normal(0, 0.2, n)) * np.exp(has.skill) * has.setback * factor
    m = month.month
    members = people.here.sum(axis=1)
    tends = (people.here & (people.age >= LABOUR_FROM) & ~employed).any(axis=1)
    hours = np.where(tends, 1.0, p.on_the_side)
    orchard, land = (hours * np.minimum(mu, p.tended_mu * members) for mu in (has.orchard, has.land))
    orange = orchard * p.orange_yuan_mu * growth * p.orange_sales.get(m, 0.0) * luck
    farms = np.array([p.farmed[name] for name in LIVELIHOODS])[has.livelihood]
    crops = land * p.farming_yuan_mu * growth * farms * p.farm_sales.get(m, 0.0) * luck
    workshop = np.where(has.livelihood == WORKSHOP, p.workshop_month * growth * hours * luck, 0.0)
    expected = (orchard * p.orange_yuan_mu + land * p.farming_yuan_mu * farms) * growth * np.exp(has.skill)
    spared = np.where(has.setback < 1, 0.5, 1.0)  # a lost harvest is not picked
    cost = p.cost_share * (expected * spared * p.cost_months.get(m, 0.0) + 0.5 * workshop + own_account)
    elderly = (people.here & (people.age >= ELDERLY)).sum(axis=1)
    steps = 1.0 + 0.05 * (month.year - 2020)
    amounts = np.stack(
        [
            (wages * ~(own | post)).sum(axis=1),
            (wages * post).sum(axis=1),
            bonus.sum(axis=1),
            orange,
            crops,
            workshop + own_account,
            elderly * p.pension_month * steps,
            has.dibao * members * p.dibao_month * steps,
            has.tekun * members * p.tekun_month * steps,
            np.full(n, p.subsidies_year * steps if m == SUBSIDIES_MONTH else 0.0),
            np.where(employed.any(axis=1), 0.0, members * p.alimony_month * growth),
            severance,
            benefits * p.unemployment_month * steps,
            has.rents * (p.property_year * 2.0 * steps if m == PROPERTY_MONTH else 0.0),
            cost,
        ]
    )
    return Money(np.round(amounts), wages + bonus, bonus)


def _growth(p: CountyParameters, month: dt.date) -> float:
    """Return the level of nominal income in a month, between the years' levels."""
    this, following = p.income_growth(month.year), p.income_growth(month.year + 1)
    return this + (following - this) * (month.month - 1) / 12 * 0.5


@dataclass(frozen=True)
class Bills:
    """Medical or school bills of a month.

    Parameters
    ----------
    kind : str
        Code of the expense.
    household : ndarray of int
        Who pays.
    total, reimbursed, self_paid : ndarray of float
        Yuan.
    """

    kind: str
    household: npt.NDArray[np.int64]
    total: Numbers
    reimbursed: Numbers
    self_paid: Numbers


def medical_bills(
    people: People, rng: np.random.Generator, costly: Numbers, month: dt.date, p: CountyParameters
) -> Bills:
    """Return the month's medical bills: of the chronically ill now and then, and of costly illness at once.

    Parameters
    ----------
    costly : ndarray of float, shape (n,)
        How many costly illnesses or accidents begin; 0 for most.
    """
    n = len(costly)
    growth = _growth(p, month) ** 0.5
    chronic = (people.chronic & people.here).sum(axis=1)
    routine = rng.random(n) < 1 - (1 - p.routine_bill_month) ** chronic
    small = np.where(routine, p.routine_yuan * np.exp(rng.normal(0, 0.6, n)), 0.0)
    large = costly * p.medical_yuan * np.exp(rng.normal(0, 0.7, n))
    total = np.round((small + large) * growth)
    share = np.clip(p.reimbursed + rng.normal(0, 0.1, n), 0.3, 0.95)
    rows = np.flatnonzero(total > 0)
    reimbursed = np.round(total[rows] * share[rows])
    compliant = np.round((total[rows] - reimbursed) * 0.9)
    return Bills("medical", rows, total[rows], reimbursed, compliant)


def school_bills(people: People, rng: np.random.Generator, month: dt.date, p: CountyParameters) -> Bills:
    """Return the fees of those beyond compulsory school, at the start of each term."""
    pupils = people.beyond_school().sum(axis=1)
    fee = np.round(pupils * p.school_yuan * np.exp(rng.normal(0, 0.25, len(pupils))))
    rows = np.flatnonzero((fee > 0) & (month.month in TERMS))
    zero = np.zeros(len(rows))
    return Bills("education", rows, fee[rows], zero, fee[rows])
