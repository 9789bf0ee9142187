"""What records hold: missing values and rows, by time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from relapse_risk.errors import UsageError
from relapse_risk.plots.canvas import BLACK, BLUE, GREY, Plot, both, drawn, title
from relapse_risk.records.codes import Label
from relapse_risk.records.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

#: Chinese names of the tables.
_TABLES_ZH = {
    "households": "农户",
    "visits": "走访",
    "observations": "观察项",
    "incomes": "收入",
    "statuses": "状态",
    "expenses": "支出",
    "shocks": "冲击",
    "supports": "帮扶",
    "members": "成员",
    "employment": "务工",
    "grids": "网格",
}


def _table(name: str) -> str:
    return both(Label(_TABLES_ZH[name], name), " ")


@drawn
def plot_missingness(missing: pd.DataFrame) -> Plot:
    """Draw the share of missing values of each column, period by period.

    Parameters
    ----------
    missing : DataFrame
        As ``relapse_risk.explore.missingness`` returns it. Columns that never miss a value are left out, and named
        beside the title by their number; so are those that are never there.

    Returns
    -------
    Plot
        The darker, the more is missing; white: the table has no rows of that period.

    Raises
    ------
    UsageError
        If no column misses some of its values.
    """
    some = missing[(missing["all"] > 0) & (missing["all"] < 1)].drop(columns="all")
    if some.empty:
        raise UsageError("every column is either whole or empty: there is nothing to draw")
    whole, empty = int((missing["all"] == 0).sum()), int((missing["all"] == 1).sum())
    figure = Plot(max(8.0, 4.6 + 0.5 * some.shape[1]), 1.5 + 0.29 * len(some))
    axes = figure.subplots()
    shares = np.ma.masked_invalid(some.to_numpy())
    axes.pcolormesh(shares, cmap="Blues", vmin=0.0, vmax=1.2, edgecolor="white", linewidth=1.2)
    for (row, column), share in np.ndenumerate(some.to_numpy()):
        if not np.isnan(share):
            axes.text(
                column + 0.5,
                row + 0.5,
                _percent(share),
                ha="center",
                va="center",
                fontsize=8.5,
                color="white" if share > 0.7 else BLACK,
            )
    words = [
        f"{_table(table)} · {both(Label(TABLES[table].columns[column].zh, column), ' ')}"
        for table, column in some.index
    ]
    axes.set_yticks(np.arange(len(some)) + 0.5, words, fontsize=9)
    axes.set_xticks(np.arange(some.shape[1]) + 0.5, some.columns, rotation=0 if some.shape[1] < 14 else 90)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    title(
        axes,
        Label(
            f"缺失比例(另有{whole}列无缺失,{empty}列全缺)",
            f"share missing ({whole} further columns are whole, {empty} are empty)",
        ),
    )
    return figure


def _percent(share: float) -> str:
    if 0 < share < 0.005:
        return "<1%"
    if 0.995 < share < 1:
        return ">99%"
    return f"{share:.0%}"


@drawn
def plot_rows_by_month(rows: pd.DataFrame) -> Plot:
    """Draw how many rows of each table occurred in each month.

    Parameters
    ----------
    rows : DataFrame
        As ``relapse_risk.explore.rows_by_month`` returns it.

    Raises
    ------
    UsageError
        If there are none.
    """
    if rows.empty:
        raise UsageError("no table has rows to count by month")
    figure = Plot(11.0, 0.7 + 1.0 * rows.shape[1])
    axes = figure.subplots(rows.shape[1], 1, sharex=True, squeeze=False)[:, 0]
    for at, name in zip(axes, rows, strict=True):
        at.bar(rows.index, rows[name], width=27, align="edge", color=BLUE, zorder=2)
        at.set_ylim(0, 1.15 * max(int(rows[name].max()), 1))
        at.yaxis.set_major_formatter("{x:,.0f}")
        at.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        at.set_ylabel(_table(str(name)), rotation=0, ha="right", va="center")
        at.grid(visible=False, axis="x")
        at.tick_params(axis="y", labelcolor=GREY, labelsize=9)
    locator = AutoDateLocator(minticks=5, maxticks=14)
    axes[-1].xaxis.set_major_locator(locator)
    days = ["%Y-%m-%d"] * 3
    formats, zeros = ["%Y", "%Y-%m", *days, "%Y"], ["", "%Y", "%Y-%m", *days]
    axes[-1].xaxis.set_major_formatter(
        ConciseDateFormatter(locator, formats=formats, zero_formats=zeros, show_offset=False)
    )
    title(axes[0], Label("每月记录数(按发生日期)", "rows a month, by the day they occurred"))
    return figure
