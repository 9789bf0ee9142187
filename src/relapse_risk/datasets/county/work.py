"""Who works where, on what terms: finding, keeping and losing a job.

A job is drawn when a person is hired. Its industry, contract and social insurance set its pay and how easily it is
lost, so that those with odd jobs on building sites lose work more often than those with a formal job in a factory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.county.livelihoods import WORKSHOP
from relapse_risk.records.codes import CONTRACT, INDUSTRY, WORK_CHANNEL, WORK_STATUS, WORKPLACE, Codes

if TYPE_CHECKING:
    from relapse_risk.datasets.county.parameters import CountyParameters
    from relapse_risk.datasets.county.people import People

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def code(codes: Codes, name: str) -> int:
    """Return a code's position in its list."""
    return codes.values.index(name)


def positions(codes: Codes, names: list[str]) -> Ints:
    """Return the positions of several codes in their list."""
    return np.array([codes.values.index(name) for name in names])


def pick(rng: np.random.Generator, weights: Numbers) -> Ints:
    """Return one column for each row of weights, drawn in proportion to them."""
    upto = np.cumsum(weights, axis=1)
    return np.minimum((rng.random((len(weights), 1)) * upto[:, -1:] > upto).sum(axis=1), weights.shape[1] - 1)


@dataclass
class Jobs:
    """The job of each member, a row a household and a column a slot; meaningless where there is none.

    Parameters
    ----------
    shape : tuple of int
        Households and slots.
    industry, status, contract, channel, workplace : ndarray of int
        Positions in the code lists; -1 for none.
    formal : ndarray of bool
        The job pays into social insurance.
    distance, hours : ndarray of float
        Kilometres from home; hours a week.
    started, ends : ndarray of int
        Days since 1970-01-01; ``started`` is -1 for those out of work, ``ends`` where no end is known.
    pay, loss : ndarray of float
        Log pay beside the usual; factor on the chance of losing the job.
    wage : ndarray of float
        Pay of the last month in work.
    seeking_since, benefit_left : ndarray of int
        Day since which a person out of work looks for it, or -1; months of unemployment benefit left.
    worked : ndarray of bool, shape (12, n, slots)
        The last twelve months in work, by month number modulo 12.
    """

    shape: tuple[int, int]
    industry: Ints = field(init=False)
    status: Ints = field(init=False)
    contract: Ints = field(init=False)
    channel: Ints = field(init=False)
    workplace: Ints = field(init=False)
    formal: Flags = field(init=False)
    distance: Numbers = field(init=False)
    hours: Numbers = field(init=False)
    started: Ints = field(init=False)
    ends: Ints = field(init=False)
    pay: Numbers = field(init=False)
    loss: Numbers = field(init=False)
    wage: Numbers = field(init=False)
    seeking_since: Ints = field(init=False)
    benefit_left: Ints = field(init=False)
    worked: Flags = field(init=False)

    def __post_init__(self) -> None:
        for name in ("industry", "status", "contract", "channel", "workplace"):
            setattr(self, name, np.full(self.shape, -1, np.int8))
        for name in ("started", "ends", "seeking_since"):
            setattr(self, name, np.full(self.shape, -1, np.int64))
        for name in ("distance", "hours", "pay", "loss", "wage"):
            setattr(self, name, np.zeros(self.shape))
        self.formal = np.zeros(self.shape, bool)
        self.benefit_left = np.zeros(self.shape, np.int8)
        self.worked = np.zeros((12, *self.shape), bool)

    def forget(self, rows: Ints, slots: Ints) -> None:
        """Clear the slots for new persons."""
        self.started[rows, slots] = self.seeking_since[rows, slots] = -1
        self.benefit_left[rows, slots] = 0
        self.worked[:, rows, slots] = False


def hire(
    people: People,
    who: Flags,
    rng: np.random.Generator,
    first: int,
    after: int,
    livelihood: Ints,
    p: CountyParameters,
    measure: str | None = None,
) -> None:
    """Give some members a job that begins between two days.

    Parameters
    ----------
    who : ndarray of bool, shape (n, SLOTS)
        Who starts to work.
    measure : str, optional
        Support measure that found the job: ``employment`` or ``welfare_post``.
    """
    jobs = people.jobs
    at = np.nonzero(who)
    n = len(at[0])
    if not n:
        return
    post = measure == "welfare_post"
    away, male, schooling = people.away[at] & (not post), people.male[at], people.schooling[at]
    table = np.array(list(p.industries.values()))
    share_away, share_home, share_male, pay, no_contract, casual, formal, own, loss = table.T
    weights = loss * np.where(away[:, None], share_away, share_home)  # what is lost more often is found more often
    weights = weights * np.where(male[:, None], share_male, 1 - share_male)
    industry = pick(rng, weights)
    if post:
        industry[:] = list(p.industries).index("public_facilities")
    older = np.where(people.age[at] >= 50 * 12, p.no_contract_older, 1.0)
    without = np.minimum(no_contract[industry] * np.array(p.no_contract_by_schooling)[schooling] * older, 0.97)
    own_account = (rng.random(n) < own[industry]) & (not post)
    unwritten = (rng.random(n) < without) & (not post)
    written = pick(rng, np.tile(list(p.contracts.values()), (n, 1)))
    by_day = rng.random(n) < casual[industry]
    contract = np.where(
        unwritten,
        np.where(by_day, code(CONTRACT, "casual"), code(CONTRACT, "none")),
        positions(CONTRACT, list(p.contracts))[written],
    )
    contract = np.where(post, code(CONTRACT, "fixed_term"), contract)
    insured = ~unwritten & ~own_account & (rng.random(n) < formal[industry] / (1 - no_contract[industry]))
    jobs.industry[at] = positions(INDUSTRY, list(p.industries))[industry]
    jobs.status[at] = np.where(own_account, code(WORK_STATUS, "self_employed"), code(WORK_STATUS, "employee"))
    jobs.contract[at] = np.where(own_account, -1, contract)
    jobs.formal[at] = insured
    jobs.started[at] = rng.integers(first, after, n)
    lasts = np.select(
        [contract == code(CONTRACT, "fixed_term"), contract == code(CONTRACT, "task")],
        [365 * rng.integers(1, 4, n), rng.integers(60, 300, n)],
        0,
    )
    jobs.ends[at] = np.where((lasts > 0) & ~own_account, jobs.started[at] + lasts, -1)
    of_contract = np.array([p.loss_of_contract[name] for name in CONTRACT.values])[contract]
    jobs.loss[at] = loss[industry] * np.where(own_account, p.loss_own_account, of_contract)
    jobs.loss[at] *= np.where(insured, p.loss_formal, 1.0)
    usual = (share_away * pay).sum() / share_away.sum()
    jobs.pay[at] = (
        np.log(pay[industry] / usual) + p.pay_formal * insured + (np.log(p.welfare_post_pay) if post else 0)
    )
    _place(people, at, rng, away, livelihood, p, measure)
    jobs.hours[at] = np.round(rng.normal(p.hours_week[0], p.hours_week[1], n).clip(16, 84))
    jobs.seeking_since[at], jobs.benefit_left[at] = -1, 0


def _place(
    people: People,
    at: tuple[npt.NDArray[Any], ...],
    rng: np.random.Generator,
    away: Flags,
    livelihood: Ints,
    p: CountyParameters,
    measure: str | None,
) -> None:
    """Say where new jobs are and how they were found; the better paid go farther."""
    jobs, n = people.jobs, len(away)
    far = people.level[at] > p.wage_spread * NormalDist().inv_cdf(1 - p.other_province)
    workshop = ~away & (livelihood[at[0]] == WORKSHOP)
    near = workshop | (rng.random(n) < p.home_in_township) | (measure == "welfare_post")
    name = np.where(away, np.where(far, "other_province", "province"), np.where(near, "township", "county"))
    low, high = np.array([p.distance_km[place] for place in name.tolist()]).T
    jobs.workplace[at] = positions(WORKPLACE, name.tolist())
    jobs.distance[at] = np.round(low * (high / low) ** rng.random(n))
    found = positions(WORK_CHANNEL, list(p.channels))
    shares = np.array(list(p.channels.values()))
    channel = found[pick(rng, np.where(away[:, None], shares[:, 0], shares[:, 1]))]
    channel = np.where(workshop, code(WORK_CHANNEL, "workshop"), channel)
    if measure:
        channel[:] = code(WORK_CHANNEL, "organised" if measure == "employment" else "welfare_post")
    jobs.channel[at] = channel


def move_work(
    people: People,
    rng: np.random.Generator,
    hiring: np.random.Generator,
    extra_loss: Numbers,
    first: int,
    after: int,
    livelihood: Ints,
    p: CountyParameters,
) -> tuple[Flags, Numbers]:
    """Let workers lose and find jobs; return the households where one was lost, and their severance pay.

    Parameters
    ----------
    rng, hiring : Generator
        Of this month; of its hires, whose number differs from month to month.
    extra_loss : ndarray of float, shape (n,)
        What area-wide events add to the monthly chance of losing a job.
    """
    jobs, shape = people.jobs, people.age.shape
    employed = people.employed()
    draw = rng.random(shape)
    over = employed & (jobs.ends >= 0) & (jobs.ends < first)
    due = employed & (jobs.ends >= first) & (jobs.ends < after)
    new, old = p.loss_new_and_old
    settled = np.where(first - jobs.started < 365, new, old)
    chance = (p.job_loss_month * settled + extra_loss[:, None]) * jobs.loss
    renewed = due & (draw >= 1 - p.renewed)
    loses = employed & (over | (draw < chance) | (due & ~renewed))
    jobs.ends[renewed & ~loses] += 365
    seeks = people.earner & ~employed & (jobs.seeking_since >= 0) & (jobs.seeking_since < first)
    finds = seeks & (draw < p.job_found_month)
    years = np.clip((first - jobs.started) / 365, 0.5, p.severance_years)
    severance = np.where(loses & ~over & jobs.formal, jobs.wage * years, 0.0).sum(axis=1)
    jobs.benefit_left[loses & jobs.formal] = p.unemployment_months
    jobs.benefit_left[~loses] -= jobs.benefit_left[~loses] > 0
    jobs.started[loses] = -1
    out = people.earner & ~people.employed() & (jobs.seeking_since < 0)
    n = int(out.sum())
    rest = (hiring.random(n) < p.rests_first) * hiring.integers(30, p.rests_days, n)
    jobs.seeking_since[out] = hiring.integers(first, after, n) + rest
    jobs.seeking_since[~people.earner] = -1
    hire(people, finds, hiring, first, after, livelihood, p)
    people.drift = p.wage_persistence * people.drift + rng.normal(0, p.wage_shock, shape)
    return np.asarray(loses.any(axis=1)), np.round(severance)
