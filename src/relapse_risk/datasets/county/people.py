"""Who lives in a household: ages, health, school and work of each member, month by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.county.livelihoods import LIVELIHOODS, MIGRANT
from relapse_risk.datasets.county.parameters import CountyParameters

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]

#: Members a household can have.
SLOTS = 9
YEAR = 12
SCHOOL_FROM, COMPULSORY_UNTIL, ADULT, COLLEGE_UNTIL = 6 * YEAR, 16 * YEAR, 18 * YEAR, 22 * YEAR
LABOUR_FROM, LABOUR_UNTIL, ELDERLY = 16 * YEAR, 65 * YEAR, 60 * YEAR


@dataclass
class People:
    """Members, a row a household and a column a slot.

    Parameters
    ----------
    age : ndarray of int, shape (n, SLOTS)
        Months.
    here, chronic, major, disabled, beyond, earner, employed, away, dropout : ndarray of bool, same shape
        In the household; ill for long; gravely ill; disabled; goes on past compulsory school; would work for a
        wage; does so; far from home; left compulsory school.
    level, drift : ndarray of float, same shape
        Log wage beside the usual: a worker's own, and what has come of shocks that last.
    """

    age: npt.NDArray[np.int32]
    here: Flags
    chronic: Flags
    major: Flags
    disabled: Flags
    beyond: Flags
    earner: Flags
    employed: Flags
    away: Flags
    dropout: Flags
    level: Numbers
    drift: Numbers

    def student(self) -> Flags:
        """Return who is at school."""
        compulsory = (self.age >= SCHOOL_FROM) & (self.age < COMPULSORY_UNTIL) & ~self.dropout
        return self.here & (compulsory | self.beyond_school())

    def beyond_school(self) -> Flags:
        """Return who is at high school or college, whose fees count as rigid spending."""
        return self.here & self.beyond & (self.age >= COMPULSORY_UNTIL) & (self.age < COLLEGE_UNTIL)

    def labour(self) -> Flags:
        """Return who is able to work."""
        of_age = (self.age >= LABOUR_FROM) & (self.age < LABOUR_UNTIL)
        return self.here & of_age & ~self.student() & ~self.disabled & ~self.major

    def counts(self) -> npt.NDArray[np.int64]:
        """Return members, labour, students, elderly, chronic, major and disabled, shape (n, 7)."""
        elderly = self.here & (self.age >= ELDERLY)
        groups = (self.here, self.labour(), self.student(), elderly, self.chronic, self.major, self.disabled)
        return np.stack([(group & self.here).sum(axis=1) for group in groups], axis=1)


def settle(
    rng: np.random.Generator, lifted: Flags, livelihood: npt.NDArray[np.int64], p: CountyParameters
) -> People:
    """Return the members of new households."""
    n = len(lifted)
    mean = np.where(lifted, p.size_lifted, p.size_ordinary)
    size = 1 + rng.binomial(SLOTS - 1, (mean - 1) / (SLOTS - 1))
    slot = np.arange(SLOTS)
    head = np.clip(rng.normal(52, 13, (n, 1)), 22, 84)
    generation = rng.choice([-26.0, 0.0, 26.0, 51.0], (n, SLOTS), p=[0.14, 0.08, 0.38, 0.40])
    age = head - generation + rng.normal(0, 4, (n, SLOTS))
    age[:, 0] = head[:, 0]
    age[:, 1] = head[:, 0] - 2 + rng.normal(0, 3, n)
    age = np.where(age > 92, head - 27, age)
    age = np.where(age < 0, rng.uniform(0, 17, (n, SLOTS)), age)
    months = (age * YEAR).astype(np.int32)
    here = slot < size[:, None]
    old = np.interp(age, [0, 30, 50, 70], [0.1, 0.4, 1.1, 2.4])
    of_lifted = lifted[:, None]
    chronic = rng.random((n, SLOTS)) < np.where(of_lifted, p.chronic_lifted, p.chronic_ordinary) * old
    major = rng.random((n, SLOTS)) < np.where(of_lifted, p.major_lifted, p.major_ordinary) * old
    disabled = rng.random((n, SLOTS)) < np.where(of_lifted, p.disabled_lifted, p.disabled_ordinary) * old
    people = People(
        age=months,
        here=here,
        chronic=chronic & here,
        major=major & here,
        disabled=disabled & here,
        beyond=rng.random((n, SLOTS)) < p.beyond_school,
        earner=np.zeros((n, SLOTS), bool),
        employed=np.zeros((n, SLOTS), bool),
        away=np.zeros((n, SLOTS), bool),
        dropout=np.zeros((n, SLOTS), bool),
        level=rng.normal(0, p.wage_spread, (n, SLOTS)),
        drift=rng.normal(0, p.wage_shock / np.sqrt(1 - p.wage_persistence**2), (n, SLOTS)),
    )
    labour = people.labour()
    rank = np.cumsum(labour, axis=1)
    first, second = _chance_to_earn(livelihood, p)
    chance = np.where(rank == 1, first[:, None], np.where(rank == 2, second[:, None], 0.0))
    people.earner = labour & (rng.random((n, SLOTS)) < chance)
    people.employed = people.earner.copy()
    people.away = people.earner & (livelihood == MIGRANT)[:, None]
    return people


def _chance_to_earn(livelihood: npt.NDArray[np.int64], p: CountyParameters) -> tuple[Numbers, Numbers]:
    """Return the chance that the first and the second member able to work earn a wage, by livelihood."""
    first, second = np.array([p.earns[name] for name in LIVELIHOODS])[livelihood].T
    return first, second


def live_a_month(
    people: People,
    rng: np.random.Generator,
    livelihood: npt.NDArray[np.int64],
    lured: Numbers,
    p: CountyParameters,
) -> Flags:
    """Age, bear, bury, fall ill, leave school, start to work, move away; return whom a death cost an earner.

    Parameters
    ----------
    lured : ndarray of float, shape (n,)
        Factor on the chance that a member goes to work far from home.
    """
    shape = people.age.shape
    people.age = people.age + 1
    chance = np.interp(people.age / YEAR, list(p.deaths_by_age), list(p.deaths_by_age.values())) / YEAR
    chance = np.where(people.major, 4 * chance + 0.002, chance)
    dies = np.asarray(people.here & (rng.random(shape) < chance))
    left = np.asarray((people.here & ~dies).any(axis=1))
    dies = np.asarray(dies & left[:, None])  # a household that dies out is not followed
    bereaved = np.asarray((dies & people.earner & people.employed).any(axis=1))
    people.here = np.asarray(people.here & ~dies)
    _bear(people, rng, p)
    falls_ill = people.here & (people.age > 40 * YEAR) & (rng.random(shape) < p.onset_chronic_per_year / YEAR)
    people.chronic = np.asarray(people.chronic | falls_ill)
    poor_and_young = people.here & (people.age >= 12 * YEAR) & (people.age < COMPULSORY_UNTIL)
    people.dropout |= poor_and_young & (rng.random(shape) < p.dropout_month)
    back = rng.random(shape) < p.back_to_school_month
    people.dropout &= ~back & (people.age < COMPULSORY_UNTIL)
    first, _ = _chance_to_earn(livelihood, p)
    grown = people.here & (people.age == np.where(people.beyond, COLLEGE_UNTIL, ADULT))
    people.earner |= grown & (rng.random(shape) < 0.7 * first[:, None])
    idle = people.labour() & ~people.earner.any(axis=1, keepdims=True)
    people.earner |= idle & (rng.random(shape) < 0.02 * first[:, None])
    _move_away(people, rng, livelihood, lured, p)
    people.earner &= people.labour()
    people.employed &= people.earner
    people.away &= people.earner
    people.chronic, people.major, people.disabled = (
        np.asarray(state & people.here) for state in (people.chronic, people.major, people.disabled)
    )
    return bereaved


def _move_away(
    people: People,
    rng: np.random.Generator,
    livelihood: npt.NDArray[np.int64],
    lured: Numbers,
    p: CountyParameters,
) -> None:
    """Let members go to work far from home, come back when older, or leave for good."""
    shape = people.age.shape
    idle = people.labour() & ~people.earner & (people.age < 50 * YEAR)
    goes = idle & (rng.random(shape) < p.migration_month * lured[:, None])
    back = people.away & (people.age >= 50 * YEAR) & (rng.random(shape) < p.migrant_returns_month)
    people.earner = np.asarray((people.earner | goes) & ~back)
    people.away = np.asarray((people.away | goes | (people.earner & (livelihood == MIGRANT)[:, None])) & ~back)
    child = np.arange(shape[1]) >= 2  # not the head, nor the spouse
    young = people.here & child & (people.age >= 20 * YEAR) & (people.age < 30 * YEAR) & ~people.disabled
    leaves = np.asarray(young & (rng.random(shape) < p.leaves_per_year / YEAR))
    adults_stay = np.asarray((people.here & (people.age >= ADULT) & ~leaves).any(axis=1))
    people.here = np.asarray(people.here & ~(leaves & adults_stay[:, None]))


def _bear(people: People, rng: np.random.Generator, p: CountyParameters) -> None:
    young = people.here & (people.age >= 20 * YEAR) & (people.age < 40 * YEAR)
    free = ~people.here
    born = young.any(axis=1) & free.any(axis=1) & (rng.random(len(young)) < p.births_per_year / YEAR)
    rows = np.flatnonzero(born)
    slots = free[rows].argmax(axis=1)
    people.here[rows, slots] = True
    people.age[rows, slots] = 0
    own = (people.chronic, people.major, people.disabled, people.earner, people.employed, people.away)
    for state in (*own, people.dropout):
        state[rows, slots] = False
