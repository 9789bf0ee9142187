"""What was earned, always as a ratio to the monitoring line: never in money, whose value moves.

Incomes are per month: a longer account's share of each of its months. Net income holds insurance claims, as the test
against the line does. Risk is held to fall as it rises. Of a single source no direction is sure: at equal net income,
more aid or more business can mean more risk.
"""

from __future__ import annotations

from relapse_risk.features.declare import YEAR, Feature, Missing, Scale, Series
from relapse_risk.features.declare import Aggregation as A
from relapse_risk.records.codes import INCOME_SOURCE, Label, income_sources

UNIT = "line"
#: A tenth of a line, added to the deviation by which a distance from the line is divided.
CUSHION = 0.1


def net(scale: Scale, *sources: str) -> Series:
    """Return monthly income less costs, of all sources or of some; claims count, as in the test against the line."""
    where = (("source", sources),) if sources else ()
    return Series("incomes", "net_yuan", where=where, by_month=True, scale=scale)


#: Every source but wages: what would be left were they all lost.
BUT_WAGES = tuple(source for source in INCOME_SOURCE.values if source != "wage")
NET = net(Scale.LINE)
NON_WAGE = net(Scale.LINE, *BUT_WAGES)
#: The months of which anything is known to have come in; no line is needed to count them.
ACCOUNTS = net(Scale.NONE)
LABOUR = Series("households", "n_labour")


def _of(column: str, *codes: str, scale: Scale = Scale.LINE) -> Series:
    return Series("incomes", "amount_yuan", where=((column, codes),), by_month=True, scale=scale)


WAGE = _of("source", "wage")
#: Incomes before costs and without claims: the whole that published shares of a source are of.
GROSS = _of("source", *income_sources("income"))

#: The reason group of a source, where it is not the income's level itself.
RISK_TYPES = {"wage": "unstable_work", "business": "industry_failure"}
PARTS = (
    ("pension", Label("养老保险金", "pension"), ("pension",), "income"),
    ("relief", Label("低保金和社会救济", "subsistence allowance and relief"),
     ("dibao", "tekun", "social_relief"), "history"),
)  # fmt: skip


def _last(name: str, word: Label, series: Series, risk_type: str) -> Feature:
    """Return the latest account's value; missing, not an older one's, where the latest does not name the source."""
    return Feature(name, Label(f"最近一次核算的月均{word.zh}", f"{word.en} a month, latest account"), UNIT, series, A.LAST,
                   risk_type=risk_type, account=ACCOUNTS)  # fmt: skip


def _share(name: str, word: Label, series: Series, months: int, risk_type: str) -> Feature:
    return Feature(f"{name}_share_{months}m",
                   Label(f"近{months}个月{word.zh}占收入的比例", f"share of {word.en} in all income of {months} months"),
                   "share", series, A.SHARE, months, of=GROSS, risk_type=risk_type)  # fmt: skip


def _source(name: str) -> list[Feature]:
    series, word, risk_type = _of("source", name), INCOME_SOURCE.labels[name], RISK_TYPES.get(name, "income")
    zh, en = word.zh, word.en
    return [
        _last(f"{name}_last", word, series, risk_type),
        Feature(f"{name}_step", Label(f"最近一次核算的{zh}较上月的变化", f"{en} of the latest month accounted for less the month before"),
                UNIT, series, A.STEP, missing=Missing.TOO_FEW, risk_type=risk_type, account=ACCOUNTS),
        *(Feature(f"{name}_mean_{w}m", Label(f"近{w}个月有记录月份的月均{zh}",
                                            f"mean monthly {en} of the months recorded, {w} months"),
                  UNIT, series, A.MEAN, w, risk_type=risk_type) for w in (2, 6, 12, 24)),
        *(_share(name, word, series, w, risk_type) for w in (12, 24)),
        Feature(f"{name}_change_12m", Label(f"近12个月月均{zh}较上年同期的变化", f"mean monthly {en} of 12 months less a year before"),
                UNIT, series, A.CHANGE, 12, missing=Missing.TOO_FEW, risk_type=risk_type),
    ]  # fmt: skip


def _part(name: str, word: Label, codes: tuple[str, ...], risk_type: str) -> list[Feature]:
    series = _of("part", *codes)
    return [_last(f"{name}_last", word, series, risk_type), _share(name, word, series, 24, risk_type)]


def _ahead_last_year(ahead: int) -> list[Feature]:
    """Return what the coming months brought a year ago; with a year ahead, the year's own features say it."""
    if ahead == YEAR:
        return []
    return [
        Feature("net_ahead_last_year", Label("上年同期(预测期对应月份)月均纯收入(含理赔)",
                                             "mean monthly net income with claims in the coming months a year ago"),
                UNIT, NET, A.MEAN, ahead, skip=YEAR - ahead, risk_type="income"),
        Feature("business_ahead_last_year",
                Label("上年同期(预测期对应月份)月均经营性收入",
                      "mean monthly business income in the coming months a year ago"),
                UNIT, _of("source", "business"), A.MEAN, ahead, skip=YEAR - ahead, risk_type="industry_failure"),
    ]  # fmt: skip


def features(horizon_months: int) -> tuple[Feature, ...]:
    """Return the income features.

    Parameters
    ----------
    horizon_months : int
        Months ahead that are predicted; two features are what those months brought a year before.
    """
    ahead = min(horizon_months, YEAR)
    return (
        *(Feature(f"net_ratio_{w}m", Label(f"近{w}个月月均纯收入(含理赔,按已核算月份)", f"net income with claims a month accounted for, {w} months"),
                  UNIT, NET, A.MONTHLY, w, account=NET, risk_type="income", monotone=-1) for w in (2, 6, 12, 24)),
        *(Feature(f"net_mean_{w}m", Label(f"近{w}个月有记录月份的月均纯收入(含理赔)",
                                         f"mean net income with claims of the months recorded, {w} months"),
                  UNIT, NET, A.MEAN, w, risk_type="income", monotone=-1) for w in (2, 6, 12, 24)),
        *(Feature(f"net_min_{w}m", Label(f"近{w}个月最低月纯收入(含理赔)",
                                        f"lowest month's net income with claims, {w} months"),
                  UNIT, NET, A.MIN, w, risk_type="income", monotone=-1) for w in (6, 12, 24)),
        Feature("net_max_24m", Label("近24个月最高月纯收入(含理赔)",
                                     "highest month's net income with claims, 24 months"),
                UNIT, NET, A.MAX, 24, risk_type="income"),
        *(Feature(f"net_std_{w}m", Label(f"近{w}个月月纯收入(含理赔)的标准差", f"standard deviation of monthly net income with claims, {w} months"),
                  UNIT, NET, A.STD, w, missing=Missing.TOO_FEW, risk_type="income") for w in (12, 24)),
        *(Feature(f"net_slope_{w}m", Label(f"近{w}个月月纯收入(含理赔)的走势", f"trend of monthly net income with claims over {w} months"),
                  "line a month", NET, A.SLOPE, w, missing=Missing.TOO_FEW, risk_type="income") for w in (12, 24)),
        *(Feature(f"net_change_{w}m", Label(f"近{w}个月月均纯收入(含理赔)较上年同期的变化",
                                           f"mean monthly net income with claims of {w} months less a year before"),
                  UNIT, NET, A.CHANGE, w, missing=Missing.TOO_FEW, risk_type="income") for w in (2, 6, 12)),
        *(Feature(f"net_below_{w}m", Label(f"近{w}个月纯收入(含理赔)低于监测线的月数", f"months with net income with claims below the line in {w} months"),
                  "months", NET, A.BELOW, w, risk_type="income", monotone=1) for w in (12, 24)),
        *(Feature(f"income_months_{w}m", Label(f"近{w}个月有收入记录的月数", f"months with income recorded, of {w}"),
                  "months", ACCOUNTS, A.COUNT, w, missing=Missing.ZERO) for w in (12, 24)),
        Feature("net_last", Label("最近一次核算的月均纯收入(含理赔)", "net income with claims a month, latest account"), UNIT, NET,
                A.LAST, risk_type="income", monotone=-1),
        Feature("net_step", Label("最近一次核算的纯收入(含理赔)较上月的变化",
                                  "net income with claims of the latest month accounted for less the month before"), UNIT,
                NET, A.STEP, missing=Missing.TOO_FEW, risk_type="income"),
        *(Feature(f"net_margin_{w}m",
                  Label(f"近{w}个月月均纯收入(含理赔)高出监测线几个标准差(标准差加{CUSHION:g}倍线)",
                        f"standard deviations (plus {CUSHION:g} lines) of monthly net income with claims above the line, {w} months"),
                  "standard deviations", NET, A.MARGIN, w, missing=Missing.TOO_FEW, risk_type="income",
                  cushion=CUSHION) for w in (12, 24)),
        _last("nonwage_last", Label("非工资纯收入(含理赔)", "net income with claims but wages"), NON_WAGE, "income"),
        Feature("nonwage_mean_24m", Label("近24个月有记录月份的月均非工资纯收入(含理赔)",
                                          "mean monthly net income with claims but wages of the months recorded, 24 months"),
                UNIT, NON_WAGE, A.MEAN, 24, risk_type="income"),
        Feature("wage_per_labour", Label("最近一次核算的每个劳动力月均工资",
                                         "wages a month per member able to work, latest account"),
                "head line", _of("source", "wage", scale=Scale.HEAD), A.PER, of=LABOUR, account=ACCOUNTS,
                risk_type="unstable_work"),
        Feature("net_year_ago", Label("12至24个月前的月均纯收入(含理赔)",
                                      "mean monthly net income with claims, 12 to 24 months ago"),
                UNIT, NET, A.MEAN, 12, skip=YEAR, risk_type="income"),
        Feature("income_days_since", Label("距最近一次收入记录的天数", "days since income was last recorded"), "days",
                ACCOUNTS, A.DAYS_SINCE, missing=Missing.NEVER),
        *(feature for source in income_sources("income") for feature in _source(source)),
        Feature("wage_std_12m", Label("近12个月月工资性收入的标准差", "standard deviation of monthly wage income, 12 months"),
                UNIT, WAGE, A.STD, 12, missing=Missing.TOO_FEW, risk_type="unstable_work"),
        Feature("wage_slope_12m", Label("近12个月月工资性收入的走势", "trend of monthly wage income over 12 months"),
                "line a month", WAGE, A.SLOPE, 12, missing=Missing.TOO_FEW, risk_type="unstable_work"),
        *_ahead_last_year(ahead),
        *(feature for part in PARTS for feature in _part(*part)),
        Feature("claim_ratio_12m", Label("近12个月月均理赔收入", "insurance payouts a month, 12 months"),
                UNIT, _of("source", *income_sources("claim")), A.MONTHLY, 12, account=NET,
                risk_type="natural_disaster"),
        Feature("cost_ratio_12m", Label("近12个月月均生产经营性支出", "production costs a month, 12 months"),
                UNIT, _of("source", *income_sources("cost")), A.MONTHLY, 12, account=NET,
                risk_type="industry_failure"),
    )  # fmt: skip
