"""What a source would give a record table: which of its columns are which of the table's."""

from __future__ import annotations

from dataclasses import dataclass, field

from relapse_risk.datasets.exports.suggest.lexicon import ELIMINATED
from relapse_risk.datasets.exports.suggest.scores import SURE, looks_of
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
    "members": (("household_id",), ("person_id",)),
    "employment": (("person_id",), ("employed", "workplace", "wage_yuan")),
    "grids": (("grid_id",), ("village_id", "township_id", "worker_id")),
}
_PROFILE = (
    *("household_type", "lifted_on", "n_members", "n_labour", "n_students", "n_elderly", "n_chronic"),
    *("n_major_illness", "n_disabled", "dibao", "housing_grade", "land_mu", "orchard_mu", "relocated"),
)
_PERSON = (
    *("in_household", "relation", "sex", "birth_month", "schooling", "at_school", "health", "labour_skill"),
    "insurance",
)
#: Columns of a profile that make a table one of households, or of their members.
_FEWEST_OF_PROFILE = {"households": (3, _PROFILE), "members": (3, _PERSON)}
#: What a spread makes by itself.
SPREAD = ("source", "part", "amount_yuan")


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
    flags : dict of str to dict
        By record column that takes a set of codes, positions of yes and no with the code each stands for.
    value : float
        How well the source fits the table.
    """

    table: str
    taken: dict[str, list[int]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    asked: dict[str, list[int]] = field(default_factory=dict)
    spread: dict[int, dict[str, str]] = field(default_factory=dict)
    flags: dict[str, dict[int, str]] = field(default_factory=dict)
    value: float = 0.0

    def take(self, name: str, position: int, score: float) -> None:
        """Make a record column from a column of the source."""
        self.taken[name] = [position]
        self.scores[name] = score

    @property
    def used(self) -> set[int]:
        """Positions that something is made from."""
        each = (*self.taken.values(), *self.flags.values())
        return {position for positions in each for position in positions} | set(self.spread)

    @property
    def sure(self) -> list[str]:
        """Columns of its own, beside those many tables have, that need no check."""
        return [name for name, score in self.scores.items() if name not in SHARED and score >= SURE]

    @property
    def fits(self) -> bool:
        """Whether all is there that makes a source one of this table."""
        found = {*self.taken, *self.flags} | (set(SPREAD) if self.spread else set())
        fewest, profile = _FEWEST_OF_PROFILE.get(self.table, (0, ()))
        if len(found & set(profile)) < fewest:
            return False
        if self.table == "visits" and any(len(self.asked.get(look, ())) > 1 for look in looks_of("visits")):
            found.add("yard")  # several columns are graded alike, if nobody knows which is which
        return all(found & set(group) for group in _ANY_OF[self.table])

    @property
    def complete(self) -> bool:
        """Whether every column is there that may not be missing, apart from what a constant could say."""
        needed = [name for name, column in TABLES[self.table].columns.items() if not column.nullable]
        given = {*self.taken, "known_on", "origin"} | ({"kind"} if self.table == "expenses" else set())
        given |= {"poor"} if ELIMINATED in self.taken else set()
        return bool(self.spread) or all(name in given for name in needed)
