"""Who works where, on what terms: finding, keeping and losing a job.

A job is drawn when a person is hired. Its industry, contract and social insurance set its pay and how easily it is
lost, so that those with odd jobs on building sites lose work more often than those with a formal job in a factory.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from relapse_risk.datasets.county.arrays import Flags, Index, Ints, Numbers, anyone, code, pick, positions, total
from relapse_risk.datasets.county.parameters import WORKSHOP, Age
from relapse_risk.dates import add_months, to_days
from relapse_risk.records.codes import CONTRACT, INDUSTRY, WORK_CHANNEL, WORK_STATUS, WORKPLACE

if TYPE_CHECKING:
    from relapse_risk.datasets.county.state import Month, Township

DAYS = 365


class Jobs:
    """The job of each member, a row a household and a column a slot; meaningless where there is none."""

    def __init__(self, shape: tuple[int, int]) -> None:
        # positions in the code lists; -1 for none
        self.industry, self.status, self.contract, self.channel, self.workplace = np.full((5, *shape), -1, np.int8)
        self.formal = np.zeros(shape, bool)  # pays into social insurance
        self.distance, self.hours = np.zeros((2, *shape))  # kilometres from home; a week
        self.pay, self.loss = np.zeros((2, *shape))  # log pay beside the usual; factor on the chance of losing it
        # days, -1 for none: start of the job, its end where one is known, start of the search for work
        self.started, self.ends, self.seeking_since = np.full((3, *shape), -1, np.int64)
        self.wage = np.zeros(shape)  # of the last month in work
        self.benefit_left = np.zeros(shape, np.int8)  # months of unemployment benefit
        self.worked = np.zeros((12, *shape), bool)  # in the last twelve months, by month number modulo 12


def found_jobs(t: Township, months_before: int) -> None:
    """Give the first jobs, begun some time before the first month that is lived."""
    people, begins = t.people, int(add_months(to_days(t.p.start), -months_before))
    hire(t, people.earner, t.random(8), begins - 1, begins)
    tenure = t.random(7).exponential(DAYS * t.p.tenure_years, people.here.shape).astype(np.int64)
    of_age = (people.age - Age.LABOUR) * DAYS // Age.YEAR
    people.jobs.started -= np.where(people.employed(), np.minimum(tenure, of_age), 0)


def hire(
    t: Township, who: Flags, rng: np.random.Generator, first: int, after: int, measure: str | None = None
) -> None:
    """Give some members a job that begins between two days.

    Parameters
    ----------
    who : ndarray of bool, shape (n, SLOTS)
        Who starts to work.
    rng : Generator
        Of these hires alone, whose number differs from month to month.
    measure : str, optional
        Support measure that found the job: ``employment`` or ``welfare_post``.
    """
    p, people, jobs = t.p, t.people, t.people.jobs
    at = np.nonzero(who)
    n = len(at[0])
    if not n:
        return
    post = measure == "welfare_post"
    away = people.away[at] & (not post)
    share_away, share_home, share_male, pay, no_contract, casual, formal, own, loss = np.array(
        list(p.industries.values())
    ).T
    weights = loss * np.where(away[:, None], share_away, share_home)  # what is lost more often is found more often
    weights = weights * np.where(people.male[at][:, None], share_male, 1 - share_male)
    industry = pick(rng, weights)
    if post:
        industry[:] = list(p.industries).index("public_facilities")
    contract, own_account = _contracts(t, at, rng, no_contract[industry], casual[industry], own[industry], post)
    written = np.isin(contract, positions(CONTRACT, list(p.contracts)))
    insured = written & ~own_account & (rng.random(n) < (formal / (1 - no_contract))[industry])
    jobs.industry[at] = positions(INDUSTRY, list(p.industries))[industry]
    jobs.status[at] = np.where(own_account, *positions(WORK_STATUS, ["self_employed", "employee"]))
    jobs.contract[at] = np.where(own_account, -1, contract)
    jobs.formal[at] = insured
    jobs.started[at] = rng.integers(first, after, n)
    jobs.ends[at] = -1
    for kind, (unit, least, below) in p.contract_days.items():
        lasts = unit * rng.integers(least, below, n)
        ending = ~own_account & (contract == code(CONTRACT, kind))
        jobs.ends[at] = np.where(ending, jobs.started[at] + lasts, jobs.ends[at])
    of_contract = np.array([p.loss_of_contract[name] for name in CONTRACT.values])[contract]
    jobs.loss[at] = loss[industry] * np.where(own_account, p.loss_own_account, of_contract)
    jobs.loss[at] *= np.where(insured, p.loss_formal, 1.0)
    usual = (share_away * pay).sum() / share_away.sum()
    jobs.pay[at] = np.log(pay[industry] / usual) + p.pay_formal * insured + post * np.log(p.welfare_post_pay)
    _place(t, at, rng, away, measure)
    mean, spread, least_hours, most_hours = p.hours_week
    jobs.hours[at] = np.round(rng.normal(mean, spread, n).clip(least_hours, most_hours))
    jobs.seeking_since[at], jobs.benefit_left[at] = -1, 0


def _contracts(
    t: Township,
    at: Index,
    rng: np.random.Generator,
    unwritten: Numbers,
    casual: Numbers,
    own: Numbers,
    post: bool,
) -> tuple[Ints, Flags]:
    """Return the contract of each hire, and who works on own account."""
    p, n = t.p, len(at[0])
    if post:
        return np.full(n, code(CONTRACT, "fixed_term")), np.zeros(n, bool)
    factor, older_from = p.no_contract_older
    older = np.where(t.people.age[at] >= older_from * Age.YEAR, factor, 1.0)
    without = unwritten * np.array(p.no_contract_by_schooling)[t.people.schooling[at]] * older
    own_account = rng.random(n) < own
    by_word = rng.random(n) < np.minimum(without, p.no_contract_most)
    written = positions(CONTRACT, list(p.contracts))[pick(rng, np.tile(list(p.contracts.values()), (n, 1)))]
    spoken = np.where(rng.random(n) < casual, *positions(CONTRACT, ["casual", "none"]))
    return np.where(by_word, spoken, written), own_account


def _place(t: Township, at: Index, rng: np.random.Generator, away: Flags, measure: str | None) -> None:
    """Say where new jobs are and how they were found; the better paid go farther."""
    p, jobs, n = t.p, t.people.jobs, len(away)
    far = t.people.level[at] > p.wage_spread * NormalDist().inv_cdf(1 - p.other_province)
    workshop = ~away & (t.livelihood[at[0]] == WORKSHOP)
    near = workshop | (rng.random(n) < p.home_in_township) | (measure == "welfare_post")
    place = np.where(
        away,
        np.where(far, *positions(WORKPLACE, ["other_province", "province"])),
        np.where(near, *positions(WORKPLACE, ["township", "county"])),
    )
    low, high = np.array([p.distance_km.get(name, (0.0, 0.0)) for name in WORKPLACE.values])[place].T
    jobs.workplace[at] = place
    jobs.distance[at] = np.round(low * (high / low) ** rng.random(n))
    of_away, of_home = np.array(list(p.channels.values())).T
    channel = positions(WORK_CHANNEL, list(p.channels))[pick(rng, np.where(away[:, None], of_away, of_home))]
    channel = np.where(workshop, code(WORK_CHANNEL, "workshop"), channel)
    by_measure = {"employment": "organised", "welfare_post": "welfare_post"}
    jobs.channel[at] = code(WORK_CHANNEL, by_measure[measure]) if measure else channel


def move_work(t: Township, month: Month, extra_loss: Numbers) -> tuple[Flags, Numbers]:
    """Let workers lose and find jobs; return the households where one was lost, and their severance pay.

    Parameters
    ----------
    extra_loss : ndarray of float, shape (n,)
        What area-wide events add to the monthly chance of losing a job.
    """
    p, people, jobs, rng, first = t.p, t.people, t.people.jobs, month.rng, month.first
    hiring, shape, employed = month.hiring, people.age.shape, people.employed()
    draw, tenure = rng.random(shape), first - jobs.started
    over = employed & (jobs.ends >= 0) & (jobs.ends < first)
    due = employed & (jobs.ends >= first) & (jobs.ends < month.after)
    chance = (p.job_loss_month * np.where(tenure < DAYS, *p.loss_new_and_old) + extra_loss[:, None]) * jobs.loss
    renewed = due & (draw >= 1 - p.renewed)
    loses = employed & (over | (draw < chance) | (due & ~renewed))
    jobs.ends[renewed & ~loses] += DAYS
    seeks = people.earner & ~employed & (jobs.seeking_since >= 0) & (jobs.seeking_since < first)
    years = np.clip(tenure / DAYS, *p.severance_years)
    severance = total(np.where(loses & ~over & jobs.formal, jobs.wage * years, 0.0))
    jobs.benefit_left = np.where(loses & jobs.formal, p.unemployment_months, np.maximum(jobs.benefit_left - 1, 0))
    jobs.started[loses] = -1
    out = people.earner & ~people.employed() & (jobs.seeking_since < 0)
    n = int(out.sum())
    rests = (hiring.random(n) < p.rests_first) * hiring.integers(*p.rests_days, n)
    jobs.seeking_since[out] = hiring.integers(first, month.after, n) + rests
    jobs.seeking_since[~people.earner] = -1
    hire(t, seeks & (draw < p.job_found_month), hiring, first, month.after)
    people.drift = p.wage_persistence * people.drift + rng.normal(0, p.wage_shock, shape)
    return anyone(loses), np.round(severance)
