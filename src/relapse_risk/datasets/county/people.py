"""Who lives in a household: ages, health, school and work of each member, month by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.county.livelihoods import LIVELIHOODS, MIGRANT
from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.work import Jobs, code, pick
from relapse_risk.records.codes import LABOUR_SKILL, RELATION, SCHOOL_STAGE, SCHOOLING

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]

#: Members a household can have.
SLOTS = 9
YEAR = 12
SCHOOL_FROM, COMPULSORY_UNTIL, ADULT, COLLEGE_UNTIL = 6 * YEAR, 16 * YEAR, 18 * YEAR, 22 * YEAR
LABOUR_FROM, LABOUR_UNTIL, ELDERLY, WEAK_UNTIL = 16 * YEAR, 65 * YEAR, 60 * YEAR, 75 * YEAR


@dataclass
class People:
    """Members, a row a household and a column a slot.

    Parameters
    ----------
    age : ndarray of int, shape (n, SLOTS)
        Months.
    here, chronic, major, disabled, beyond, earner, away, dropout : ndarray of bool, same shape
        In the household; ill for long; gravely ill; disabled; goes on past compulsory school; would work for a
        wage; works far from home; left compulsory school.
    level, drift : ndarray of float, same shape
        Log wage beside the usual: a worker's own, and what has come of shocks that last.
    person : ndarray of int, same shape
        Number of the person in the township; a slot is reused by a newborn child, a number never is.
    male, skilled : ndarray of bool, same shape
        Sex; skilled.
    relation, schooling : ndarray of int, same shape
        Positions in the code lists: relation to the head; the schooling a person has finished in the end.
    prudence : ndarray of float, same shape
        Between 0 and 1: those at the low end are uninsured, those at the high end insure themselves further.
    jobs : Jobs
        Their work.
    """

    age: npt.NDArray[np.int32]
    here: Flags
    chronic: Flags
    major: Flags
    disabled: Flags
    beyond: Flags
    earner: Flags
    away: Flags
    dropout: Flags
    level: Numbers
    drift: Numbers
    person: npt.NDArray[np.int64]
    male: Flags
    skilled: Flags
    relation: npt.NDArray[np.int64]
    schooling: npt.NDArray[np.int64]
    prudence: Numbers
    jobs: Jobs

    def employed(self) -> Flags:
        """Return who is in work."""
        return np.asarray(self.jobs.started >= 0)

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
        away=np.zeros((n, SLOTS), bool),
        dropout=np.zeros((n, SLOTS), bool),
        level=rng.normal(0, p.wage_spread, (n, SLOTS)),
        drift=rng.normal(0, p.wage_shock / np.sqrt(1 - p.wage_persistence**2), (n, SLOTS)),
        person=np.arange(n * SLOTS).reshape(n, SLOTS),
        male=np.zeros((n, SLOTS), bool),
        skilled=np.zeros((n, SLOTS), bool),
        relation=_relations(rng, generation, age),
        schooling=np.zeros((n, SLOTS), np.int64),
        prudence=rng.random((n, SLOTS)),
        jobs=Jobs((n, SLOTS)),
    )
    _sex_and_schooling(people, rng, np.ones((n, SLOTS), bool), p)
    people.male[:, 0] = rng.random(n) < p.male_heads
    people.male[:, 1] = ~people.male[:, 0]
    labour = people.labour()
    rank = np.cumsum(labour, axis=1)
    first, second = _chance_to_earn(livelihood, p)
    chance = np.where(rank == 1, first[:, None], np.where(rank == 2, second[:, None], 0.0))
    people.earner = labour & (rng.random((n, SLOTS)) < chance)
    people.away = people.earner & (livelihood == MIGRANT)[:, None]
    return people


def _relations(rng: np.random.Generator, generation: Numbers, age: Numbers) -> npt.NDArray[np.int64]:
    """Return each member's relation to the head: the first two are head and spouse, others go by generation."""
    by_marriage = rng.random(generation.shape) < 0.3
    names = np.select(
        [generation < 0, generation == 0, generation < 30],
        [
            np.where(by_marriage, "parent_in_law", "parent"),
            np.where(by_marriage, "other_kin", "sibling"),
            np.where(by_marriage & (age >= 24), "child_in_law", "child"),
        ],
        "grandchild",
    )
    order = np.argsort(RELATION.values)
    relation = order[np.searchsorted(RELATION.values, names, sorter=order)]
    relation[:, :2] = code(RELATION, "head"), code(RELATION, "spouse")
    return relation


def _sex_and_schooling(people: People, rng: np.random.Generator, who: Flags, p: CountyParameters) -> None:
    """Draw the sex, the schooling in the end and the skill of some members: those who are new."""
    n = int(who.sum())
    people.male[who] = rng.random(n) < p.male
    years = people.age[who] // YEAR
    shares = np.array(list(p.schooling_by_age.values()))
    drawn = pick(rng, shares[np.searchsorted(list(p.schooling_by_age), years, side="right") - 1])
    college = np.where(rng.random(n) < p.university, code(SCHOOLING, "university"), code(SCHOOLING, "college"))
    ahead = np.where(people.beyond[who], college, code(SCHOOLING, "junior"))
    people.schooling[who] = np.where(years * YEAR < COLLEGE_UNTIL, ahead, drawn)
    people.skilled[who] = rng.random(n) < np.array(p.skilled_by_schooling)[people.schooling[who]]


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
    free = ~people.here
    left = np.asarray((people.here & ~dies).any(axis=1))
    dies = np.asarray(dies & left[:, None])  # a household that dies out is not followed
    bereaved = np.asarray((dies & people.earner & people.employed()).any(axis=1))
    people.here = np.asarray(people.here & ~dies)
    _bear(people, rng, free, p)
    falls_ill = people.here & (people.age > 40 * YEAR) & (rng.random(shape) < p.onset_chronic_per_year / YEAR)
    people.chronic = np.asarray(people.chronic | falls_ill)
    poor_and_young = people.here & (people.age >= 12 * YEAR) & (people.age < COMPULSORY_UNTIL)
    people.dropout |= poor_and_young & (rng.random(shape) < p.dropout_month)
    back = rng.random(shape) < p.back_to_school_month
    never = people.dropout & (people.age == COMPULSORY_UNTIL)
    people.schooling[never] = code(SCHOOLING, "primary")
    people.beyond &= ~never
    people.dropout &= ~back & (people.age < COMPULSORY_UNTIL)
    first, _ = _chance_to_earn(livelihood, p)
    grown = people.here & (people.age == np.where(people.beyond, COLLEGE_UNTIL, ADULT))
    people.earner |= grown & (rng.random(shape) < 0.7 * first[:, None])
    idle = people.labour() & ~people.earner.any(axis=1, keepdims=True)
    people.earner |= idle & (rng.random(shape) < 0.02 * first[:, None])
    _move_away(people, rng, livelihood, lured, p)
    people.earner &= people.labour()
    people.jobs.started[~people.earner] = -1
    people.away &= people.earner
    _name_heads(people)
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


#: Relation to the new head by that to the old one, where the spouse or a child becomes head; others are other kin.
AFTER_HEAD = {
    "spouse": {
        "child": "child", "child_in_law": "child_in_law", "grandchild": "grandchild", "parent": "parent_in_law",
        "parent_in_law": "parent",
    },
    "child": {
        "child": "sibling", "spouse": "parent", "grandchild": "child", "parent": "grandparent",
        "parent_in_law": "grandparent",
    },
}  # fmt: skip


def _name_heads(people: People) -> None:
    """Let the spouse, a child or else the eldest member become head where the head is gone."""
    head, spouse, child = (code(RELATION, name) for name in ("head", "spouse", "child"))
    rows = np.flatnonzero(~((people.relation == head) & people.here).any(axis=1))
    here, relation = people.here[rows], people.relation[rows]
    adult = here & (people.age[rows] >= ADULT)
    rank = np.where(relation == spouse, 3, np.where(relation == child, 2, 1)) * (10**6 * adult + 1) * here
    slot = (rank + people.age[rows] * here / 10**4).argmax(axis=1)
    own = np.arange(len(rows)), slot
    tables = np.full((len(RELATION.values),) * 2, code(RELATION, "other_kin"))
    for was, after in AFTER_HEAD.items():
        for before, now in after.items():
            tables[code(RELATION, was), code(RELATION, before)] = code(RELATION, now)
    relation = tables[relation[own][:, None], relation]
    relation[own] = head
    people.relation[rows] = np.where(here, relation, people.relation[rows])


def _bear(people: People, rng: np.random.Generator, free: Flags, p: CountyParameters) -> None:
    """Let children be born, into slots that were free before this month."""
    young = people.here & (people.age >= 20 * YEAR) & (people.age < 40 * YEAR)
    born = young.any(axis=1) & free.any(axis=1) & (rng.random(len(young)) < p.births_per_year / YEAR)
    rows = np.flatnonzero(born)
    slots = free[rows].argmax(axis=1)
    people.here[rows, slots] = True
    people.age[rows, slots] = 0
    for state in (people.chronic, people.major, people.disabled, people.earner, people.away, people.dropout):
        state[rows, slots] = False
    people.person[rows, slots] = people.person.max() + 1 + np.arange(len(rows))
    people.jobs.forget(rows, slots)
    of_couple = (young & (people.relation <= code(RELATION, "spouse")))[rows].any(axis=1)
    people.relation[rows, slots] = np.where(of_couple, code(RELATION, "child"), code(RELATION, "grandchild"))
    new = np.zeros(people.here.shape, bool)
    new[rows, slots] = True
    _sex_and_schooling(people, rng, new, p)


def profiles(people: People, p: CountyParameters) -> dict[str, npt.NDArray[np.int64]]:
    """Return what the members' form states of each person, as positions in code lists (-1: not stated).

    The form states either the schooling or the school attended, never both. ``health`` and ``insurance`` are
    positions in ``HEALTH_SETS`` and ``INSURANCE_SETS``.
    """
    age, student, labour = people.age, people.student(), people.labour()
    done = np.where(age < COMPULSORY_UNTIL, code(SCHOOLING, "primary"), people.schooling)
    university = people.schooling == code(SCHOOLING, "university")
    stages = [age < 12 * YEAR, age < COMPULSORY_UNTIL, age < 19 * YEAR]
    stage = np.select(
        [~student, *stages],
        [code(SCHOOL_STAGE, name) for name in ("no", "primary", "junior")]
        + [np.where(university, code(SCHOOL_STAGE, "senior"), code(SCHOOL_STAGE, "vocational"))],
        np.where(university, code(SCHOOL_STAGE, "university"), code(SCHOOL_STAGE, "college")),
    )
    skill = np.select(
        [labour & people.skilled, labour, (people.disabled | people.major) & (age >= COMPULSORY_UNTIL), student,
         (age >= LABOUR_UNTIL) & (age < WEAK_UNTIL)],
        [code(LABOUR_SKILL, name) for name in ("skilled", "ordinary", "lost", "none", "weak")],
        code(LABOUR_SKILL, "none"),
    )  # fmt: skip
    formal = people.employed() & people.jobs.formal
    uninsured, no_pension, further = p.prudence
    medical = np.where(formal, 2, 1 * (people.prudence >= uninsured))
    pension = np.where(formal, 2, 1 * (people.prudence >= no_pension)) * ((age >= COMPULSORY_UNTIL) & ~student)
    return {
        "relation": people.relation,
        "schooling": np.where(student | (age < SCHOOL_FROM), -1, done),
        "at_school": stage,
        "health": people.chronic + 2 * people.major + 4 * people.disabled,
        "labour_skill": skill,
        "insurance": medical * 6 + pension * 2 + (people.prudence >= further),
    }


HEALTH_SETS = ["healthy"] + [
    ",".join(name for bit, name in enumerate(("chronic", "major_illness", "disabled")) if held >> bit & 1)
    for held in range(1, 8)
]
INSURANCE_SETS = [
    ",".join([*medical, *further, *pension]) or "none"
    for medical in ((), ("resident_medical", "serious_illness"), ("employee_medical",))
    for pension in ((), ("resident_pension",), ("employee_pension",))
    for further in ((), ("commercial_medical",))
]
