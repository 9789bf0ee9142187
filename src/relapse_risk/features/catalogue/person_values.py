"""One person's values (age, pay, ...).

``members.py`` and ``jobs.py`` count or average them over the household, or filter by them. A job's values are those
of the person's latest month in the employment ledger, within the last 12 months.
"""

from __future__ import annotations

from relapse_risk.features.across import LEDGER
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.features.declare import Condition, Feature, Missing, Scale, Series
from relapse_risk.records.codes import Label

YEAR = 12


def _series(table: str, value: str | None = None, scale: Scale = Scale.NONE) -> Series:
    return Series(table, value, scale=scale, by_person=True)


def _member(value: str, zh: str, en: str, unit: str, how: A = A.LAST, *, name: str = "") -> Feature:
    return Feature(f"person_{name or value}", Label(zh, en), unit, _series("members", value), how)


def _job(
    value: str, zh: str, en: str, unit: str, how: A = A.LAST, scale: Scale = Scale.NONE, *, name: str = ""
) -> Feature:
    return Feature(f"person_{name or value}", Label(zh, en), unit, _series("employment", value, scale), how, YEAR,
                   account=LEDGER)  # fmt: skip


AGE = _member("born_month", "年龄", "age", "years", A.AGE, name="age")
RECORDED = Feature(
    "person_recorded", Label("是否在成员表", "in the member table (1 yes)"), "flag", _series("members"), A.LAST
)
STILL_MEMBER = _member("still_member", "是否在户", "still a member (1 yes, 0 no)", "flag")
MEMBER_YEAR_AGO = Feature("person_member_year_ago", Label("一年前是否在户", "a member a year ago (1 yes, 0 no)"), "flag",
                          _series("members", "still_member"), A.LAST, skip=YEAR)  # fmt: skip
ROWS_YEAR_AGO = Feature("person_rows_year_ago", Label("一年前成员表的记录条数", "rows of the member table a year ago"), "rows",
                        _series("members"), A.COUNT, skip=YEAR)  # fmt: skip
SCHOOLING = _member("schooling_years", "受教育年限", "years of school", "years")
STUDENT = _member("student", "是否在校", "at school (1 yes, 0 no)", "flag")
CHRONIC = _member("chronic", "是否长期慢性病", "has a chronic illness (1 yes, 0 no)", "flag")
MAJOR_ILLNESS = _member("major_illness", "是否患大病", "has a major illness (1 yes, 0 no)", "flag")
DISABLED = _member("disabled", "是否残疾", "has a disability (1 yes, 0 no)", "flag")
NOT_FULLY_ABLE = _member(
    "not_fully_able", "是否弱劳力或丧失劳力", "able to work a little or no longer (1 yes, 0 no)", "flag"
)
MEDICAL_INSURED = _member("medical_insured", "是否参加医保", "has medical insurance (1 yes, 0 no)", "flag")
PENSION_INSURED = _member("pension_insured", "是否参加养老保险", "has pension insurance (1 yes, 0 no)", "flag")

EMPLOYED = _job("employed", "是否务工", "in work (1 yes, 0 no)", "flag")
PAY = _job(
    *("steady_pay_yuan", "月工资(不含一次性收入)", "pay a month without one-off parts", "line"),
    scale=Scale.LINE_NOW,
    name="pay",
)
FORMAL = _job("formal", "是否缴纳社保", "the work pays into social insurance (1 yes, 0 no)", "flag")
TEMPORARY = _job("temporary", "是否临时性务工", "temporary work (1 yes, 0 no)", "flag")
DOMESTIC = _job("domestic", "是否从事家政", "domestic work (1 yes, 0 no)", "flag")
CONSTRUCTION = _job("construction", "是否从事建筑业", "construction work (1 yes, 0 no)", "flag")
UNPAID = _job("unpaid", "是否务工无报酬", "in work without pay (1 yes, 0 no)", "flag")
TENURE = _job("started_on", "本份工作已做天数", "days in the job", "days", A.ELAPSED, name="tenure")
ENDED = _job(
    *("ended_on", "距工作结束的天数(未到期为负)", "days since the work ended, negative before", "days", A.ELAPSED),
    name="days_since_end",
)
HOURS = _job("hours_week", "每周工时", "hours of work a week", "hours")
MONTHS_WORKED = _job("months_worked", "近一年务工月数", "months in work of the last 12", "months")
INDUSTRY = _job("industry", "所属行业", "industry", "code")
SEEKING = _job("seeking", "是否求职", "looks for work (1 yes, 0 no)", "flag")
SEARCH = _job("seeking_since", "已求职天数", "days of looking for work", "days", A.ELAPSED, name="search")
MONTHS_IN_LEDGER = Feature("person_months_in_work_12m", Label("近12个月台账务工月数", "months in work in the ledger, of 12"),
                           "months", _series("employment", "employed"), A.SUM, YEAR)  # fmt: skip
WORKED_IN_YEAR = Feature("person_worked_12m", Label("近12个月是否务过工", "in work in some month of 12 (1 yes, 0 no)"), "flag",
                         _series("employment", "employed"), A.MAX, YEAR, missing=Missing.NOT_RECORDED)  # fmt: skip
PAY_CHANGE = Feature("person_pay_change", Label("月工资(不含一次性收入)较一年前的变化", "pay a month without one-off parts less a year before"),
                     "line", _series("employment", "steady_pay_yuan", Scale.LINE_NOW), A.LAST_CHANGE, YEAR)  # fmt: skip


def yes(flag: Feature) -> Condition:
    """Return the condition that a flag is 1."""
    return Condition(flag, low=1.0)


def no(flag: Feature) -> Condition:
    """Return the condition that a flag is 0."""
    return Condition(flag, high=1.0)


ADULT = Condition(AGE, low=18.0)
