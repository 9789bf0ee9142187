"""What was earned, always as a ratio to the monitoring line of its day: never in money, whose value moves.

Risk is held to fall as net income rises. Of a single source no direction is sure: at equal net income, more aid or
more business can mean more risk.
"""

from __future__ import annotations

from relapse_risk.features.declare import YEAR, Feature, Missing, Series
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.records.codes import Label

UNIT = "line"
#: Net income less production costs; insurance payouts count, as in the test against the line.
NET = Series("incomes", "net_yuan", by_month=True, in_line_units=True)
#: All that came in, before costs: the whole that a source's share is taken of.
GROSS = Series(
    "incomes",
    "amount_yuan",
    where=(("source", ("wage", "business", "property", "transfer", "claim")),),
    by_month=True,
    in_line_units=True,
)
#: What would be left were all wages lost.
NON_WAGE = Series(
    "incomes",
    "net_yuan",
    where=(("source", ("business", "property", "transfer", "claim", "production_cost")),),
    by_month=True,
    in_line_units=True,
)
LABOUR = Series("households", "n_labour")


def _of(column: str, *codes: str) -> Series:
    return Series("incomes", "amount_yuan", where=((column, codes),), by_month=True, in_line_units=True)


SOURCES = (
    ("wage", Label("工资性收入", "wage income"), "unstable_work"),
    ("business", Label("生产经营性收入", "business income"), "industry_failure"),
    ("property", Label("财产性收入", "property income"), "income"),
    ("transfer", Label("转移性收入", "transfer income"), "income"),
)
PARTS = (
    ("pension", Label("养老保险金", "pension"), ("pension",), "income"),
    ("relief", Label("低保金和社会救济", "subsistence allowance and relief"),
     ("dibao", "tekun", "social_relief"), "history"),
)  # fmt: skip


def _source(name: str, word: Label, risk_type: str) -> list[Feature]:
    series = _of("source", name)
    zh, en = word.zh, word.en
    return [
        Feature(f"{name}_last", Label(f"最近一月{zh}", f"last month's {en}"), UNIT,
                series, A.LAST, risk_type=risk_type),
        Feature(f"{name}_step", Label(f"{zh}较上次的变化", f"last month's {en} less that of the one before"), UNIT,
                series, A.STEP, missing=Missing.TOO_FEW, risk_type=risk_type),
        *(Feature(f"{name}_mean_{w}m", Label(f"近{w}个月月均{zh}",
                                            f"mean monthly {en}, {w} months"),
                  UNIT, series, A.MEAN, w, risk_type=risk_type) for w in (2, 6, 12, 24)),
        *(Feature(f"{name}_share_{w}m", Label(f"近{w}个月{zh}占比", f"share of {en} in {w} months"), "share",
                  series, A.SHARE, w, of=GROSS, risk_type=risk_type) for w in (12, 24)),
        Feature(f"{name}_change_12m", Label(f"近12个月月均{zh}较上年同期的变化", f"mean {en} less a year before"),
                UNIT, series, A.CHANGE, 12, missing=Missing.TOO_FEW, risk_type=risk_type),
    ]  # fmt: skip


def _part(name: str, word: Label, codes: tuple[str, ...], risk_type: str) -> list[Feature]:
    series = _of("part", *codes)
    zh, en = word.zh, word.en
    return [
        Feature(f"{name}_last", Label(f"最近一月{zh}", f"last month's {en}"), UNIT,
                series, A.LAST, risk_type=risk_type),
        Feature(f"{name}_share_24m", Label(f"近24个月{zh}占比", f"share of {en} in 24 months"), "share", series,
                A.SHARE, 24, of=GROSS, risk_type=risk_type),
    ]  # fmt: skip


def features(horizon_months: int) -> tuple[Feature, ...]:
    """Return the income features.

    Parameters
    ----------
    horizon_months : int
        Months ahead that are predicted: what those months brought a year before is told.
    """
    ahead = min(horizon_months, YEAR)
    return (
        *(Feature(f"net_ratio_{w}m", Label(f"近{w}个月纯收入合计", f"net income of {w} months"),
                  UNIT, NET, A.RATIO, w, risk_type="income", monotone=-1) for w in (2, 6, 12, 24)),
        *(Feature(f"net_mean_{w}m", Label(f"近{w}个月有记录月份的月均纯收入",
                                         f"mean net income of the months recorded, {w} months"),
                  UNIT, NET, A.MEAN, w, risk_type="income", monotone=-1) for w in (2, 6, 12, 24)),
        *(Feature(f"net_min_{w}m", Label(f"近{w}个月最低月纯收入",
                                        f"lowest month's net income, {w} months"),
                  UNIT, NET, A.MIN, w, risk_type="income", monotone=-1) for w in (6, 12, 24)),
        Feature("net_max_24m", Label("近24个月最高月纯收入",
                                     "highest month's net income, 24 months"),
                UNIT, NET, A.MAX, 24, risk_type="income"),
        *(Feature(f"net_std_{w}m", Label(f"近{w}个月月纯收入的波动", f"standard deviation of net income, {w} months"),
                  UNIT, NET, A.STD, w, missing=Missing.TOO_FEW, risk_type="income") for w in (12, 24)),
        *(Feature(f"net_slope_{w}m", Label(f"近{w}个月月纯收入的走势", f"trend of net income over {w} months"),
                  "line a month", NET, A.SLOPE, w, missing=Missing.TOO_FEW, risk_type="income") for w in (12, 24)),
        *(Feature(f"net_change_{w}m", Label(f"近{w}个月月均纯收入较上年同期的变化",
                                           f"mean net income of {w} months less a year before"),
                  UNIT, NET, A.CHANGE, w, missing=Missing.TOO_FEW, risk_type="income") for w in (2, 6, 12)),
        *(Feature(f"net_below_{w}m", Label(f"近{w}个月低于监测线的月数", f"months below the line in {w} months"),
                  "months", NET, A.BELOW, w, risk_type="income", monotone=1) for w in (12, 24)),
        *(Feature(f"income_months_{w}m", Label(f"近{w}个月有收入记录的月数", f"months with income recorded, of {w}"),
                  "months", NET, A.COUNT, w, missing=Missing.ZERO) for w in (12, 24)),
        Feature("net_last", Label("最近一月纯收入", "last month's net income"), UNIT, NET,
                A.LAST, risk_type="income", monotone=-1),
        Feature("net_step", Label("月纯收入较上次的变化", "last month's net income less that of the one before"), UNIT,
                NET, A.STEP, missing=Missing.TOO_FEW, risk_type="income"),
        *(Feature(f"net_margin_{w}m", Label(f"近{w}个月月均纯收入高出监测线几个标准差",
                                           f"standard deviations of mean net income above the line, {w} months"),
                  "standard deviations", NET, A.MARGIN, w, missing=Missing.TOO_FEW, risk_type="income")
          for w in (12, 24)),
        Feature("nonwage_last", Label("最近一月非工资纯收入", "last month's net income but wages"),
                UNIT, NON_WAGE, A.LAST, risk_type="income"),
        Feature("nonwage_mean_24m", Label("近24个月月均非工资纯收入",
                                          "mean net income but wages, 24 months"),
                UNIT, NON_WAGE, A.MEAN, 24, risk_type="income"),
        Feature("wage_per_labour", Label("最近一月人均劳动力工资",
                                         "last month's wages, per member able to work"),
                UNIT, _of("source", "wage"), A.PER, of=LABOUR, risk_type="unstable_work"),
        Feature("net_year_ago", Label("12至24个月前的月均纯收入",
                                      "mean net income, 12 to 24 months ago"),
                UNIT, NET, A.MEAN, 12, skip=YEAR, risk_type="income"),
        Feature("net_ahead_last_year", Label("上年同期(预测期对应月份)月均纯收入",
                                             "mean net income in the coming months a year ago"),
                UNIT, NET, A.MEAN, ahead, skip=YEAR - ahead, risk_type="income"),
        Feature("income_days_since", Label("距最近一次收入记录的天数", "days since income was last recorded"), "days",
                NET, A.DAYS_SINCE, missing=Missing.NEVER),
        *(feature for source in SOURCES for feature in _source(*source)),
        Feature("wage_std_12m", Label("近12个月工资性收入的波动", "standard deviation of wage income, 12 months"),
                UNIT, _of("source", "wage"), A.STD, 12, missing=Missing.TOO_FEW, risk_type="unstable_work"),
        Feature("wage_slope_12m", Label("近12个月工资性收入的走势", "trend of wage income over 12 months"),
                "line a month", _of("source", "wage"), A.SLOPE, 12, missing=Missing.TOO_FEW,
                risk_type="unstable_work"),
        Feature("business_ahead_last_year",
                Label("上年同期(预测期对应月份)月均经营性收入",
                      "mean business income in the coming months a year ago"),
                UNIT, _of("source", "business"), A.MEAN, ahead, skip=YEAR - ahead, risk_type="industry_failure"),
        *(feature for part in PARTS for feature in _part(*part)),
        Feature("claim_ratio_12m", Label("近12个月理赔收入", "insurance payouts of 12 months"),
                UNIT, _of("source", "claim"), A.RATIO, 12, missing=Missing.ZERO, risk_type="natural_disaster"),
        Feature("cost_ratio_12m", Label("近12个月生产经营性支出", "production costs of 12 months"),
                UNIT, _of("source", "production_cost"), A.RATIO, 12, missing=Missing.ZERO,
                risk_type="industry_failure"),
    )  # fmt: skip
