"""Who lives in a household: age, health, school, kin and insurance of each member, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from relapse_risk.datasets.county.arrays import Flags, Index, Ints, Numbers, anyone, code, count, pick, positions
from relapse_risk.datasets.county.parameters import LIVELIHOODS, MIGRANT, Age, CountyParameters
from relapse_risk.datasets.county.work import Jobs
from relapse_risk.records.codes import LABOUR_SKILL, RELATION, SCHOOL_STAGE, SCHOOLING

if TYPE_CHECKING:
    from relapse_risk.datasets.county.state import Month, Township

#: Members a household can have.
SLOTS = 9


@dataclass
class People:
    """Members: arrays of a row a household and a column a slot; some slots are free."""

    age: Ints  # months
    here: Flags  # in the household
    chronic: Flags
    major: Flags  # gravely ill
    disabled: Flags
    beyond: Flags  # goes on past compulsory school
    earner: Flags  # would work for a wage
    away: Flags  # works far from home
    dropout: Flags  # left compulsory school
    level: Numbers  # log wage beside the usual, a worker's own
    drift: Numbers  # the same, of shocks that last
    person: Ints  # number in the township; a child may be born into the slot of one who left, with a new number
    male: Flags
    skilled: Flags
    relation: Ints  # to the head, a position in RELATION
    schooling: Ints  # what a person has finished in the end, a position in SCHOOLING
    prudence: Numbers  # from 0 to 1: at the low end uninsured, at the high end further insured
    jobs: Jobs

    def employed(self) -> Flags:
        """Return who is in work."""
        return np.asarray(self.jobs.started >= 0)

    def student(self) -> Flags:
        """Return who is at school."""
        compulsory = (self.age >= Age.SCHOOL) & (self.age < Age.SENIOR) & ~self.dropout
        return self.here & (compulsory | self.beyond_school())

    def beyond_school(self) -> Flags:
        """Return who is at high school or college, whose fees count as rigid spending."""
        return self.here & self.beyond & (self.age >= Age.SENIOR) & (self.age < Age.GRADUATE)

    def labour(self) -> Flags:
        """Return who is able to work."""
        of_age = (self.age >= Age.LABOUR) & (self.age < Age.RETIRED)
        return self.here & of_age & ~self.student() & ~self.disabled & ~self.major

    def counts(self) -> dict[str, Ints]:
        """Return the counts of a household's profile, by the name of its column."""
        groups = {
            "n_members": self.here,
            "n_labour": self.labour(),
            "n_students": self.student(),
            "n_elderly": self.here & (self.age >= Age.ELDERLY),
            "n_chronic": self.chronic,
            "n_major_illness": self.major,
            "n_disabled": self.disabled,
        }
        return {name: count(group) for name, group in groups.items()}


def found(rng: np.random.Generator, lifted: Flags, livelihood: Ints, p: CountyParameters) -> People:
    """Return the members of new households."""
    n, shape = len(lifted), (len(lifted), SLOTS)
    mean = np.where(lifted, p.size_lifted, p.size_ordinary)
    size = 1 + rng.binomial(SLOTS - 1, (mean - 1) / (SLOTS - 1))
    here = np.arange(SLOTS) < size[:, None]
    mean_age, spread, youngest, oldest = p.head_age
    head = np.clip(rng.normal(mean_age, spread, (n, 1)), youngest, oldest)
    younger, shares = np.array(list(p.kin.values())).T
    kin = rng.choice(len(p.kin), shape, p=shares)
    age = head - younger[kin] + rng.normal(0, p.kin_age_spread, shape)
    gap, spread = p.spouse_age
    age[:, 0] = head[:, 0]
    age[:, 1] = head[:, 0] - gap + rng.normal(0, spread, n)
    child = list(p.kin).index("child")
    kin = np.where(age > p.oldest, child, kin)
    age = np.where(age > p.oldest, head - younger[child] - 1, age)
    age = np.where(age < 0, rng.uniform(0, p.age_if_unborn, shape), age)
    old = np.interp(age, list(p.ill_by_age), list(p.ill_by_age.values()))

    def ill(of_lifted: float, of_ordinary: float) -> Flags:
        return here & (rng.random(shape) < np.where(lifted[:, None], of_lifted, of_ordinary) * old)

    people = People(
        age=(age * Age.YEAR).astype(np.int64),
        here=here,
        chronic=ill(p.chronic_lifted, p.chronic_ordinary),
        major=ill(p.major_lifted, p.major_ordinary),
        disabled=ill(p.disabled_lifted, p.disabled_ordinary),
        beyond=rng.random(shape) < p.beyond_school,
        earner=np.zeros(shape, bool),
        away=np.zeros(shape, bool),
        dropout=np.zeros(shape, bool),
        level=rng.normal(0, p.wage_spread, shape),
        drift=rng.normal(0, p.wage_shock / np.sqrt(1 - p.wage_persistence**2), shape),
        person=np.arange(n * SLOTS).reshape(shape),
        male=np.zeros(shape, bool),
        skilled=np.zeros(shape, bool),
        relation=_relations(rng, kin, age, p),
        schooling=np.zeros(shape, np.int64),
        prudence=rng.random(shape),
        jobs=Jobs(shape),
    )
    _draw_new(people, rng, np.nonzero(np.ones(shape, bool)), p)
    people.male[:, 0] = rng.random(n) < p.male_heads
    people.male[:, 1] = ~people.male[:, 0]
    labour = people.labour()
    rank = np.cumsum(labour, axis=1)
    first, second = _chance_to_earn(livelihood, p)
    chance = np.where(rank == 1, first[:, None], np.where(rank == 2, second[:, None], 0.0))
    people.earner = labour & (rng.random(shape) < chance)
    people.away = people.earner & (livelihood == MIGRANT)[:, None]
    return people


def _chance_to_earn(livelihood: Ints, p: CountyParameters) -> tuple[Numbers, Numbers]:
    """Return the chance that the first and the second member able to work earn a wage, by livelihood."""
    first, second = np.array([p.earns[name] for name in LIVELIHOODS])[livelihood].T
    return first, second


def _relations(rng: np.random.Generator, kin: Ints, age: Numbers, p: CountyParameters) -> Ints:
    """Return each member's relation to the head: the first two are head and spouse.

    Of a young head's household, who was drawn as a grandchild is a child, and who is too old for a child a sibling.
    """
    share, married_from = p.by_marriage
    by_marriage = rng.random(kin.shape) < share
    by_marriage &= (kin != list(p.kin).index("child")) | (age >= married_from)
    spouses_kin = {"parent": "parent_in_law", "sibling": "other_kin", "child": "child_in_law"}
    relation = np.where(
        by_marriage,
        positions(RELATION, [spouses_kin.get(name, name) for name in p.kin])[kin],
        positions(RELATION, list(p.kin))[kin],
    )
    younger, (to_child, to_grandchild) = age[:, :1] - age, p.generations
    child, in_law, grandchild, sibling = positions(RELATION, ["child", "child_in_law", "grandchild", "sibling"])
    relation[(relation == grandchild) & (younger < to_grandchild)] = child
    relation[np.isin(relation, [child, in_law]) & (younger < to_child)] = sibling
    relation[:, :2] = positions(RELATION, ["head", "spouse"])
    return relation


def _draw_new(people: People, rng: np.random.Generator, at: Index, p: CountyParameters) -> None:
    """Draw the sex, the schooling in the end and the skill of new members."""
    n = len(at[0])
    people.male[at] = rng.random(n) < p.male
    years = people.age[at] // Age.YEAR
    shares = np.array(list(p.schooling_by_age.values()))
    drawn = pick(rng, shares[np.searchsorted(list(p.schooling_by_age), years, side="right") - 1])
    college = np.where(rng.random(n) < p.university, *positions(SCHOOLING, ["university", "college"]))
    ahead = np.where(people.beyond[at], college, code(SCHOOLING, "junior"))
    people.schooling[at] = np.where(years * Age.YEAR < Age.GRADUATE, ahead, drawn)
    people.skilled[at] = rng.random(n) < np.array(p.skilled_by_schooling)[people.schooling[at]]


def live_a_month(t: Township, month: Month, lured: Numbers) -> Flags:
    """Age, bear, bury, fall ill, leave school, start to work, move away; return whom a death cost an earner.

    Parameters
    ----------
    lured : ndarray of float, shape (n,)
        Factor on the chance that a member goes to work far from home.
    """
    people, rng, p = t.people, month.rng, t.p
    shape = people.age.shape
    people.age = people.age + 1
    chance = np.interp(people.age / Age.YEAR, list(p.deaths_by_age), list(p.deaths_by_age.values())) / Age.YEAR
    factor, added = p.deaths_of_major
    chance = np.where(people.major, factor * chance + added, chance)
    free = ~people.here
    dies = people.here & (rng.random(shape) < chance)
    dies &= anyone(people.here & ~dies)[:, None]  # a household that dies out is not followed
    bereaved = anyone(dies & people.employed())
    people.here = people.here & ~dies
    _bear(people, rng, free, p)
    people.chronic |= _of_age(people, "falls_ill", p) & (rng.random(shape) < p.onset_chronic_per_year / Age.YEAR)
    people.dropout |= _of_age(people, "dropout", p) & (rng.random(shape) < p.dropout_month)
    back = rng.random(shape) < p.back_to_school_month
    never = people.dropout & (people.age == Age.SENIOR)
    people.schooling[never] = code(SCHOOLING, "primary")
    people.beyond &= ~never
    people.dropout &= ~back & (people.age < Age.SENIOR)
    first, _ = _chance_to_earn(t.livelihood, p)
    grown = people.here & (people.age == np.where(people.beyond, Age.GRADUATE, Age.ADULT))
    people.earner |= grown & (rng.random(shape) < p.young_earn * first[:, None])
    idle = people.labour() & ~anyone(people.earner)[:, None]
    people.earner |= idle & (rng.random(shape) < p.idle_earn_month * first[:, None])
    _move_away(people, rng, t.livelihood, lured, p)
    people.earner &= people.labour()
    people.jobs.started[~people.earner] = -1
    people.away &= people.earner
    _name_heads(people)
    for ill in (people.chronic, people.major, people.disabled):
        ill[~people.here] = False
    return bereaved


def _of_age(people: People, what: str, p: CountyParameters) -> Flags:
    """Return the members of the age at which something happens."""
    low, high = p.ages_of[what]
    return people.here & (people.age >= low * Age.YEAR) & (people.age < high * Age.YEAR)


def _move_away(
    people: People, rng: np.random.Generator, livelihood: Ints, lured: Numbers, p: CountyParameters
) -> None:
    """Let members go to work far from home, come back when older, or leave for good."""
    shape = people.age.shape
    idle = people.labour() & ~people.earner & _of_age(people, "migrates", p)
    goes = idle & (rng.random(shape) < p.migration_month * lured[:, None])
    back = people.away & ~_of_age(people, "migrates", p) & (rng.random(shape) < p.migrant_returns_month)
    people.earner = (people.earner | goes) & ~back
    people.away = (people.away | goes | (people.earner & (livelihood == MIGRANT)[:, None])) & ~back
    child = np.arange(SLOTS) >= 2  # neither of the couple that the household was founded by
    leaves = (
        _of_age(people, "leaves", p) & child & ~people.disabled & (rng.random(shape) < p.leaves_per_year / Age.YEAR)
    )
    leaves &= anyone(people.here & (people.age >= Age.ADULT) & ~leaves)[:, None]
    people.here = people.here & ~leaves


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
    """Let the spouse, else a child, else the eldest member become head where the head is gone."""
    head, spouse, child = positions(RELATION, ["head", "spouse", "child"])
    rows = np.flatnonzero(~anyone((people.relation == head) & people.here))
    here, relation, age = people.here[rows], people.relation[rows], people.age[rows]
    rank = np.select([age < Age.ADULT, relation == spouse, relation == child], [0, 3, 2], 1)
    heir = np.arange(len(rows)), ((rank * 200 * Age.YEAR + age) * here).argmax(axis=1)
    to_heir = np.full((len(RELATION.values),) * 2, code(RELATION, "other_kin"))
    for was, after in AFTER_HEAD.items():
        for before, now in after.items():
            to_heir[code(RELATION, was), code(RELATION, before)] = code(RELATION, now)
    new = to_heir[relation[heir][:, None], relation]
    new[heir] = head
    people.relation[rows] = np.where(here, new, relation)


def _bear(people: People, rng: np.random.Generator, free: Flags, p: CountyParameters) -> None:
    """Let children be born, into slots that were free before this month."""
    young = _of_age(people, "parent", p)
    born = anyone(young) & anyone(free) & (rng.random(len(young)) < p.births_per_year / Age.YEAR)
    rows = np.flatnonzero(born)
    at = rows, free[rows].argmax(axis=1)
    people.here[at] = True
    people.age[at] = 0
    for state in (people.chronic, people.major, people.disabled, people.earner, people.away, people.dropout):
        state[at] = False
    people.person[at] = people.person.max() + 1 + np.arange(len(rows))
    of_couple = anyone((young & (people.relation <= code(RELATION, "spouse")))[rows])
    people.relation[at] = np.where(of_couple, *positions(RELATION, ["child", "grandchild"]))
    _draw_new(people, rng, at, p)


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


def profiles(people: People, p: CountyParameters) -> dict[str, Ints]:
    """Return what the members' form states of each person, as positions in code lists (-1: not stated).

    The form states either the schooling or the school attended, never both. ``health`` and ``insurance`` are
    positions in ``HEALTH_SETS`` and ``INSURANCE_SETS``.
    """
    age, student, labour = people.age, people.student(), people.labour()
    stage = {name: code(SCHOOL_STAGE, name) for name in SCHOOL_STAGE.values}
    skill = {name: code(LABOUR_SKILL, name) for name in LABOUR_SKILL.values}
    academic = people.schooling == code(SCHOOLING, "university")
    at_school = np.select(
        [~student, age < Age.JUNIOR, age < Age.SENIOR, age < Age.COLLEGE],
        [
            stage["no"],
            stage["primary"],
            stage["junior"],
            np.where(academic, stage["senior"], stage["vocational"]),
        ],
        np.where(academic, stage["university"], stage["college"]),
    )
    finished = np.where(age < Age.SENIOR, code(SCHOOLING, "primary"), people.schooling)
    unable = (people.disabled | people.major) & (age >= Age.SENIOR)
    labour_skill = np.select(
        [labour & people.skilled, labour, unable, ~student & (age >= Age.RETIRED) & (age < Age.FRAIL)],
        [skill["skilled"], skill["ordinary"], skill["lost"], skill["weak"]],
        skill["none"],
    )
    formal = people.employed() & people.jobs.formal
    uninsured, no_pension, further = p.prudence
    medical = np.where(formal, 2, 1 * (people.prudence >= uninsured))
    pension = np.where(formal, 2, 1 * (people.prudence >= no_pension)) * ((age >= Age.SENIOR) & ~student)
    return {
        "relation": people.relation,
        "schooling": np.where(student | (age < Age.SCHOOL), -1, finished),
        "at_school": at_school,
        "health": people.chronic + 2 * people.major + 4 * people.disabled,
        "labour_skill": labour_skill,
        "insurance": medical * 6 + pension * 2 + (people.prudence >= further),
    }
