"""Table ``employment``: the work of every person aged ten or more, at each visit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from relapse_risk.datasets.eph.frames import NO, YES, dated
from relapse_risk.datasets.eph.incomes import ONE_OFF_PAY

#: Columns that are read.
COLUMNS = (
    *("ESTADO", "CAT_OCUP", "P21", "TOT_P12", *ONE_OFF_PAY, "PP04B_COD", "PP04B1", "PP07C", "PP07D", "PP07E"),
    *("PP07H", "PP07I", "PP3E_TOT", "PP3F_TOT", "PP05H", "PP07A", "PP03J", "PP10A"),
)
_EMPLOYED, _UNEMPLOYED, _INACTIVE = 1, 2, 3
_EMPLOYER, _SELF_EMPLOYED, _EMPLOYEE, _FAMILY_WORKER = 1, 2, 3, 4
_WORK_STATUS = {
    _EMPLOYER: "employer",
    _SELF_EMPLOYED: "self_employed",
    _EMPLOYEE: "employee",
    _FAMILY_WORKER: "family_worker",
}
NO_HOURS = 999
HOURS_OF_A_WEEK = 168
#: Divisions of CAES-Mercosur, first and last, and the section of GB/T 4754 that is closest. 99 is
#: an activity that is not known well enough, or of an international body.
_DIVISIONS = (
    (1, 3, "agriculture"),
    (5, 9, "mining"),
    (10, 33, "manufacturing"),
    (35, 36, "utilities"),
    (37, 39, "public_facilities"),
    (40, 43, "construction"),
    (45, 48, "trade"),
    (49, 53, "transport"),
    (55, 56, "catering"),
    (58, 63, "information"),
    (64, 66, "finance"),
    (68, 68, "real_estate"),
    (69, 70, "business_services"),
    (71, 72, "science"),
    (73, 73, "business_services"),
    (74, 75, "science"),
    (77, 82, "business_services"),
    (83, 84, "government"),
    (85, 85, "education"),
    (86, 88, "health"),
    (90, 93, "culture"),
    (94, 94, "government"),
    (95, 96, "resident_services"),
    (97, 98, "domestic"),
    (99, 99, "other"),
)
INDUSTRY = {division: industry for first, last, industry in _DIVISIONS for division in range(first, last + 1)}
#: Days of work so far by the band answered: the middle of up to 1, 3, 6, 12 months and 5 years; 10 years where it
#: is longer.
TENURE_DAYS = {1: 15, 2: 61, 3: 137, 4: 274, 5: 1096, 6: 3652}
#: Days of looking for work, likewise; two years where it is more than one.
SEEKING_DAYS = {1: 15, 2: 61, 3: 137, 4: 274, 5: 730}
_HAS_AN_END, _HAS_NO_END, _END_UNKNOWN = YES, NO, 9
_ODD_JOB, _LENGTHS = 1, (2, 3, 4, 5)
_EMPLOYMENT_PLAN, _TRIAL, _TRAINEE = 1, 2, 3


def ledger(persons: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each person of ten years or more and visit; who was not interviewed has none.

    Who is out of work may have pay of earlier work. Of the self-employed it is not asked whether they pay into
    social insurance, of domestic workers not since when they work.
    """
    of_age = persons[persons["ESTADO"].isin([_EMPLOYED, _UNEMPLOYED, _INACTIVE])]
    employed = of_age["ESTADO"].eq(_EMPLOYED)
    at_work, one_off = of_age.where(employed), _one_off(of_age, employed)
    return dated(
        of_age,
        person_id=of_age["person_id"],
        employed=employed,
        wage_yuan=_pesos(of_age["P21"]) + _pesos(of_age["TOT_P12"]) + one_off,
        one_off_yuan=one_off,
        industry=_industry(at_work),
        work_status=at_work["CAT_OCUP"].map(_WORK_STATUS),
        contract=_contract(at_work),
        formal=_formal(at_work),
        # An employment plan is work that the state hands out.
        channel=at_work["PP07E"].map({_EMPLOYMENT_PLAN: "welfare_post"}),
        started_on=_days_back(of_age, _tenure_days(at_work)),
        hours_week=_hours(at_work),
        seeking=of_age["ESTADO"].eq(_UNEMPLOYED) | at_work["PP03J"].eq(YES).fillna(value=False),
        seeking_since=_days_back(of_age, of_age["PP10A"].map(SEEKING_DAYS)),
    )


def _pesos(answer: pd.Series[Any]) -> pd.Series[Any]:
    """Return money, NaN where it was not answered (-9)."""
    money = answer.astype(float)
    return money.where(money >= 0)


def _one_off(persons: pd.DataFrame, employed: pd.Series[bool]) -> pd.Series[Any]:
    parts = [_pesos(persons[column]) for column in ONE_OFF_PAY]
    return (parts[0] + parts[1] + parts[2]).where(employed, 0.0)


def _industry(at_work: pd.DataFrame) -> pd.Series[Any]:
    """Return the industry of a code of four digits, or of two where the rest is not known."""
    code = at_work["PP04B_COD"].astype(float)
    division = (code // 100).where(code >= 100, code)
    return division.map(INDUSTRY).mask(at_work["PP04B1"].eq(YES).fillna(value=False), "domestic")


def _contract(at_work: pd.DataFrame) -> pd.Series[Any]:
    """Return the contract of an employee by whether and when the job ends.

    A job that has an end at no known time ends with its task: the question names works, stand-ins and the like.
    """
    ends, length, kind = (at_work[column].astype(float) for column in ("PP07C", "PP07D", "PP07E"))
    fixed = length.isin(_LENGTHS) | kind.isin([_TRIAL, _TRAINEE])
    contract = np.select(
        [ends.eq(_HAS_NO_END), length.eq(_ODD_JOB), fixed, ends.eq(_HAS_AN_END)],
        ["open_ended", "casual", "fixed_term", "task"],
        default="",
    )
    return pd.Series(contract, index=at_work.index, dtype=object).replace("", None)


def _formal(at_work: pd.DataFrame) -> pd.Series[Any]:
    """Return whether an employee's pension is paid into, by the employer or by oneself."""
    deducted, by_oneself = at_work["PP07H"].astype(float), at_work["PP07I"].astype(float)
    paid = deducted.eq(YES) | by_oneself.eq(YES)
    return paid.where(paid | (deducted.eq(NO) & by_oneself.eq(NO))).astype("boolean")


def _tenure_days(at_work: pd.DataFrame) -> pd.Series[Any]:
    return at_work["PP07A"].map(TENURE_DAYS).fillna(at_work["PP05H"].map(TENURE_DAYS))


def _days_back(persons: pd.DataFrame, days: pd.Series[Any]) -> pd.Series[Any]:
    """Return the day that lies so many days before the visit."""
    return persons["day"] - pd.to_timedelta(days.astype(float), unit="D")


def _hours(at_work: pd.DataFrame) -> pd.Series[Any]:
    """Return the hours of all work in the week; more than a week has are no answer."""
    main, others = (at_work[column].astype(float) for column in ("PP3E_TOT", "PP3F_TOT"))
    hours = main.mask(main == NO_HOURS) + others.mask(others == NO_HOURS)
    return hours.where(hours <= HOURS_OF_A_WEEK)
