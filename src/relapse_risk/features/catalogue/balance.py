"""The balance that a county judges by: net income and claims, less compliant self-paid spending, to the line.

All of it is per month and relative to the household's line in force on the as_of day, as the county would compute it. The
balance itself is the county's: all that came in within the window, spread over it. The others count the months that are
accounted for, so that months whose records are not in yet are not taken for months without income. A household of which
no income is known has no balance; one of which no bill is known spent nothing.
"""

from __future__ import annotations

from relapse_risk.features.catalogue.incomes import BUT_WAGES, CUSHION, UNIT, net
from relapse_risk.features.declare import ACCOUNT, YEAR, Feature, Missing, Scale, Series
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.records.codes import Label

#: Months that show what wages a household has now.
QUARTER = 3
RISK = "income"
#: The same, month by month: its course.
BY_MONTH = Series(ACCOUNT, "balance_yuan", by_month=True, scale=Scale.LINE_NOW)
PAID = Series("expenses", "self_paid_yuan", scale=Scale.LINE_NOW)


def _income(name: str, word: Label, months: int, *sources: str, skip: int = 0) -> Feature:
    return Feature(name, word, UNIT, net(Scale.LINE_NOW, *sources), A.MONTHLY, months, skip=skip,
                   account=net(Scale.LINE_NOW), risk_type=RISK, monotone=-1)  # fmt: skip


def _name(name: str, months: int, skip: int) -> str:
    return f"{name}_{months}m_skip_{skip}m" if skip else f"{name}_{months}m"


def _span(months: int, skip: int) -> Label:
    if skip:
        return Label(f"{skip}至{skip + months}个月前", f"{skip} to {skip + months} months ago")
    return Label(f"近{months}个月", f"{months} months")


def _net(months: int, skip: int = 0) -> Feature:
    span = _span(months, skip)
    word = Label(f"{span.zh}月均纯收入(按现行监测线)", f"net income a month, {span.en}, to the line now")
    return _income(_name("net_now", months, skip), word, months, skip=skip)


def _paid(months: int, skip: int = 0) -> Feature:
    span = _span(months, skip)
    word = Label(
        f"{span.zh}月均合规自付支出(按现行监测线)", f"self-paid spending a month, {span.en}, to the line now"
    )
    return Feature(_name("paid_now", months, skip), word, UNIT, PAID, A.RATIO, months, skip=skip, missing=Missing.ZERO,
                   risk_type=RISK, monotone=1)  # fmt: skip


Terms = tuple[tuple[float, Feature], ...]


def _sum(
    name: str, word: Label, terms: Terms, missing: Missing = Missing.NOT_RECORDED, monotone: int = -1
) -> Feature:
    return Feature(name, word, UNIT, terms[0][1].series, A.TERMS, missing=missing, risk_type=RISK, monotone=monotone,
                   terms=terms)  # fmt: skip


def _accounted(months: int, skip: int = 0, sign: float = 1.0) -> Terms:
    return (sign, _net(months, skip)), (-sign, _paid(months, skip))


def _balance(months: int) -> Feature:
    span = _span(months, 0)
    whole = Feature(f"net_in_all_{months}m", Label(f"{span.zh}纯收入合计(按现行监测线,每月)",
                                                   f"all net income of {span.en}, a month, to the line now"),
                    UNIT, net(Scale.LINE_NOW), A.RATIO, months, risk_type=RISK, monotone=-1)  # fmt: skip
    word = Label(f"近{months}个月月均结余(纯收入和理赔减合规自付,按现行监测线)",
                 f"balance a month, {months} months: net income and claims less self-paid spending, to the line now")  # fmt: skip
    return _sum(f"balance_{months}m", word, ((1.0, whole), (-1.0, _paid(months))))


def features(horizon_months: int) -> tuple[Feature, ...]:
    """Return the features of the balance.

    Parameters
    ----------
    horizon_months : int
        Months ahead that are predicted; one feature is what those months brought a year before.
    """
    ahead = min(horizon_months, YEAR)
    paid = _paid(YEAR)
    others = _income(
        "other_now_12m",
        Label("近12个月月均非工资纯收入(按现行监测线)", "net income but wages a month, 12 months, to the line now"),
        YEAR,
        *BUT_WAGES,
    )
    lately = _income(
        f"wage_now_{QUARTER}m",
        Label(f"近{QUARTER}个月月均工资(按现行监测线)", f"wages a month, {QUARTER} months, to the line now"),
        QUARTER,
        "wage",
    )
    found = [
        *(_balance(months) for months in (6, 12, 24)),
        _sum("balance_accounted_12m",
             Label("近12个月月均结余(收入只按已核算月份)", "balance a month, 12 months, income of the months accounted for"),
             _accounted(YEAR)),
        Feature("balance_gap_12m",
                Label(f"近12个月月均结余高出监测线几个标准差(标准差加{CUSHION:g}倍线)",
                      f"standard deviations (plus {CUSHION:g} lines) of the monthly balance above the line, 12 months"),
                "standard deviations", BY_MONTH, A.MARGIN, 12, missing=Missing.TOO_FEW, risk_type=RISK,
                cushion=CUSHION),
        Feature("balance_std_12m", Label("近12个月月结余的标准差", "standard deviation of the monthly balance, 12 months"),
                UNIT, BY_MONTH, A.STD, 12, missing=Missing.TOO_FEW, risk_type=RISK),
        Feature("balance_slope_12m", Label("近12个月月结余的走势", "trend of the monthly balance over 12 months"),
                "line a month", BY_MONTH, A.SLOPE, 12, missing=Missing.TOO_FEW, risk_type=RISK),
        Feature("balance_below_12m", Label("近12个月结余低于监测线的月数", "months with a balance below the line in 12 months"),
                "months", BY_MONTH, A.BELOW, 12, risk_type=RISK, monotone=1),
        _sum("balance_change_12m", Label("近12个月月均结余较上年同期的变化", "balance a month, 12 months, less a year before"),
             (*_accounted(YEAR), *_accounted(YEAR, skip=YEAR, sign=-1.0)), missing=Missing.TOO_FEW, monotone=0),
        _net(YEAR),
        paid,
        _sum("balance_without_wages_12m", Label("不计工资的近12个月月均结余", "balance a month, 12 months, without wages"),
             ((1.0, others), (-1.0, paid))),
        _sum("balance_at_recent_wages_12m",
             Label(f"工资按近{QUARTER}个月水平计的近12个月月均结余", f"balance a month, 12 months, with wages as in the last {QUARTER}"),
             ((1.0, others), (1.0, lately), (-1.0, paid))),
    ]  # fmt: skip
    if ahead < YEAR:  # the months a year ahead are those of the year behind
        found.append(_sum("balance_ahead_last_year",
                          Label("上年同期(预测期对应月份)月均结余", "balance a month in the coming months a year ago"),
                          _accounted(ahead, YEAR - ahead)))  # fmt: skip
        kept = YEAR - ahead
        wages = _income(f"wage_now_{kept}m", Label(f"近{kept}个月月均工资(按现行监测线)", f"wages a month, {kept} months, to the line now"),
                        kept, "wage")  # fmt: skip
        word = Label(f"{ahead}个月后的12个月月均结余(工资按近{QUARTER}个月水平,其余同上年)",
                     f"balance a month, 12 months, in {ahead} months: wages as in the last {QUARTER}, all else as a year ago")  # fmt: skip
        terms = ((1.0, others), (kept / YEAR, wages), (ahead / YEAR, lately), (-1.0, paid))
        found.append(_sum("balance_at_horizon_12m", word, terms))
    return tuple(found)
