"""Which columns of a source would be which of a record table's: the best assignment as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from relapse_risk.datasets.exports.suggest.leftover import Leftover, entry_before_event
from relapse_risk.datasets.exports.suggest.lexicon import ELIMINATED, income_of, place_score
from relapse_risk.datasets.exports.suggest.relations import seldom_after
from relapse_risk.datasets.exports.suggest.sample import Sample
from relapse_risk.datasets.exports.suggest.scores import (
    ASKED,
    BY_PLACE,
    SURE,
    TAKEN,
    Known,
    Scores,
    columns_of,
    looks_of,
    score_all,
)
from relapse_risk.records.columns import Kind
from relapse_risk.records.tables import TABLES

#: Columns that many tables have.
SHARED = ("household_id", "occurred_on", "known_on", "person_id", "grid_id")
#: What a table must have to be made of a source: any one of each group.
_ANY_OF: dict[str, tuple[tuple[str, ...], ...]] = {
    "households": (("household_id",),),
    "visits": (("household_id",), ("occurred_on",), ("yard", "house", "cupboard", "tap", "health", "children")),
    "observations": (("household_id",), ("item",), ("value",)),
    "incomes": (("household_id",), ("amount_yuan",), ("source", "part")),
    "statuses": (("household_id",), ("poor", "risk_types", ELIMINATED), ("occurred_on", ELIMINATED)),
    "expenses": (("household_id",), ("total_yuan", "reimbursed_yuan", "self_paid_yuan")),
    "shocks": (("household_id",), ("kind",), ("occurred_on",)),
    "supports": (("household_id",), ("kind",), ("occurred_on", "ended_on")),
    "employment": (("person_id",), ("employed", "workplace", "wage_yuan")),
    "grids": (("grid_id",), ("village_id", "township_id", "worker_id")),
}
_PROFILE = (
    *("household_type", "lifted_on", "n_members", "n_labour", "n_students", "n_elderly", "n_chronic"),
    *("n_major_illness", "n_disabled", "dibao", "housing_grade", "land_mu", "orchard_mu", "relocated"),
)
#: Columns of a profile that make a table one of households.
_FEWEST_OF_PROFILE = 3
#: What a spread makes by itself.
SPREAD = ("source", "part", "amount_yuan")
_MOST_CANDIDATES = 6


@dataclass
class Match:
    """What a source would give a record table.

    Parameters
    ----------
    table : str
        The record table.
    taken : dict of str to list of int
        By record column, positions of the source's columns; several for a set of codes.
    scores : dict of str to float
        How sure each is.
    asked : dict of str to list of int
        By record column not taken, positions that it could be, likeliest first.
    spread : dict of int to dict
        Positions of amounts that each become a row, with the source of income they stand for.
    value : float
        How well the source fits the table.
    """

    table: str
    taken: dict[str, list[int]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    asked: dict[str, list[int]] = field(default_factory=dict)
    spread: dict[int, dict[str, str]] = field(default_factory=dict)
    value: float = 0.0

    @property
    def used(self) -> set[int]:
        """Positions that something is made from."""
        return {position for positions in self.taken.values() for position in positions} | set(self.spread)

    @property
    def sure(self) -> list[str]:
        """Columns of its own, beside those many tables have, that need no check."""
        return [name for name, score in self.scores.items() if name not in SHARED and score >= SURE]

    @property
    def fits(self) -> bool:
        """Whether all is there that makes a source one of this table."""
        found = set(self.taken) | (set(SPREAD) if self.spread else set())
        if self.table == "households" and len(found & set(_PROFILE)) < _FEWEST_OF_PROFILE:
            return False
        if self.table == "visits" and any(len(self.asked.get(look, ())) > 1 for look in looks_of("visits")):
            found.add("yard")  # several columns are graded alike, if nobody knows which is which
        return all(found & set(group) for group in _ANY_OF[self.table])

    @property
    def complete(self) -> bool:
        """Whether every column is there that may not be missing, apart from what a constant could tell."""
        needed = [name for name, column in TABLES[self.table].columns.items() if not column.nullable]
        told = {*self.taken, "known_on", "origin"} | ({"kind"} if self.table == "expenses" else set())
        told |= {"poor"} if ELIMINATED in self.taken else set()
        return bool(self.spread) or all(name in told for name in needed)


def match(sample: Sample, table: str, known: Known, free: set[int] | None = None) -> Match:
    """Return what a source would give a table.

    Parameters
    ----------
    sample : Sample
        The source.
    table : str
        The record table.
    known : Known
        What the other sources tell of it.
    free : set of int, optional
        Positions that may be used, beside household ids and days; all, if left out.
    """
    found = Match(table)
    if table == "grids" and known.household is not None:
        return found  # a grid is nobody's
    every = set(range(len(sample.columns)))
    names = list(columns_of(table))
    scores = score_all(sample, table, known)
    for name in [] if free is None else names:
        if name not in SHARED:
            scores[names.index(name), sorted(every - (free or set()))] = 0.0
    if table == "incomes":
        found.spread = _spread(sample, scores[names.index("amount_yuan")], every if free is None else free)
        scores[:, list(found.spread)] = 0.0
        if found.spread:
            scores[[names.index(name) for name in SPREAD]] = 0.0
    for row, position in _assigned(scores):
        if scores[row, position] >= TAKEN:
            found.taken[names[row]] = [position]
            found.scores[names[row]] = float(scores[row, position])
    _numbered_sets(found, sample)
    rest = Leftover(sample, table, found.taken, found.scores, (every if free is None else free) - found.used)
    if not found.spread:
        rest.take()
    _order_days(found, sample)
    if entry_before_event(sample, found.taken):
        del found.taken["known_on"], found.scores["known_on"]
    for row, name in enumerate(names):
        if name not in found.taken and not (found.spread and name in SPREAD):
            likely = [int(p) for p in np.argsort(-scores[row], kind="stable") if scores[row, p] >= ASKED]
            left = dict.fromkeys([p for p in likely if p not in found.used] + rest.candidates(name))
            found.asked[name] = list(left)[:_MOST_CANDIDATES]
    found.value = _value(found, sample)
    return found


def _order_days(found: Match, sample: Sample) -> None:
    """Let the days of event and entry change places where entries would lie shortly before events."""
    days = [found.taken.get(name) for name in ("occurred_on", "known_on")]
    if days[0] is None or days[1] is None:
        return
    occurred, known = (sample.columns[of[0]] for of in days if of)
    if seldom_after(known, occurred) and not entry_before_event(sample, found.taken):
        least = min(found.scores["occurred_on"], found.scores["known_on"])
        found.taken |= {"occurred_on": days[1], "known_on": days[0]}
        found.scores |= {"occurred_on": least, "known_on": least}


def _assigned(scores: Scores) -> Iterator[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    if scores.size:
        # squares: one sure column counts more than two vague ones
        yield from zip(*(of.tolist() for of in linear_sum_assignment(-(scores**2))), strict=True)


def _spread(sample: Sample, as_amount: Scores, free: set[int]) -> dict[int, dict[str, str]]:
    """Return the columns of amounts that hold one source of income each, where there are several.

    A part of a source is left out where the source itself has a column, since that holds the part.
    """
    told = {
        position: values
        for position, profile in enumerate(sample.columns)
        if position in free
        and len(profile.numbers)
        and not len(profile.dates)
        and (values := income_of(profile.header))
    }
    whole = {values["source"] for values in told.values() if "part" not in values}
    found: dict[int, dict[str, str]] = {}
    for position, values in told.items():
        within = "part" in values and values["source"] in whole
        if not within and values not in found.values():
            found[position] = values
    several = len({values["source"] for values in found.values()}) > 1
    return found if several and as_amount.max(initial=0.0) < 1.0 else {}


def _numbered_sets(found: Match, sample: Sample) -> None:
    """Add the further columns of a set of codes that is parted into numbered ones."""
    described = columns_of(found.table)
    for name in [name for name in found.taken if described[name].kind is Kind.CODE_SET]:
        first = _unnumbered(sample.columns[found.taken[name][0]].header)
        found.taken[name] = [
            position for position, profile in enumerate(sample.columns) if _unnumbered(profile.header) == first
        ]


def _unnumbered(header: str) -> str:
    return header.rstrip("0123456789一二三四五")


def _value(found: Match, sample: Sample) -> float:
    """Return how well a source fits a table: how much each explains of the other, and the source's name."""
    # what is merely left over says little
    told = [score if score > BY_PLACE else score / 2 for name, score in found.scores.items() if name != "known_on"]
    total = sum(told) + 0.9 * len(found.spread)
    useful = {position for position, profile in enumerate(sample.columns) if profile.refused < 0.6}
    explained = len(found.used & useful) / max(1, len(useful))
    return float(total * explained**0.5 + 1.2 * place_score(sample.place.name, found.table))
