"""The record tables. Every row says when it happened (``occurred_on``) and when the county's system first held
it (``known_on``).

Ids are text, always. Money is yuan, or the currency the settings name, and never negative. A correction is a
new row with the same key and a later ``known_on``: nothing that was once known is overwritten.
"""

from __future__ import annotations

from relapse_risk.records import codes
from relapse_risk.records.codes import Codes
from relapse_risk.records.columns import Column, Kind, Table

#: No amount, area or answer is larger, in any currency; sums and squares of larger ones would overflow.
_MOST_MONEY, _MOST_MU = 1e12, 1e6


def _household() -> Column:
    return _id("户编号", "household id")


def _occurred(en: str) -> Column:
    return Column(Kind.DATE, "发生日期", en, "date")


def _known() -> Column:
    return Column(
        Kind.DATE, "入库日期", "day the county's system first held the row", "date", not_before="occurred_on"
    )


def _id(zh: str, en: str, *, nullable: bool = False, optional: bool = False) -> Column:
    return Column(Kind.ID, zh, en, nullable=nullable, optional=optional)


def _code(zh: str, en: str, of: Codes, *, nullable: bool = False, optional: bool = False) -> Column:
    return Column(Kind.CODE, zh, en, codes=of, nullable=nullable, optional=optional)


def _persons(zh: str, en: str, *, optional: bool = False) -> Column:
    return Column(
        Kind.INTEGER,
        zh,
        en,
        "persons",
        nullable=True,
        optional=optional,
        minimum=0,
        maximum=99,
        at_most="n_members",
    )


def _grade(zh: str, en: str, *, optional: bool = False) -> Column:
    description = f"{en}: 0 fine, 1 concern, 2 serious, missing not looked at"
    return Column(Kind.INTEGER, zh, description, "grade", nullable=True, optional=optional, minimum=0, maximum=2)


def _yuan(
    zh: str, en: str, *, nullable: bool = False, optional: bool = False, at_most: str | None = None
) -> Column:
    return Column(
        Kind.NUMBER,
        zh,
        en,
        "yuan",
        nullable=nullable,
        optional=optional,
        minimum=0,
        maximum=_MOST_MONEY,
        at_most=at_most,
    )


def _mu(zh: str, en: str, *, optional: bool = False) -> Column:
    return Column(Kind.NUMBER, zh, en, "mu", nullable=True, optional=optional, minimum=0, maximum=_MOST_MU)


def _flag(zh: str, en: str, *, nullable: bool = True, optional: bool = False) -> Column:
    return Column(Kind.FLAG, zh, en, nullable=nullable, optional=optional)


class Households(Table):
    """A household's profile from ``occurred_on`` on; a change adds a row."""

    name = "households"
    key = ("household_id", "occurred_on")
    required = True

    household_id = _household()
    occurred_on = _occurred("day from which the profile holds")
    known_on = _known()
    grid_id = _id("网格", "grid the household lies in")
    village_id = _id("村", "village", nullable=True)
    township_id = _id("乡镇", "township", nullable=True)
    household_type = _code("户类型", "household type", codes.HOUSEHOLD_TYPE, nullable=True)
    lifted_on = Column(Kind.DATE, "脱贫日期", "day the household was lifted out of poverty", "date", nullable=True)
    n_members = Column(Kind.INTEGER, "家庭人口", "members", "persons", nullable=True, minimum=1, maximum=99)
    n_labour = _persons("劳动力人数", "members able to work")
    n_students = _persons("在校生人数", "members at school")
    n_elderly = _persons("老年人数", "members aged 60 or more (65 in the panel)")
    n_chronic = _persons("长期慢性病人数", "members with a chronic illness")
    n_major_illness = _persons("大病人数", "members with a major illness")
    n_disabled = _persons("残疾人数", "members with a disability")
    dibao = _flag("低保", "receives the subsistence allowance")
    housing_grade = _code("危房等级", "housing hazard grade", codes.HOUSING_GRADE, nullable=True)
    land_mu = _mu("耕地面积", "farm land")
    orchard_mu = _mu("林果面积", "orchard")
    relocated = _flag("易地搬迁", "relocated for poverty relief")
    line_units = Column(
        Kind.NUMBER,
        "核算人口",
        "members the line counts, where that is not n_members (adult equivalents in the panel)",
        "persons",
        nullable=True,
        optional=True,
        minimum=0.1,
        maximum=99,
    )


class Visits(Table):
    """One visit: the six looks, each graded or not looked at."""

    name = "visits"
    key = ("household_id", "visit_id")
    required = True

    household_id = _household()
    occurred_on = _occurred("day of the visit")
    known_on = _known()
    visit_id = _id("走访编号", "visit id")
    worker_id = _id("网格员", "grid worker", nullable=True)
    yard = _grade("看院子", "the yard")
    house = _grade("看房子", "the house")
    cupboard = _grade("看柜子", "the cupboard (food, clothing)")
    tap = _grade("看水龙头", "the tap (water)")
    health = _grade("看健康", "health")
    children = _grade("看孩子", "the children (schooling)")
    clue_raised = _flag("发现线索", "a risk clue was raised")


class Observations(Table):
    """A further coded answer at a visit, for the items the settings declare.

    The six looks are few; counties (and the panel) ask more. One row is one item answered on one day, as a number.
    """

    name = "observations"
    key = ("household_id", "occurred_on", "item")

    household_id = _household()
    occurred_on = _occurred("day of the answer")
    known_on = _known()
    item = Column(Kind.TEXT, "观察项", "item, as declared in the settings")
    value = Column(
        Kind.NUMBER,
        "取值",
        "the coded answer",
        "code",
        nullable=True,
        minimum=-_MOST_MONEY,
        maximum=_MOST_MONEY,
    )


class Incomes(Table):
    """An amount received, or a production cost paid, for the ``months`` that end with ``occurred_on``'s month.

    One row a day, source and part; zero is an answer (nothing was received), no row is no answer.
    """

    name = "incomes"
    key = ("household_id", "occurred_on", "source", "part")
    required = True

    household_id = _household()
    occurred_on = _occurred("day or month end the amount stands for; the last one of a longer period")
    known_on = _known()
    source = _code("收入来源", "source", codes.INCOME_SOURCE)
    part = _code("收入细项", "part of the source", codes.INCOME_PART, nullable=True, optional=True)
    amount_yuan = _yuan("金额", "amount of the whole period, before costs")
    months = Column(
        Kind.INTEGER,
        "核算月数",
        "months the amount stands for, the last one being that of occurred_on; missing: 1",
        "months",
        nullable=True,
        optional=True,
        minimum=1,
        maximum=60,
    )


class Statuses(Table):
    """An observation of being poor or not.

    A registry's identification is ``poor`` on the day of identification, its elimination not ``poor``; an income
    account or a survey compares income with the line.
    """

    name = "statuses"
    key = ("household_id", "occurred_on", "origin")
    required = True

    household_id = _household()
    occurred_on = _occurred("day of the observation")
    known_on = _known()
    poor = _flag("是否返贫致贫", "poor", nullable=False)
    origin = _code("来源", "where the status comes from", codes.STATUS_ORIGIN)
    risk_types = Column(
        Kind.CODE_SET, "致贫返贫风险", "risk types, at most five", codes=codes.RISK_TYPE, nullable=True, maximum=5
    )


class Expenses(Table):
    """Rigid spending: one bill, or a day's bills of a kind where nothing distinguishes bills."""

    name = "expenses"
    key = ("household_id", "occurred_on", "kind", "bill_id")

    household_id = _household()
    occurred_on = _occurred("day of the spending")
    known_on = _known()
    kind = _code("支出类别", "kind", codes.EXPENSE_KIND)
    bill_id = _id(
        "单据编号", "number of the bill, where bills of a day are distinguished", nullable=True, optional=True
    )
    total_yuan = _yuan("总费用", "the whole bill", nullable=True)
    reimbursed_yuan = _yuan("报销金额", "reimbursed", nullable=True)
    self_paid_yuan = _yuan("合规自付", "compliant self-paid part", nullable=True)


class Shocks(Table):
    """An event that hit the household."""

    name = "shocks"
    key = ("household_id", "occurred_on", "kind")

    household_id = _household()
    occurred_on = _occurred("day of the event")
    known_on = _known()
    kind = _code("冲击类别", "kind", codes.SHOCK_KIND)


class Supports(Table):
    """A support measure, from ``occurred_on`` until ``ended_on``.

    An end later than ``known_on`` counts as known on its own day: until then the measure runs.
    """

    name = "supports"
    key = ("household_id", "occurred_on", "kind")

    household_id = _household()
    occurred_on = _occurred("day the measure began")
    known_on = _known()
    kind = _code("帮扶措施", "measure", codes.MEASURE)
    ended_on = Column(
        Kind.DATE,
        "结束日期",
        "day the measure ended; missing while it runs",
        "date",
        nullable=True,
        not_before="occurred_on",
    )
    amount_yuan = _yuan("金额", "money value, where it has one", nullable=True)


class Members(Table):
    """A person's profile from ``occurred_on`` on, as in the national form's member table; a change adds a row.

    Person ids are opaque, the same in ``employment``, and hold within the household.
    """

    name = "members"
    key = ("household_id", "person_id", "occurred_on")

    household_id = _household()
    occurred_on = _occurred("day from which the profile holds")
    known_on = _known()
    person_id = Column(Kind.ID, "人员编号", "person id, opaque", of_person=True)
    in_household = _flag("是否在户", "still a member; missing: yes", optional=True)
    relation = _code("与户主关系", "relation to the head", codes.RELATION, nullable=True)
    sex = _code("性别", "sex", codes.SEX, nullable=True)
    birth_month = Column(
        Kind.DATE,
        "出生年月",
        "a day of the month of birth, whichever",
        "month",
        nullable=True,
        not_after="occurred_on",
    )
    schooling = _code("文化程度", "schooling finished", codes.SCHOOLING, nullable=True)
    at_school = _code("在校生状况", "school attended now", codes.SCHOOL_STAGE, nullable=True)
    health = Column(Kind.CODE_SET, "健康状况", "health", codes=codes.HEALTH, nullable=True)
    labour_skill = _code("劳动技能", "ability to work", codes.LABOUR_SKILL, nullable=True)
    insurance = Column(Kind.CODE_SET, "参保情况", "insurances", codes=codes.INSURANCE, nullable=True)


class Employment(Table):
    """A person's month in the real-name employment ledger (就业实名制台账), with the main job of that month."""

    name = "employment"
    key = ("household_id", "person_id", "occurred_on")

    household_id = _household()
    occurred_on = _occurred("a day of the month the row stands for")
    known_on = _known()
    person_id = Column(Kind.ID, "人员编号", "person id, opaque", of_person=True)
    employed = _flag("是否已务工", "in work that month", nullable=False)
    workplace = _code("务工所在地", "where the work is", codes.WORKPLACE, nullable=True)
    wage_yuan = _yuan("工资", "pay of the month from all work, one-off parts included", nullable=True)
    one_off_yuan = _yuan(
        "其中一次性收入",
        "part of the pay that does not come every month: bonuses, thirteenth wages, back pay",
        nullable=True,
        optional=True,
        at_most="wage_yuan",
    )
    industry = _code("所属行业", "industry", codes.INDUSTRY, nullable=True, optional=True)
    work_status = _code("从业身份", "employed by others or not", codes.WORK_STATUS, nullable=True, optional=True)
    contract = _code("合同类型", "kind of contract", codes.CONTRACT, nullable=True, optional=True)
    formal = _flag("是否缴纳社保", "the work pays into social insurance", optional=True)
    channel = _code("就业渠道", "how the work was found", codes.WORK_CHANNEL, nullable=True, optional=True)
    distance_km = Column(
        Kind.NUMBER,
        "务工距离",
        "distance from home to the work",
        "km",
        nullable=True,
        optional=True,
        minimum=0,
        maximum=20_000,
    )
    started_on = Column(
        Kind.DATE, "开始时间", "day the work began", "date", nullable=True, optional=True, not_after="known_on"
    )
    ended_on = Column(
        Kind.DATE,
        "结束时间",
        "day the work ended or will end; missing while no end is known",
        "date",
        nullable=True,
        optional=True,
        not_before="started_on",
    )
    months_worked = Column(
        Kind.NUMBER,
        "务工时间",
        "months in work of the last 12",
        "months",
        nullable=True,
        optional=True,
        minimum=0,
        maximum=12,
    )
    hours_week = Column(
        Kind.NUMBER, "周工时", "hours of work a week", "hours", nullable=True, optional=True, minimum=0, maximum=168
    )
    seeking = _flag("是否求职", "looks for work", optional=True)
    seeking_since = Column(
        Kind.DATE,
        "求职开始时间",
        "day since which the person looks for work",
        "date",
        nullable=True,
        optional=True,
        not_after="known_on",
    )


class Grids(Table):
    """A grid from ``occurred_on`` on: grids are redrawn, and their workers change."""

    name = "grids"
    key = ("grid_id", "occurred_on")

    occurred_on = _occurred("day from which the grid is drawn so")
    known_on = _known()
    grid_id = _id("网格", "grid id")
    village_id = _id("村", "village", nullable=True)
    township_id = _id("乡镇", "township", nullable=True)
    worker_id = _id("网格员", "grid worker", nullable=True)


TABLES: dict[str, type[Table]] = {
    table.name: table
    for table in (
        Households,
        Visits,
        Observations,
        Incomes,
        Statuses,
        Expenses,
        Shocks,
        Supports,
        Members,
        Employment,
        Grids,
    )
}
"""All record tables by name. The order is the order of reports."""

MONEY_TABLES = ("incomes", "expenses", "supports", "employment")
"""Tables with amounts, which are compared with the monitoring line of their day."""
