"""One household: its history on one sheet, and why it scores as it does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import date2num

from relapse_risk.errors import UsageError
from relapse_risk.explore.timeline import GRADES
from relapse_risk.features.declare import REASON_GROUPS
from relapse_risk.features.derive import LOOKS
from relapse_risk.plots.canvas import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PINK,
    RED,
    SKY,
    Plot,
    both,
    drawn,
    of_data,
    title,
)
from relapse_risk.records.codes import EXPENSE_KIND, INCOME_SOURCE, MEASURE, RELATION, SHOCK_KIND, WORKPLACE, Label
from relapse_risk.records.tables import Visits

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SOURCES = {
    "wage": BLUE,
    "business": GREEN,
    "transfer": SKY,
    "property": PINK,
    "claim": "#F0E442",
    "production_cost": "#bdbdbd",
}
_EXPENSES = {"medical": RED, "education": BLUE, "housing": GREEN, "other": GREY}
_SHADES = {0: "#d5e3ee", 1: ORANGE, 2: RED}
_PLACES = {
    "township": "#9ecae1",
    "county": "#6baed6",
    "province": "#2171b5",
    "other_province": "#08306b",
    "other": GREY,
    "in work": GREY,
}
_IN_WORK = Label("务工(地点不详)", "in work, place unknown")
_IDLE = Label("未务工", "not in work")
_LEGEND_AT = {"loc": "upper left", "bbox_to_anchor": (1.005, 1.03), "borderaxespad": 0.0, "handlelength": 1.2}


@drawn
def plot_timeline(history: pd.DataFrame, household_id: str = "") -> Plot:
    """Draw a household's history: incomes to the line, spending and events, visits, supports, jobs.

    Parameters
    ----------
    history : DataFrame
        As ``relapse_risk.explore.timeline`` returns it.
    household_id : str
        For the title.

    Returns
    -------
    Plot
        From the first income or visit to the last; what was recorded of the time before is in the table.

    Raises
    ------
    UsageError
        If the history has neither incomes nor visits.
    """
    start, end = _span(history)
    tracks = [track for track in _tracks(history, start) if len(track[2])]
    heights = [height for *_, height in tracks]
    figure = Plot(13.0, 1.1 + sum(heights))
    axes = figure.subplots(len(tracks), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    axes[0].set_xlim(start, end)
    for at, (word, draw, rows, _) in zip(axes, tracks, strict=True):
        at.set_title(both(word), loc="left", fontsize=9.5, color=GREY)
        _mark_statuses(at, history, start, end)
        draw(at, rows, end)
    _name_statuses(axes[0], history, start)
    figure.suptitle(of_data(_subtitle(history, household_id)), x=0.005, ha="left", fontsize=11.5)
    return figure


def _tracks(history: pd.DataFrame, start: pd.Timestamp) -> Iterator[tuple[Label, Any, pd.DataFrame, float]]:
    """Return each track's name, how it is drawn, its rows, and its height in inches."""
    shown = history[(history["occurred_on"] >= start) | (history["until"] >= start)]
    running = history["track"].eq("support") & history["until"].isna()
    of = dict(iter(shown.groupby("track")))
    none = history.iloc[:0]
    supports = history[running | (history["track"].eq("support") & (history["until"] >= start))]
    jobs = of.get("job", none)
    yield (
        Label("收入与监测线", "incomes and the line"),
        _draw_incomes,
        shown[shown["track"].isin(["income", "line", "balance"])],
        3.2,
    )
    yield (
        Label("自付支出与冲击", "self-paid spending and shocks"),
        _draw_spending,
        shown[shown["track"].isin(["expense", "shock"])],
        1.7,
    )
    yield Label("入户走访", "visits"), _draw_visits, shown[shown["track"].isin(["visit", "clue"])], 1.9
    yield Label("帮扶措施", "supports"), _draw_supports, supports, 0.5 + 0.3 * supports["kind"].nunique()
    draw_jobs, n_people = partial(_draw_jobs, people=_people(history)), jobs["person_id"].nunique()
    yield Label("成员务工", "work of the members"), draw_jobs, jobs, 0.5 + 0.32 * n_people


def _span(history: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    import pandas as pd  # noqa: PLC0415

    dated = history[history["track"].isin(["income", "visit", "line"])]
    if dated.empty:
        raise UsageError("the history has neither incomes nor visits: there is nothing to draw")
    first, last = dated["occurred_on"].min(), dated[["occurred_on", "until"]].max().max()
    return first.to_period("M").start_time, last.to_period("M").end_time.normalize() + pd.Timedelta(days=1)


def _subtitle(history: pd.DataFrame, household_id: str) -> str:
    profile = history.loc[history["track"] == "profile"].tail(1)
    words = [both(Label(row["zh"], row["en"])) for _, row in profile.iterrows()]
    lifted = history.loc[history["track"] == "lifted", "occurred_on"].dt.strftime("%Y-%m-%d")
    words += [both(Label(f"{day}脱贫", f"lifted {day}")) for day in lifted]
    return "   ".join([household_id, *words]).strip()


def _mark_statuses(axes: Axes, history: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Shade the time in which the household's latest status was poor; draw a line where a status was found."""
    status = history[history["track"] == "status"]
    days = [*status["occurred_on"], end]
    for k, (day, poor) in enumerate(zip(status["occurred_on"], status["value"], strict=True)):
        if poor and days[k + 1] > start:
            axes.axvspan(max(day, start), days[k + 1], color="#fde3d3", zorder=0, lw=0)
        if day >= start:
            axes.axvline(day, color=RED if poor else GREEN, lw=1.2, ls="-" if poor else "--", zorder=1)


def _name_statuses(axes: Axes, history: pd.DataFrame, start: pd.Timestamp) -> None:
    """Write each status above its line, in turns on two heights."""
    status = history[(history["track"] == "status") & (history["occurred_on"] >= start)]
    for k, (_, row) in enumerate(status.iterrows()):
        across = _place(axes, row["occurred_on"])
        word = both(Label(row["zh"], row["en"]), " ")
        axes.annotate(
            word,
            (date2num(row["occurred_on"]), 1.0),
            xytext=(0, 3 + 13 * (k % 2)),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=9,
            color=RED if row["value"] else GREEN,
            ha="left" if across < 0.15 else "right" if across > 0.85 else "center",
        )


def _place(axes: Axes, day: pd.Timestamp) -> float:
    """Return where a day lies between the left edge, 0, and the right one, 1."""
    left, right = axes.get_xlim()
    return float((date2num(day) - left) / (right - left))


def _draw_incomes(axes: Axes, rows: pd.DataFrame, end: pd.Timestamp) -> None:
    incomes = rows[rows["track"] == "income"]
    by_source = incomes.pivot_table(index="occurred_on", columns="kind", values="value", aggfunc="sum")
    above, below = np.zeros(len(by_source)), np.zeros(len(by_source))
    for source, colour in _SOURCES.items():
        if source not in by_source:
            continue
        yuan = by_source[source].fillna(0.0).to_numpy()
        bottom = np.where(yuan < 0, below, above)
        axes.bar(
            by_source.index,
            yuan,
            width=26,
            align="edge",
            bottom=bottom,
            color=colour,
            zorder=2,
            label=both(INCOME_SOURCE.labels[source]),
        )
        above, below = above + np.maximum(yuan, 0.0), below + np.minimum(yuan, 0.0)
    line, balance = (rows[rows["track"] == name] for name in ("line", "balance"))
    if len(line):
        days, amounts = [*line["occurred_on"], end], [*line["value"], line["value"].iloc[-1]]
        axes.step(
            days,
            amounts,
            where="post",
            color=RED,
            lw=1.8,
            zorder=4,
            label=both(Label("监测线(户/月)", "monitoring line")),
        )
    axes.plot(
        balance["occurred_on"],
        balance["value"],
        color=BLACK,
        lw=1.8,
        marker="o",
        ms=2.5,
        zorder=5,
        label=both(Label("近12个月月均结余", "balance, 12 months")),
    )
    _cap(axes, above, line["value"].to_numpy(), balance["value"].to_numpy(), below)
    axes.set_ylabel(both(Label("元/月", "yuan a month"), "\n"))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.axhline(0, color=GREY, lw=0.8, zorder=3)
    axes.legend(**_LEGEND_AT)


def _cap(axes: Axes, above: Any, line: Any, balance: Any, below: Any) -> None:
    """Keep a harvest's month from pressing all others flat: cut its bar, and write its amount on it."""
    usual = [*np.quantile(above, [0.9]), *line, *balance] if len(above) else [*line, *balance]
    top = 1.25 * max(usual, default=1.0)
    for bar, total in zip(axes.containers[0] if axes.containers else (), above, strict=False):
        if total > top:
            axes.annotate(
                f"{total:,.0f}",
                (bar.get_x() + 13, top),
                ha="center",
                va="top",
                fontsize=8,
                bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.85},
                zorder=6,
            )
    if above.max(initial=0.0) > top:
        axes.set_ylim(min(1.1 * below.min(initial=0.0), *balance, 0.0), top)


def _draw_spending(axes: Axes, rows: pd.DataFrame, end: pd.Timestamp) -> None:  # noqa: ARG001
    expenses, shocks = rows[rows["track"] == "expense"], rows[rows["track"] == "shock"]
    for kind, colour in _EXPENSES.items():
        of, word = expenses[expenses["kind"] == kind], EXPENSE_KIND.labels[kind]
        if len(of):
            axes.vlines(of["occurred_on"], 0, of["value"], color=colour, lw=2.5, zorder=2)
            axes.plot(
                of["occurred_on"],
                of["value"],
                "o",
                color=colour,
                ms=4,
                zorder=3,
                label=both(Label(f"{word.zh}自付", f"{word.en}, self-paid")),
            )
    top = max(expenses["value"].max() if len(expenses) else 0.0, 1.0)
    axes.set_ylim(0, 1.75 * top)
    for k, (day, kind) in enumerate(zip(shocks["occurred_on"], shocks["kind"], strict=True)):
        height = (1.62, 1.36)[k % 2] * top
        axes.vlines(day, 0, height, color=BLACK, lw=0.9, ls=":", zorder=2)
        axes.plot(day, height, marker="v", color=BLACK, ms=7, zorder=4)
        late = _place(axes, day) > 0.85  # its words would run into the legend
        axes.annotate(
            both(SHOCK_KIND.labels[kind], " "),
            (day, height),
            xytext=(-7 if late else 7, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="center",
            fontsize=8.5,
            zorder=4,
        )
    axes.set_ylabel(both(Label("自付/元", "self-paid, yuan"), "\n"))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    if len(expenses):
        axes.legend(**_LEGEND_AT)


def _draw_visits(axes: Axes, rows: pd.DataFrame, end: pd.Timestamp) -> None:  # noqa: ARG001
    visits, clues = rows[rows["track"] == "visit"], rows[rows["track"] == "clue"]
    place = {look: k for k, look in enumerate(LOOKS)}
    none = visits[visits["value"].isna()]
    axes.scatter(
        none["occurred_on"],
        none["kind"].map(place),
        s=14,
        marker="_",
        color=GREY,
        lw=1,
        label=both(Label("未查看", "not looked at")),
        zorder=2,
    )
    for grade, colour in _SHADES.items():
        of = visits[visits["value"] == grade]
        at = of["kind"].map(place)
        axes.scatter(
            of["occurred_on"],
            at,
            s=(30, 62, 62)[grade],
            marker="s",
            color=colour,
            zorder=3,
            label=both(Label(f"{grade} {GRADES[grade].zh}", GRADES[grade].en)),
        )
        for day, y in zip(of["occurred_on"], at, strict=True) if grade else ():
            axes.text(
                day,
                y,
                str(grade),
                ha="center",
                va="center",
                color=BLACK if grade == 1 else "white",
                fontsize=7.5,
                zorder=4,
            )
    if len(clues):
        axes.scatter(
            clues["occurred_on"],
            np.full(len(clues), -0.95),
            s=36,
            marker="*",
            color=BLACK,
            zorder=4,
            label=both(Label("发现线索", "clue raised")),
        )
    axes.set_yticks(range(len(LOOKS)), [_look(look) for look in LOOKS])
    axes.set_ylim(len(LOOKS) - 0.4, -1.4)
    axes.grid(visible=False)
    axes.legend(**_LEGEND_AT)


def _look(look: str) -> str:
    column = Visits.columns[look]
    en = column.en.partition(":")[0].removeprefix("the ").partition(" (")[0]
    return both(Label(column.zh, en), " ")


def _draw_supports(axes: Axes, rows: pd.DataFrame, end: pd.Timestamp) -> None:
    kinds = sorted(rows["kind"].unique(), key=MEASURE.values.index)
    for _, row in rows.iterrows():
        y, runs = kinds.index(row["kind"]), row["until"] is None or row["until"] != row["until"]
        last = end if runs else row["until"]
        axes.barh(y, last - row["occurred_on"], left=row["occurred_on"], height=0.55, color=GREEN, zorder=2)
        if runs:
            axes.plot(date2num(end), y, marker=">", color=GREEN, ms=7, clip_on=False, zorder=3)
    axes.set_yticks(range(len(kinds)), [both(MEASURE.labels[kind], " ") for kind in kinds])
    axes.set_ylim(len(kinds) - 0.45, -0.55)
    axes.grid(visible=False, axis="y")


def _people(history: pd.DataFrame) -> dict[str, str]:
    """Return each member's name on the plot, the head's first: relation to the head and year of birth."""
    members = history[(history["track"] == "member") & history["kind"].notna()]
    latest = members.drop_duplicates("person_id", keep="last")
    order = sorted(latest.to_dict("records"), key=lambda row: RELATION.values.index(row["kind"]))
    return {row["person_id"]: f"{both(RELATION.labels[row['kind']], ' ')}{_born(row['en'])}" for row in order}


def _born(member: str) -> str:
    found = re.search(r"born (\d{4})", member)
    return f" ({found[1]})" if found else ""


def _draw_jobs(axes: Axes, rows: pd.DataFrame, end: pd.Timestamp, people: Mapping[str, str]) -> None:  # noqa: ARG001
    import pandas as pd  # noqa: PLC0415

    persons = sorted(rows["person_id"].unique(), key=[*people, *rows["person_id"]].index)
    labels = {**WORKPLACE.labels, "in work": _IN_WORK}
    bars = [(kind, labels[kind], colour, 0.5, 2) for kind, colour in _PLACES.items()]
    for kind, label, colour, height, zorder in [*bars, ("not in work", _IDLE, PALE, 0.12, 1)]:
        of = rows[rows["kind"] == kind]
        if len(of):
            start = of["occurred_on"].dt.to_period("M").dt.start_time
            axes.barh(
                of["person_id"].map(persons.index),
                of["until"] - start + pd.Timedelta(days=1),
                left=start,
                height=height,
                color=colour,
                zorder=zorder,
                label=both(label),
            )
    axes.set_yticks(range(len(persons)), [people.get(person, of_data(person)) for person in persons])
    axes.set_ylim(len(persons) - 0.45, -0.55)
    axes.grid(visible=False, axis="y")
    axes.legend(**_LEGEND_AT)


@drawn
def plot_reasons(score: Mapping[str, Any], household_id: str = "") -> Plot:
    """Draw what each reason group adds to a household's raw score, largest first.

    Parameters
    ----------
    score : mapping
        A row of ``relapse_risk.score`` or of a ranked list, as a Series or a dictionary.
    household_id : str
        For the title.

    Returns
    -------
    Plot
        Bars to the right raise the risk. The parts and the base score add up to the raw score.
    """
    parts = {name.removeprefix(_PART): float(score[name]) for name in [*score.keys()] if name.startswith(_PART)}
    groups = sorted(parts, key=lambda group: -abs(parts[group]))
    figure = Plot(10.0, 1.5 + 0.32 * len(groups))
    axes = figure.subplots()
    values = [parts[group] for group in groups]
    axes.barh(range(len(groups)), values, height=0.62, color=[RED if v > 0 else BLUE for v in values], zorder=2)
    for k, value in enumerate(values):
        written = f"{value:+.2f}" if abs(value) >= 0.005 else "0"
        axes.annotate(
            written,
            (value, k),
            xytext=(4 if value >= 0 else -4, 0),
            textcoords="offset points",
            ha="left" if value >= 0 else "right",
            va="center",
            fontsize=9,
        )
    axes.axvline(0, color=GREY, lw=0.8, zorder=3)
    axes.set_yticks(range(len(groups)), [both(REASON_GROUPS[group]) for group in groups])
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(
        both(Label("对数几率(右:升高风险,左:降低风险)", "log-odds; right raises the risk, left lowers it"))
    )
    probability = f"{float(score['probability']):.1%}"
    en = f"what each group of reasons adds to the score, probability {probability}"
    title(axes, Label(f"各类原因对评分的贡献(概率{probability})", en), of_data(household_id))
    return figure


#: How the columns of a score that hold a group's part begin.
_PART = "contribution_"
