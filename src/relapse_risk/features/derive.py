"""Numbers of one row that are not a column of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from relapse_risk.dates import FAR_FUTURE, month_number
from relapse_risk.records.codes import (
    INCOME_KIND,
    INCOME_PART,
    INCOME_SOURCE,
    ONE_OFF_PARTS,
    SCHOOL_STAGE,
    SCHOOLING,
)
from relapse_risk.records.tables import Visits

if TYPE_CHECKING:
    from relapse_risk.features.encode import EncodedTable, Numbers

#: The six looks of a visit.
LOOKS = ("yard", "house", "cupboard", "tap", "health", "children")
#: Years of school that each schooling takes.
SCHOOLING_YEARS = {"illiterate": 0, "primary": 6, "junior": 9, "senior": 12, "college": 15, "university": 16}
#: Contracts that end by themselves.
TEMPORARY = ("fixed_term", "task", "casual")
#: Insurances that pay for treatment, and those that pay a pension.
MEDICAL = ("resident_medical", "employee_medical", "serious_illness", "commercial_medical")
PENSION = ("resident_pension", "employee_pension")
#: By the position of a source.
_SIGN = np.array([-1.0 if INCOME_KIND[source] == "cost" else 1.0 for source in INCOME_SOURCE.values])
#: By the position of a part; the last is that of no part, -1.
_IS_ONE_OFF = np.array([part in ONE_OFF_PARTS for part in (*INCOME_PART.values, None)])


def _net_yuan(table: EncodedTable) -> Numbers:
    """Amount, negative for a cost: the test against the line counts costs off, and claims in."""
    return _SIGN[table.code("source")] * table.number("amount_yuan")


def _grades(table: EncodedTable) -> Numbers:
    grades: Numbers = np.stack([table.number(look) for look in LOOKS])
    return grades


def _grade_total(table: EncodedTable) -> Numbers:
    """Sum of the grades given; missing where nothing was looked at."""
    grades = _grades(table)
    missing = np.isnan(grades)
    return np.where(missing.all(axis=0), np.nan, np.where(missing, 0.0, grades).sum(axis=0))


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
    return np.where(table.number("employed") == 0, np.nan, 1.0 - _works_within(table))


def _earned_yuan(table: EncodedTable) -> Numbers:
    """Wage of a person's month; 0 where the person was not in work and no wage is recorded."""
    wage = table.number("wage_yuan")
    return np.where(np.isnan(wage) & (table.number("employed") == 0), 0.0, wage)


def _steady_yuan(table: EncodedTable) -> Numbers:
    """Net amount, 0 for a part that does not come again."""
    return np.where(_IS_ONE_OFF[table.code("part")], 0.0, derive(table, "net_yuan"))


def _steady_pay_yuan(table: EncodedTable) -> Numbers:
    """Pay of a person's month without its one-off part."""
    one_off = table.number("one_off_yuan")
    return derive(table, "earned_yuan") - np.where(np.isnan(one_off), 0.0, one_off)


def _code_in(column: str, *codes: str) -> Callable[[EncodedTable], Numbers]:
    """Return whether a code is one of some, 1 or 0; missing where it is."""

    def derive(table: EncodedTable) -> Numbers:
        return _is_among(table.listed(column), codes)[table.code(column)]

    return derive


@lru_cache(maxsize=64)
def _is_among(listed: tuple[str, ...], codes: tuple[str, ...]) -> Numbers:
    """Return 1 or 0 by a code's position in the list; the last is that of a missing one, -1."""
    return np.array([*(float(code in codes) for code in listed), np.nan])


_works_within = _code_in("workplace", "township", "county")


def _set_holds(column: str, *codes: str) -> Callable[[EncodedTable], Numbers]:
    """Return whether a set of codes holds one of some, 1 or 0; missing where the set is."""

    def derive(table: EncodedTable) -> Numbers:
        texts = table.texts(column)
        holds = [float(not set(codes).isdisjoint(text.split(","))) for text in texts.distinct.to_pylist()]
        return np.array([*holds, np.nan])[texts.code]

    return derive


def _schooling_years(table: EncodedTable) -> Numbers:
    years = np.array([*(SCHOOLING_YEARS[code] for code in SCHOOLING.values), np.nan])  # -1 is missing
    return years[table.code("schooling")]


def _born_month(table: EncodedTable) -> Numbers:
    """Months from 1970-01 to the month of birth."""
    born = table.number("birth_month")
    missing = np.isnan(born)
    return np.where(missing, np.nan, month_number(np.where(missing, 0.0, born).astype(np.int64)))


def _unpaid(table: EncodedTable) -> Numbers:
    """1 for a person in work for no pay, 0 for other work; missing without work, or where neither is recorded."""
    pay, family = table.number("wage_yuan"), derive(table, "family_worker")
    unpaid = np.where(np.isnan(pay), family, pay == 0)
    return np.where(table.number("employed") == 1, unpaid, np.nan)


def _still_member(table: EncodedTable) -> Numbers:
    """Return 0 where a person has left the household, 1 elsewhere."""
    stays = table.number("in_household")
    return np.where(np.isnan(stays), 1.0, stays)


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
    ("incomes", "steady_yuan"): _steady_yuan,
    ("members", "still_member"): _still_member,
    ("members", "born_month"): _born_month,
    ("members", "schooling_years"): _schooling_years,
    ("members", "student"): _code_in("at_school", *(code for code in SCHOOL_STAGE.values if code != "no")),
    ("members", "chronic"): _set_holds("health", "chronic"),
    ("members", "major_illness"): _set_holds("health", "major_illness"),
    ("members", "disabled"): _set_holds("health", "disabled"),
    ("members", "not_fully_able"): _code_in("labour_skill", "weak", "lost"),
    ("members", "medical_insured"): _set_holds("insurance", *MEDICAL),
    ("members", "pension_insured"): _set_holds("insurance", *PENSION),
    ("employment", "steady_pay_yuan"): _steady_pay_yuan,
    ("employment", "temporary"): _code_in("contract", *TEMPORARY),
    ("employment", "domestic"): _code_in("industry", "domestic"),
    ("employment", "construction"): _code_in("industry", "construction"),
    ("employment", "family_worker"): _code_in("work_status", "family_worker"),
    ("employment", "unpaid"): _unpaid,
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
