"""How good a model is: beside today's rules, with and without features, and its probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from relapse_risk.plots.canvas import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    RED,
    SKY,
    Plot,
    both,
    drawn,
    number_above,
    of_data,
    title,
)
from relapse_risk.records.codes import Label
from relapse_risk.training.evaluate import MODEL

if TYPE_CHECKING:
    import pandas as pd

    from relapse_risk.training.compare import FeatureComparison

_FIGURES = {
    "auc_within_dates": Label("AUC(同一日期内)", "AUC within dates"),
    "auc_pooled": Label("AUC(各日期合并)", "AUC, pooled"),
    "average_precision": Label("平均精度", "average precision"),
    "recall": Label("走访容量内的召回率", "recall at the visit capacity"),
    "precision": Label("走访容量内的精确率", "precision at the visit capacity"),
}
#: Chinese names of the model, of every baseline, and of what features are compared with.
_SCORES_ZH = {
    "model": "模型",
    "lowest balance to line": "结余最低",
    "lowest income to line": "收入最低",
    "last visit's grades": "上次走访评级",
    "eight must-visit groups": "八必访",
    "warning thresholds": "预警阈值",
    "ten-item scorecard": "十项评分卡",
    "logistic regression": "逻辑回归",
    "all features, another seed": "全部特征(另一随机种子)",
}
#: Where an order is no better than chance.
_CHANCE = 0.5


def _score(name: str) -> str:
    """Return the name of an order in both languages: the model, a rule, or "without" and "with" some features."""
    if name in _SCORES_ZH:
        return both(Label(_SCORES_ZH[name], name))
    for en, zh in (("without ", "去掉"), ("with ", "加上")):
        if name.startswith(en):
            return f"{both(Label(zh, en.strip()), ' ')} {of_data(name.removeprefix(en))}"
    return of_data(name)


@drawn
def plot_scores(scores: pd.DataFrame, figures: tuple[str, ...] = ("auc_within_dates", "recall")) -> Plot:
    """Draw how well the model and each rule of today order the households, with 95 % intervals.

    Parameters
    ----------
    scores : DataFrame
        As ``relapse_risk.training.reliability.scores_table`` returns it.
    figures : tuple of str
        Of ``auc_within_dates``, ``average_precision``, ``recall`` and ``precision``.

    Returns
    -------
    Plot
        The further right, the better.
    """
    first = scores.xs(figures[0], level="figure")["value"]
    order = [MODEL, *first.drop(MODEL).sort_values(ascending=False).index]
    figure = Plot(12.0, 1.6 + 0.36 * len(order))
    axes = figure.subplots(1, len(figures), sharey=True, squeeze=False)[0]
    y = np.arange(len(order))
    for at, name in zip(axes, figures, strict=True):
        rows = scores.xs(name, level="figure").loc[order]
        colours = [RED if score == MODEL else BLUE for score in order]
        at.hlines(y, rows["low"], rows["high"], color=colours, lw=2.4, alpha=0.5, zorder=2)
        at.scatter(rows["value"], y, c=colours, s=42, zorder=3)
        for k, (value, high) in enumerate(zip(rows["value"], rows["high"], strict=True)):
            at.annotate(
                f"{value:.3f}", (high, k), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5
            )
        at.axvline(float(rows["value"].iloc[0]), color=RED, lw=0.9, ls=":", zorder=1)
        if name == "auc_within_dates":
            at.axvline(_CHANCE, color=GREY, lw=0.9, ls="--", zorder=1)
        at.grid(visible=False, axis="y")
        at.margins(x=0.12)
        title(at, _FIGURES[name])
    axes[0].set_yticks(y, [_score(score) for score in order])
    axes[0].set_ylim(len(order) - 0.4, -0.6)
    return figure


@drawn
def plot_comparison(comparison: FeatureComparison, figure: str = "auc_within_dates") -> Plot:
    """Draw how a figure changes when features are left out or added.

    Parameters
    ----------
    comparison : FeatureComparison
        Of ``relapse_risk.training.compare.compare_features``.
    figure : {"auc_within_dates", "auc_pooled", "average_precision", "recall", "precision"}
        Which figure.

    Returns
    -------
    Plot
        Bars are 95 % intervals of the difference from all features over all origins, small dots the differences at
        each. A feature helps where leaving it out lies left of 0, further than another seed does.
    """
    summary = comparison.summary.xs(figure, level="figure").iloc[1:]
    by_origin = comparison.by_origin.xs(figure, level="figure")["difference"]
    sheet = Plot(10.5, 1.7 + 0.42 * len(summary))
    axes = sheet.subplots()
    y = np.arange(len(summary))
    colours = [GREY, *[BLUE] * (len(summary) - 1)]
    axes.hlines(y, summary["difference_low"], summary["difference_high"], color=colours, lw=7, alpha=0.3, zorder=2)
    axes.scatter(summary["difference"], y, c=colours, s=55, zorder=4)
    for k, name in enumerate(summary.index):
        each = by_origin.loc[name].to_numpy()
        axes.scatter(each, np.full(len(each), k + 0.24), s=12, color=BLACK, alpha=0.55, zorder=3, lw=0)
    axes.axvline(0.0, color=GREY, lw=1, zorder=1)
    axes.set_yticks(y, [_score(str(name)) for name in summary.index])
    axes.set_ylim(len(summary) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    n = int(summary["origins"].iloc[0])
    word = _FIGURES[figure]
    axes.set_xlabel(both(Label("与全部特征相比的差(右:更好)", "difference from all features; right is better")))
    title(
        axes,
        Label(
            f"{word.zh}的变化({n}个起点;条:95%区间,黑点:各起点)",
            f"change of {word.en} ({n} origins; bars: 95 %, black dots: each origin)",
        ),
    )
    return sheet


@drawn
def plot_reliability(table: pd.DataFrame) -> Plot:
    """Draw how often the outcome came true beside the probability that the model gave.

    Parameters
    ----------
    table : DataFrame
        As ``relapse_risk.training.reliability.reliability`` returns it.

    Returns
    -------
    Plot
        On the diagonal, probabilities are right; above it, more came true than was foreseen.
    """
    figure = Plot(6.2, 6.0)
    axes = figure.subplots()
    top = 1.08 * 100 * float(max(table["high"].max(), table["probability"].max()))
    axes.plot([0, top], [0, top], color=GREY, lw=1, ls="--", zorder=1)
    axes.annotate(
        both(Label("完全准确", "exactly right"), " "),
        (0.97 * top, 0.97 * top),
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=9,
        color=GREY,
        rotation=45,
        rotation_mode="anchor",
    )
    axes.set_aspect("equal")
    x = 100 * table["probability"]
    axes.vlines(x, 100 * table["low"], 100 * table["high"], color=BLUE, lw=2.4, alpha=0.45, zorder=2)
    axes.plot(x, 100 * table["rate"], "o-", color=BLUE, ms=6, lw=1, zorder=3)
    for at, high, n in zip(x, table["high"], table["came_true"], strict=True):
        number_above(axes, at, 100 * high, n)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.xaxis.set_major_formatter("{x:g}%")
    axes.yaxis.set_major_formatter("{x:g}%")
    axes.set_xlabel(both(Label("预测概率", "probability given")))
    axes.set_ylabel(both(Label("实际比例", "share that came true")))
    title(
        axes,
        Label(
            f"校准({len(table)}组,95%区间;数字为实际户数)",
            f"calibration ({len(table)} bins, 95 %; numbers: came true)",
        ),
    )
    return figure


@drawn
def plot_foreseen(table: pd.DataFrame) -> Plot:
    """Draw how many were foreseen at each date, beside how many came true.

    Parameters
    ----------
    table : DataFrame
        As ``relapse_risk.training.reliability.foreseen`` returns it.

    Returns
    -------
    Plot
        Bars are where the number lies 95 times in 100 if the probabilities are right.
    """
    figure = Plot(8.5, 4.2)
    axes = figure.subplots()
    x = np.arange(len(table))
    axes.vlines(
        x,
        table["low"],
        table["high"],
        color=SKY,
        lw=14,
        alpha=0.45,
        zorder=2,
        label=both(Label("预测(95%范围)", "foreseen (95 % range)")),
    )
    axes.scatter(x, table["foreseen"], marker="_", s=260, color=BLUE, lw=2, zorder=3)
    axes.scatter(
        x,
        table["came_true"],
        s=46,
        color=ORANGE,
        edgecolor=BLACK,
        lw=0.8,
        zorder=4,
        label=both(Label("实际", "came true")),
    )
    axes.set_xticks(x, [f"{day:%Y-%m-%d}" for day in table.index])
    if len(table) > 8:
        axes.tick_params(axis="x", rotation=60)
    axes.set_xlim(-0.6, len(table) - 0.4)
    axes.set_ylim(0, None)
    axes.set_ylabel(both(Label("户数", "households")))
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), borderaxespad=0.0)
    title(axes, Label("各日期预测与实际返贫致贫户数", "households foreseen and come true, by as_of date"))
    return figure
