"""Numbers of one row that are not a column of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from relapse_risk.dates import FAR_FUTURE
from relapse_risk.records.codes import INCOME_KIND, INCOME_SOURCE
from relapse_risk.records.tables import Visits

if TYPE_CHECKING:
    from relapse_risk.features.encode import EncodedTable, Numbers

#: The six looks of a visit.
LOOKS = ("yard", "house", "cupboard", "tap", "health", "children")


def _net_yuan(table: EncodedTable) -> Numbers:
    """Amount, negative for a cost: the test against the line counts costs off, and claims in."""
    sign = np.array([-1.0 if INCOME_KIND[source] == "cost" else 1.0 for source in INCOME_SOURCE.values])
    return sign[table.code("source")] * table.number("amount_yuan")


def _grades(table: EncodedTable) -> Numbers:
    grades: Numbers = np.stack([table.number(look) for look in LOOKS])
    return grades


def _grade_total(table: EncodedTable) -> Numbers:
    """Sum of the grades given; missing where nothing was looked at."""
    grades = _grades(table)
    return np.where(np.isnan(grades).all(axis=0), np.nan, np.nansum(grades, axis=0))


def _n_looked_at(table: EncodedTable) -> Numbers:
    looked_at: Numbers = np.sum(~np.isnan(_grades(table)), axis=0).astype(np.float64)
    return looked_at


def _ratio(part: str, whole: str) -> Callable[[EncodedTable], Numbers]:
    def derive(table: EncodedTable) -> Numbers:
        total = table.number(whole)
        return table.number(part) / np.where(total > 0, total, np.nan)

    return derive


def _runs_until(table: EncodedTable) -> Numbers:
    """Day the measure ended, far in the future while it runs."""
    ended = table.number("ended_on")
    return np.where(np.isnan(ended), float(FAR_FUTURE), ended)


def _away(table: EncodedTable) -> Numbers:
    """1 for work outside the county, 0 for work within it, missing otherwise."""
    place = table.number("workplace")
    within = [table.position("workplace", code) for code in ("township", "county")]
    return np.where(np.isnan(place) | (table.number("employed") == 0), np.nan, ~np.isin(place, within))


def _earned_yuan(table: EncodedTable) -> Numbers:
    """Wage of a person's month; 0 where the person was not in work and no wage is recorded."""
    wage = table.number("wage_yuan")
    return np.where(np.isnan(wage) & (table.number("employed") == 0), 0.0, wage)


DERIVATIONS: dict[tuple[str, str], Callable[[EncodedTable], Numbers]] = {
    ("incomes", "net_yuan"): _net_yuan,
    (Visits.name, "grade_total"): _grade_total,
    (Visits.name, "n_looked_at"): _n_looked_at,
    ("households", "labour_share"): _ratio("n_labour", "n_members"),
    ("households", "student_share"): _ratio("n_students", "n_members"),
    ("households", "elderly_share"): _ratio("n_elderly", "n_members"),
    ("households", "land_per_member"): _ratio("land_mu", "n_members"),
    ("households", "orchard_per_member"): _ratio("orchard_mu", "n_members"),
    ("expenses", "reimbursed_share"): _ratio("reimbursed_yuan", "total_yuan"),
    ("supports", "runs_until"): _runs_until,
    ("employment", "away"): _away,
    ("employment", "earned_yuan"): _earned_yuan,
}
"""By table and name."""


def derive(table: EncodedTable, value: str) -> Numbers:
    """Return a column or a derivation of each row, made once."""
    derivation = DERIVATIONS.get((table.name, value))
    if derivation is None:
        return table.number(value)
    if value not in table.derived:
        table.derived[value] = derivation(table)
    return table.derived[value]
