"""The members' jobs, by the latest month of the ledger of each: pay, formality, tenure, and the main earner's.

Pay is without one-off parts, to the household's line on the as_of day.
"""

from __future__ import annotations

from dataclasses import replace

from relapse_risk.features.catalogue.members import across, count
from relapse_risk.features.catalogue.person_values import (
    AGE,
    CONSTRUCTION,
    DOMESTIC,
    EMPLOYED,
    ENDED,
    FORMAL,
    HOURS,
    INDUSTRY,
    MONTHS_IN_LEDGER,
    MONTHS_WORKED,
    PAY,
    PAY_CHANGE,
    RECORDED,
    SCHOOLING,
    SEARCH,
    SEEKING,
    TEMPORARY,
    TENURE,
    UNPAID,
    WORKED_IN_YEAR,
    no,
    yes,
)
from relapse_risk.features.declare import Across, Condition, Feature, How, Missing
from relapse_risk.records import codes
from relapse_risk.records.codes import Label

RISK = "unstable_work"
#: Days of a year and of half a year, at least.
YEAR_DAYS, HALF_YEAR_DAYS = 365.0, 183.0
IN_WORK = yes(EMPLOYED)


def _pay(name: str, word: Label, *where: Condition) -> Feature:
    return across(name, word, PAY, How.SUM, *where, missing=Missing.ZERO, risk_type=RISK)


def _share(name: str, word: Label, *where: Condition) -> Feature:
    return across(name, word, PAY, How.SHARE, *where, unit="share", risk_type=RISK)


def _main(name: str, zh: str, en: str, value: Feature) -> Feature:
    word = Label(f"主要劳动力(工资最高成员){zh}", f"main earner's {en}")
    return across(f"main_earner_{name}", word, value, How.OF_MAIN_EARNER, risk_type=RISK)


PAY_INFORMAL = _pay(
    "pay_informal", Label("未缴社保成员月工资合计", "pay a month of members in informal work"), no(FORMAL)
)
PAY_TEMPORARY = _pay(
    "pay_temporary", Label("临时性务工成员月工资合计", "pay a month of members in temporary work"), yes(TEMPORARY)
)

FEATURES: tuple[Feature, ...] = (
    across("pay_formal", Label("缴纳社保成员月工资合计", "pay a month of members in formal work"), PAY, How.SUM, yes(FORMAL),
           missing=Missing.ZERO, risk_type=RISK, monotone=-1),
    PAY_INFORMAL,
    PAY_TEMPORARY,
    _share("pay_informal_share", Label("未缴社保的工资占比", "share of pay from informal work"), no(FORMAL)),
    across("pay_largest", Label("工资最高成员的月工资", "largest pay a month of a member"), PAY, How.MAX, risk_type=RISK),
    across("pay_concentration", Label("工资集中度(各成员占比平方和)", "concentration of pay: sum of squared shares of members"), PAY,
           How.CONCENTRATION, unit="share", risk_type=RISK),
    count("workers", Label("最近一月务工人数", "members in work, latest month of each"), EMPLOYED, IN_WORK, risk_type=RISK),
    across("workers_share", Label("务工人数占成员比例", "share of members in work"), RECORDED, How.SHARE, IN_WORK, unit="share",
           risk_type="labour_shortage", monotone=-1),
    count("workers_formal", Label("缴纳社保的务工人数", "members in formal work"), EMPLOYED, IN_WORK, yes(FORMAL), risk_type=RISK),
    count("workers_informal", Label("未缴社保的务工人数", "members in informal work"), EMPLOYED, IN_WORK, no(FORMAL), risk_type=RISK),
    count("workers_temporary", Label("临时性务工人数", "members in temporary work"), EMPLOYED, IN_WORK, yes(TEMPORARY), risk_type=RISK),
    count("workers_new", Label("本份工作不满一年的人数", "members in their job for less than a year"), EMPLOYED, IN_WORK,
          Condition(TENURE, high=YEAR_DAYS), risk_type=RISK),
    count("workers_ending_6m", Label("工作半年内到期的人数", "members whose work ends within half a year"), EMPLOYED, IN_WORK,
          Condition(ENDED, low=-HALF_YEAR_DAYS, high=1.0), risk_type=RISK),
    count("workers_domestic", Label("从事家政的人数", "members in domestic work"), EMPLOYED, IN_WORK, yes(DOMESTIC), risk_type=RISK),
    count("workers_construction", Label("从事建筑业的人数", "members in construction"), EMPLOYED, IN_WORK, yes(CONSTRUCTION),
          risk_type=RISK),
    count("workers_unpaid", Label("务工无报酬的人数", "members in work without pay"), EMPLOYED, yes(UNPAID), risk_type=RISK),
    count("seekers", Label("正在求职的人数", "members looking for work"), SEEKING, yes(SEEKING), risk_type=RISK, monotone=1),
    across("search_longest", Label("求职最久成员的求职天数", "longest search for work of a member"), SEARCH, How.MAX, yes(SEEKING),
           missing=Missing.NEVER, risk_type=RISK),
    across("tenure_mean", Label("务工成员本份工作平均已做天数", "mean days in the job of members in work"), TENURE, How.MEAN, IN_WORK,
           risk_type=RISK),
    across("hours_mean", Label("务工成员平均每周工时", "mean hours a week of members in work"), HOURS, How.MEAN, IN_WORK, risk_type=RISK),
    across("hours_total", Label("务工成员每周工时合计", "hours a week of all members in work"), HOURS, How.SUM, IN_WORK, risk_type=RISK),
    across("schooling_of_workers", Label("务工成员平均受教育年限", "mean years of school of members in work"), SCHOOLING, How.MEAN,
           IN_WORK, risk_type=RISK),
    _main("age", "年龄", "age", AGE),
    _main("schooling", "受教育年限", "years of school", SCHOOLING),
    _main("tenure", "本份工作已做天数", "days in the job", TENURE),
    _main("formal", "是否缴纳社保", "work pays into social insurance (1 yes, 0 no)", FORMAL),
    replace(INDUSTRY, name="main_earner_industry", label=Label("主要劳动力(工资最高成员)所属行业", "main earner's industry"),
            risk_type=RISK, codes=codes.INDUSTRY, across=Across(How.OF_MAIN_EARNER)),
    _main("months_worked", "近一年务工月数", "months in work of the last 12", MONTHS_WORKED),
    across("months_worked_least", Label("务工成员近一年务工月数的最小值", "fewest months in work of the last 12 of a member in work"),
           MONTHS_WORKED, How.MIN, IN_WORK, risk_type=RISK),
    across("months_in_work_least", Label("务过工成员近12个月台账务工月数的最小值", "fewest months in work in the ledger, of 12, of a member who worked"),
           MONTHS_IN_LEDGER, How.MIN, Condition(MONTHS_IN_LEDGER, low=1.0), risk_type=RISK),
    across("pay_change_lowest", Label("成员月工资较一年前的最大降幅(降为负)", "largest fall of a member's pay on a year before (negative)"),
           PAY_CHANGE, How.MIN, missing=Missing.TOO_FEW, risk_type=RISK),
    count("stopped_work_12m", Label("近12个月停止务工的人数", "members who stopped working within 12 months"), EMPLOYED, no(EMPLOYED),
          yes(WORKED_IN_YEAR), risk_type=RISK),
)  # fmt: skip
