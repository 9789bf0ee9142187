"""Who is learned from, how many of them had the outcome, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from relapse_risk.errors import UsageError
from relapse_risk.model.wording import UNITS
from relapse_risk.plots.canvas import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PALE,
    PINK,
    SKY,
    Plot,
    both,
    drawn,
    number_above,
    title,
)
from relapse_risk.records.codes import Label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from relapse_risk.features.declare import Feature

_REMOVED = (ORANGE, PINK, SKY, PALE)
_RULES_ZH = {
    "no profile yet": "尚无档案",
    "poor at the latest status": "最近状态为贫困",
    "never poor or lifted before": "从未贫困或脱贫",
}


@drawn
def plot_attrition(attrition: pd.DataFrame) -> Plot:
    """Draw how many households each rule of the cohort removed, date by date.

    Parameters
    ----------
    attrition : DataFrame
        As ``relapse_risk.attrition`` returns it.

    Raises
    ------
    UsageError
        If it has no rows.
    """
    if attrition.empty:
        raise UsageError("the attrition table has no rows: there is nothing to draw")
    removed = attrition.pivot_table(index="as_of", columns="rule", values="removed", sort=False)
    left = attrition.groupby("as_of")["left"].min().to_numpy(float)
    dates = [f"{day:%Y-%m-%d}" for day in removed.index]
    figure = Plot(11.0, 1.6 + 0.32 * len(dates))
    axes = figure.subplots()
    axes.barh(dates, left, color=BLUE, height=0.7, label=both(Label("保留", "left")), zorder=2)
    for y, count in enumerate(left):
        axes.annotate(
            f"{count:,.0f}",
            (count, y),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color="white",
            fontsize=9,
            zorder=3,
        )
    start = left
    for rule, colour in zip(removed, _REMOVED, strict=False):
        count = removed[rule].to_numpy(float)
        if count.any():
            axes.barh(dates, count, left=start, color=colour, height=0.7, label=_rule(str(rule)), zorder=2)
        start = start + count
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel(both(Label("户数", "households")))
    axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), borderaxespad=0.0)
    title(axes, Label("每个日期保留与剔除的户数", "households left and removed, by as_of date"))
    return figure


def _rule(rule: str) -> str:
    if rule.startswith("no status"):
        return both(Label("无状态记录", rule), " ")
    return both(Label(_RULES_ZH.get(rule, ""), rule), " ")


@drawn
def plot_outcomes_by_date(outcomes: pd.DataFrame) -> Plot:
    """Draw the rate of the outcome by as_of date, with 95 % intervals and the number of households behind it.

    Parameters
    ----------
    outcomes : DataFrame
        As ``relapse_risk.explore.outcomes_by_date`` returns it.

    Raises
    ------
    UsageError
        If no label is known.
    """
    _check_known(outcomes)
    figure = Plot(11.0, 4.2)
    axes = figure.subplots()
    days = [f"{day:%Y-%m}" for day in outcomes.index]
    _draw_rates(axes, outcomes, days)
    for x, (poor, high) in enumerate(zip(outcomes["poor"], outcomes["high"], strict=True)):
        number_above(axes, x, 100 * high, poor)
    if len(days) > 12:
        axes.tick_params(axis="x", rotation=60)
    en = "share poor within the horizon (95 % interval; numbers are households)"
    title(axes, Label("预测期内返贫致贫的比例(95%区间;数字为户数)", en))
    return figure


def _check_known(outcomes: pd.DataFrame) -> None:
    if not outcomes["labelled"].sum():
        raise UsageError("no label is known: choose earlier dates, whose horizon is over")


def _draw_rates(axes: Axes, outcomes: pd.DataFrame, words: list[str]) -> None:
    """Draw a rate and its interval for each row, from left to right."""
    x = np.arange(len(outcomes))
    rate, low, high = (100 * outcomes[name].to_numpy(float) for name in ("rate", "low", "high"))
    axes.vlines(x, low, high, color=BLUE, lw=2.2, alpha=0.45, zorder=2)
    axes.plot(x, rate, "o", color=BLUE, ms=6, zorder=3)
    mean, word = _mean(outcomes)
    axes.axhline(mean, color=GREY, lw=1, ls="--", zorder=1)
    axes.annotate(
        word,
        (1, mean),
        xytext=(-2, 3),
        ha="right",
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=9,
        color=GREY,
    )
    axes.set_xticks(x, words)
    axes.set_xlim(-0.6, len(outcomes) - 0.4)
    axes.set_ylim(0, 1.15 * max(np.nanmax(high), 1e-6))
    axes.yaxis.set_major_formatter("{x:g}%")
    axes.grid(visible=False, axis="x")


def _draw_rates_down(axes: Axes, outcomes: pd.DataFrame, words: list[str]) -> None:
    """Draw the same from top to bottom, where rows have long names."""
    y = np.arange(len(outcomes))
    rate, low, high = (100 * outcomes[name].to_numpy(float) for name in ("rate", "low", "high"))
    axes.hlines(y, low, high, color=BLUE, lw=2.2, alpha=0.45, zorder=2)
    axes.plot(rate, y, "o", color=BLUE, ms=6, zorder=3)
    for k, (poor, at) in enumerate(zip(outcomes["poor"], high, strict=True)):
        if not np.isnan(at):
            axes.annotate(
                f"{poor}", (at, k), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5, color=GREY
            )
    mean, word = _mean(outcomes)
    axes.axvline(mean, color=GREY, lw=1, ls="--", zorder=1)
    axes.annotate(
        word,
        (mean, 0),
        xytext=(3, 3),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        fontsize=9,
        color=GREY,
    )
    axes.set_yticks(y, words)
    axes.set_ylim(len(outcomes) - 0.2, -0.6)
    axes.set_xlim(0, 1.15 * max(np.nanmax(high), 1e-6))
    axes.xaxis.set_major_formatter("{x:g}%")
    axes.grid(visible=False, axis="y")


def _mean(outcomes: pd.DataFrame) -> tuple[float, str]:
    mean = 100 * float(outcomes["poor"].sum() / outcomes["labelled"].sum())
    return mean, both(Label(f"平均{mean:.2g}%", f"mean {mean:.2g} %"), " ")


@drawn
def plot_outcomes_by_value(outcomes: pd.DataFrame, feature: Feature, values: pd.Series[Any] | None = None) -> Plot:
    """Draw how often the outcome came true by the value of a feature and, given its values, how these are spread.

    Parameters
    ----------
    outcomes : DataFrame
        As ``relapse_risk.explore.outcomes_by_value`` returns it.
    feature : Feature
        For names and unit.
    values : Series, optional
        The feature's values, for a histogram; of a category, the rows of each value are drawn.

    Raises
    ------
    UsageError
        If no label is known.
    """
    _check_known(outcomes)
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    figure = Plot(12.0, 2.1 + 0.27 * len(outcomes))
    spread, rates = figure.subplots(1, 2, width_ratios=(1, 1.3))
    words = [_value(str(value), feature) for value in outcomes.index]
    missing = float(outcomes["households"].get("missing", 0) / outcomes["households"].sum())
    if values is None or feature.codes is not None:
        spread.barh(range(len(words)), outcomes["households"] / outcomes["households"].sum(), color=SKY, zorder=2)
        spread.set_yticks(range(len(words)), words)
        spread.set_ylim(len(words) - 0.2, -0.6)
        spread.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        spread.grid(visible=False, axis="y")
        words = [""] * len(words)
    else:
        numbers = values.to_numpy(np.float64)
        _draw_histogram(spread, numbers[~np.isnan(numbers)])
        spread.set_xlabel(_unit(feature))
        spread.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        spread.grid(visible=False, axis="x")
        rates.set_ylabel(_unit(feature))
    share = f"{missing:.0%}"
    title(spread, Label(f"分布(缺失{share})", f"distribution ({share} missing)"))
    _draw_rates_down(rates, outcomes, words)
    title(
        rates,
        Label(
            "各组返贫致贫的比例(95%区间;数字为户数)", "share poor, by value (95 % interval; numbers are households)"
        ),
    )
    figure.suptitle(f"{feature.name}\n{both(feature.label)}", x=0.01, ha="left", fontsize=11, linespacing=1.4)
    return figure


def _unit(feature: Feature) -> str:
    unit = UNITS.get(feature.unit, Label(feature.unit, feature.unit))
    return both(Label(unit.zh.replace("{}倍", "倍数"), unit.en.replace("{}", "").strip()), " ")


def _value(value: str, feature: Feature) -> str:
    if value == "missing":
        return both(Label("缺失", "missing"), " ")
    return both(feature.codes.labels[value], " ") if feature.codes else value


def _draw_histogram(axes: Axes, numbers: Any) -> None:
    """Draw a histogram of the middle 98 %, the rest counted in the outer bars."""
    if not len(numbers):
        return
    low, high = np.quantile(numbers, [0.01, 0.99])
    if low == high:
        low, high = low - 0.5, high + 0.5
    weights = np.full(len(numbers), 1.0 / len(numbers))
    axes.hist(np.clip(numbers, low, high), bins=30, weights=weights, color=SKY, zorder=2, edgecolor="white", lw=0.4)
    axes.axvline(float(np.median(numbers)), color=BLACK, lw=1.2, zorder=3)
    axes.annotate(
        both(Label("中位数", "median"), " "),
        (float(np.median(numbers)), 0.97),
        xytext=(4, 0),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        fontsize=9,
        va="top",
    )
