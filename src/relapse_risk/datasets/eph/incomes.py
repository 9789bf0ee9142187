"""Table ``incomes``: a household's columns, or the answers of its persons, parted by source.

A person's income is ``P47T = P21 + TOT_P12 + PP08J1 + PP08J2 + PP08J3 + T_VI``: thirteenth wages, bonuses and back
pay are not in ``P21``. The household columns leave them out; the household's income ``ITF``, which decides who is
poor, has them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from relapse_risk.datasets.eph.frames import dated

#: Source and part of the household's columns.
_BY_HOUSEHOLD = {
    ("wage", "migrant_work"): "labour_income_main",
    ("wage", "other"): "labour_income_other",
    ("transfer", "pension"): "pension_income",
    ("transfer", "social_relief"): "aid_income",
}
#: Pay beside the regular one: thirteenth wage, bonuses, back pay.
ONE_OFF_PAY = ("PP08J1", "PP08J2", "PP08J3")
#: Source and part of the persons' columns; rents are the property income that no code is closer to.
_BY_PERSON = {
    ("wage", "migrant_work"): ("P21",),
    ("wage", "other"): ("TOT_P12",),
    ("wage", "bonus"): ONE_OFF_PAY,
    ("transfer", "pension"): ("V2_M",),
    ("transfer", "bonus"): ("V21_M",),
    ("transfer", "severance"): ("V3_M",),
    ("transfer", "unemployment"): ("V4_M",),
    ("transfer", "social_relief"): ("V5_M",),
    ("transfer", "scholarship"): ("V11_M",),
    ("transfer", "gift"): ("V12_M",),
    ("property", "other"): ("V8_M",),
    ("property", "dividend"): ("V9_M",),
    ("property", "interest"): ("V10_M",),
}
#: All income but of work: the parts above from V2_M on, and V18_M (alms, games), V19_AM (children's work).
_NOT_FROM_WORK = "T_VI"

#: Columns that are read.
HOUSEHOLD_COLUMNS = ("ITF", "non_labour_income", *_BY_HOUSEHOLD.values())
PERSON_COLUMNS = (*(column for columns in _BY_PERSON.values() for column in columns), _NOT_FROM_WORK)

Part = tuple[str, str]


def by_household(visits: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each source and part of every visit where income was answered; zero is an answer."""
    answered = visits[visits["answered"]]
    rest = answered["non_labour_income"] - answered["pension_income"] - answered["aid_income"]
    amounts: dict[Part, pd.Series[Any]] = {part: answered[column] for part, column in _BY_HOUSEHOLD.items()}
    amounts["property", "other"] = rest.clip(lower=0.0)  # rents, interest, gifts: the columns do not part them
    return _rows(answered, amounts)


def by_person(visits: pd.DataFrame, persons: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return what ``by_household`` does, parted as persons answered.

    Visits without persons keep the household's columns. From 2016 Q2 to 2019 Q1 the parts add up to the household's
    income at all but 14 of 178,979 visits, where of a person only the whole income is known; the household's
    columns fail to at 14,695.

    Returns
    -------
    incomes : DataFrame
    differing : int
        Visits whose parts differ from the household's income by a peso or more.
    """
    of_persons = {part: _sum(persons, columns) for part, columns in _BY_PERSON.items()}
    parted = sum(of_persons[part] for part in of_persons if part[0] != "wage")
    # What is left of the total is other income: V18_M, V19_AM, and what some totals hold beyond their parts.
    of_persons["transfer", "other"] = (_sum(persons, (_NOT_FROM_WORK,)) - parted).clip(lower=0.0)
    answers = persons[["household_id", "day"]].assign(**{"/".join(part): of_persons[part] for part in of_persons})
    totals = answers.groupby(["household_id", "day"]).sum()
    of_visit = pd.MultiIndex.from_frame(visits[["household_id", "day"]])
    have_persons = visits["answered"] & of_visit.isin(totals.index)
    asked = visits[have_persons]
    amounts = {
        part: pd.Series(totals["/".join(part)].reindex(of_visit[have_persons]).to_numpy(), index=asked.index)
        for part in of_persons
    }
    differing = int(((sum(amounts.values()) - asked["ITF"]).abs() >= 1).sum())
    others = by_household(visits[~have_persons])
    return pd.concat([_rows(asked, amounts), others], ignore_index=True), differing


def _sum(persons: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series[Any]:
    """Return the pesos in some columns; what was not answered (-9) or not asked adds nothing."""
    return persons[list(columns)].astype(float).clip(lower=0.0).sum(axis=1)


def _rows(visits: pd.DataFrame, amounts: Mapping[Part, pd.Series[Any]]) -> pd.DataFrame:
    frames = [
        dated(visits, source=source, part=part, amount_yuan=amount) for (source, part), amount in amounts.items()
    ]
    incomes = pd.concat(frames, ignore_index=True)
    return incomes[incomes["amount_yuan"].notna()]
