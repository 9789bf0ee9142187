"""Plots: what they show, in both languages, without an empty box on any machine."""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.font_manager import fontManager
from matplotlib.text import Text
from tests.support.small import Small

from relapse_risk import attrition, catalogue, cohort, labels
from relapse_risk.errors import NoChineseFont, UsageError
from relapse_risk.explore import (
    missingness,
    outcomes_by_date,
    outcomes_by_value,
    rows_by_month,
    timeline,
)
from relapse_risk.features.declare import REASON_GROUPS
from relapse_risk.plots import (
    plot_attrition,
    plot_comparison,
    plot_foreseen,
    plot_missingness,
    plot_outcomes_by_date,
    plot_outcomes_by_value,
    plot_reasons,
    plot_reliability,
    plot_rows_by_month,
    plot_scores,
    plot_timeline,
)
from relapse_risk.plots.canvas import Plot
from relapse_risk.plots.fonts import chinese_font
from relapse_risk.plots.household import _EXPENSES, _PLACES, _SOURCES
from relapse_risk.plots.judging import _SCORES_ZH, _score
from relapse_risk.records.codes import EXPENSE_KIND, INCOME_SOURCE, RELATION, SHOCK_KIND, WORKPLACE, Codes
from relapse_risk.records.tables import TABLES
from relapse_risk.training.baselines import baselines
from relapse_risk.training.compare import BASE, OTHER_SEED, FeatureComparison
from relapse_risk.training.reliability import foreseen, reliability, scores_table

PNG = b"\x89PNG\r\n"


def texts(plot: Plot) -> str:
    """Return all that is written on a plot once it is drawn."""
    plot.draw_without_rendering()
    return "\n".join(text.get_text() for text in plot.findobj(Text))


def judged(n: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 9, n)
    return pd.DataFrame({
        "household_id": np.arange(n).astype(str),
        "as_of": np.tile(pd.to_datetime(["2024-01-01", "2024-03-01", "2024-05-01"]), n // 3),
        "label": rng.random(n) < probability,
        "in_cohort": True,
        "not_poor": True,
        "was_poor_before": True,
        "probability": probability,
        "last visit's grades": rng.normal(size=n),
    })  # fmt: skip


def comparison() -> FeatureComparison:
    from relapse_risk.training.compare import _by_origin
    from relapse_risk.training.intervals import ranking_intervals

    rows = judged()
    rows[BASE], rows[OTHER_SEED] = rows["probability"], rows["probability"] ** 0.9
    rows["without visits"] = rows["last visit's grades"]
    names = [BASE, OTHER_SEED, "without visits"]
    summary = ranking_intervals(rows, {name: name for name in names}, 0.1, base=BASE, draws=20)
    return FeatureComparison(summary.assign(origins=3, better=1, features=10), _by_origin(rows, names, 0.1))


def hit(small: Small) -> str:
    """Return a household with a shock, a support and a status, so that every track is drawn."""
    names = ("shocks", "supports", "employment", "expenses", "statuses")
    ids = [set(small.records.frame(name)["household_id"]) for name in names]
    return min(set.intersection(*ids))


def score_of(parts: dict[str, float]) -> dict[str, Any]:
    return {"probability": 0.25, **{f"contribution_{group}": part for group, part in parts.items()}}


def plots(small: Small) -> Iterator[tuple[str, Callable[[], Plot]]]:
    """Return every plot, by name, on what a county has."""
    records = small.records
    days = [dt.date(2020, 11, 1), dt.date(2021, 3, 1), small.as_of]
    index = cohort(records, days, purpose="train")
    known = small.data.X["balance_12m"], pd.Series(small.data.y, small.data.X.index, dtype="boolean")
    kind = small.data.X["household_type"]
    declared = {feature.name: feature for feature in catalogue()}
    household = hit(small)
    yield "timeline", lambda: plot_timeline(timeline(records, household), household)
    yield "missingness", lambda: plot_missingness(missingness(records))
    yield "rows by month", lambda: plot_rows_by_month(rows_by_month(records))
    yield "attrition", lambda: plot_attrition(attrition(records, days))
    yield "by date", lambda: plot_outcomes_by_date(outcomes_by_date(labels(records, index)))
    yield "number", lambda: plot_outcomes_by_value(outcomes_by_value(*known), declared["balance_12m"], known[0])
    yield "category", lambda: plot_outcomes_by_value(outcomes_by_value(kind, known[1]), declared["household_type"])
    yield "scores", lambda: plot_scores(scores_table(judged(), 0.1, draws=20))
    yield "comparison", lambda: plot_comparison(comparison())
    yield "reliability", lambda: plot_reliability(reliability(judged()))
    yield "foreseen", lambda: plot_foreseen(foreseen(judged()))
    yield "reasons", lambda: plot_reasons(score_of(dict.fromkeys(REASON_GROUPS, 0.3)), household)


@pytest.fixture
def without_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that has no font with Chinese characters."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "relapse_risk.plots.fonts.find_spec", lambda name: None if name == "pylopdf_fonts_zh_cn" else find(name)
    )
    latin = [font for font in fontManager.ttflist if font.name.startswith("DejaVu")]
    monkeypatch.setattr(fontManager, "ttflist", latin)
    chinese_font.cache_clear()
    yield
    chinese_font.cache_clear()


def test_every_plot_is_drawn_in_both_languages_and_without_a_missing_glyph(small: Small) -> None:
    """A missing glyph is a warning of matplotlib's, and warnings are errors here."""
    assert chinese_font()
    for name, make in plots(small):
        plot = make()
        png, size = plot._repr_png_()
        assert png.startswith(PNG), name
        assert [size["width"], size["height"]] == [round(90 * inches) for inches in plot.get_size_inches()]
        written = texts(plot)
        assert any("\u4e00" <= character <= "\u9fff" for character in written), name
        assert any(word.isascii() and len(word) > 3 for word in written.split()), name


def test_where_no_font_has_chinese_characters_labels_are_english_and_it_is_said_once(
    small: Small, without_font: None
) -> None:
    with pytest.warns(NoChineseFont, match=r"relapse-risk\[notebook\].*fonts-noto-cjk"):
        assert chinese_font() is None
    for name, make in plots(small):
        plot = make()
        plot._repr_png_()
        assert texts(plot).replace("−", "-").replace("·", "").isascii(), name


def test_a_font_of_the_system_is_taken_where_the_package_is_not_there_if_it_has_the_characters(
    monkeypatch: pytest.MonkeyPatch, without_font: None
) -> None:
    import pylopdf_fonts_zh_cn
    from matplotlib.font_manager import FontEntry

    latin = fontManager.ttflist[0].fname
    entries = [
        FontEntry(fname="/nowhere/gone.otf", name="Noto Sans CJK SC"),
        FontEntry(fname=latin, name="SimHei"),  # a name says nothing
        FontEntry(fname=str(pylopdf_fonts_zh_cn.sans_path()), name="WenQuanYi Zen Hei"),
    ]
    monkeypatch.setattr(fontManager, "ttflist", entries)
    assert chinese_font() == "WenQuanYi Zen Hei"


def test_a_plot_looks_the_same_whatever_the_users_own_style_says(small: Small) -> None:
    household = hit(small)
    history = timeline(small.records, household)
    first = plot_timeline(history, household)._repr_png_()
    with mpl.rc_context({"font.family": "serif", "font.size": 30, "axes.grid": False, "text.color": "red"}):
        second = plot_timeline(history, household)._repr_png_()
    assert first == second
    assert not plt.get_fignums()  # nothing is kept open


def test_a_timeline_shows_what_the_history_holds(small: Small) -> None:
    household = hit(small)
    history = timeline(small.records, household)
    plot = plot_timeline(history, household)
    written = texts(plot)
    for track in ("shock", "support"):
        for _, row in history[history["track"] == track].iterrows():
            if row["occurred_on"] >= history.loc[history["track"] == "visit", "occurred_on"].min():
                assert row["zh"].split(" ")[0] in written
    assert household in written
    at_work = history.loc[history["track"] == "job", "person_id"].unique()
    members = history[(history["track"] == "member") & history["person_id"].isin(at_work)]
    assert len(members)
    assert all(RELATION.labels[kind].zh in written for kind in members["kind"])
    line = next(of for of in plot.axes[0].lines if "监测线" in str(of.get_label()))
    values = history.loc[history["track"] == "line", "value"]
    assert list(np.asarray(line.get_ydata())[:-1]) == values.tolist()
    wages = next(bars for bars in plot.axes[0].containers if "工资性收入" in str(bars.get_label()))
    wage = history[(history["track"] == "income") & (history["kind"] == "wage")]
    assert sum(bar.get_height() for bar in wages) == pytest.approx(wage["value"].sum())


@pytest.mark.parametrize(
    ("colours", "codes"),
    [(_SOURCES, INCOME_SOURCE), (_EXPENSES, EXPENSE_KIND), (_PLACES, WORKPLACE)],
    ids=["_SOURCES", "_EXPENSES", "_PLACES"],
)
def test_every_code_that_a_timeline_draws_has_a_colour(colours: dict[str, str], codes: Codes) -> None:
    """A code without one would be left out of the picture without a word."""
    assert set(colours) - {"in work"} == set(codes.values), f"plots/household.py: give {codes.name} its colours"


def test_every_baseline_has_a_chinese_name() -> None:
    names = {baseline.name for baseline in baselines(TABLES)}
    assert names <= _SCORES_ZH.keys(), "plots/judging.py::_SCORES_ZH: add the Chinese name of each baseline"


def test_a_baseline_named_with_or_without_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_SCORES_ZH, "without labour first", "无劳动力优先")
    assert _score("without labour first").split() == ["无劳动力优先", "without", "labour", "first"]
    assert _score("without visits").split() == ["去掉", "without", "visits"]


def test_a_timeline_of_a_household_without_incomes_draws_its_visits_and_of_nothing_is_refused(small: Small) -> None:
    history = timeline(small.records, hit(small))
    visits = history[history["track"].isin(["visit", "shock", "profile"])]
    assert SHOCK_KIND.labels[visits.loc[visits["track"] == "shock", "kind"].iloc[0]].en in texts(
        plot_timeline(visits)
    )
    with pytest.raises(UsageError, match="neither incomes nor visits"):
        plot_timeline(history[history["track"] == "status"])


def test_a_month_far_above_the_others_is_cut_and_its_amount_written() -> None:
    days = pd.date_range("2023-01-01", periods=24, freq="MS")
    history = pd.DataFrame({
        "track": "income", "occurred_on": days, "until": days, "known_on": pd.NaT, "person_id": None,
        "kind": "business", "value": [1_000.0] * 23 + [50_000.0], "unit": "yuan a month", "zh": "", "en": "",
    })  # fmt: skip
    plot = plot_timeline(history)
    assert plot.axes[0].get_ylim()[1] < 2_000
    assert "50,000" in texts(plot)


def test_attrition_bars_add_up_to_the_households_known(small: Small) -> None:
    days = [dt.date(2020, 11, 1), small.as_of]
    table = attrition(small.records, days)
    axes = plot_attrition(table).axes[0]
    widths = np.sum([[bar.get_width() for bar in bars] for bars in axes.containers], axis=0)
    first = table.groupby("as_of").first()
    assert widths.tolist() == (first["removed"] + first["left"]).tolist()


def test_missing_shares_are_written_and_whole_columns_are_only_counted() -> None:
    index = pd.MultiIndex.from_tuples([("visits", "yard"), ("visits", "tap"), ("incomes", "part")])
    shares = pd.DataFrame({"all": [0.5, 0.0, 1.0], "2022": [0.25, 0.0, 1.0], "2023": [0.999, 0.0, 1.0]}, index)
    written = texts(plot_missingness(shares))
    assert "25%" in written
    assert ">99%" in written
    assert "另有1列无缺失,1列全缺" in written
    assert "tap" not in written
    with pytest.raises(UsageError, match="nothing to draw"):
        plot_missingness(shares.iloc[1:])


@pytest.mark.parametrize(
    ("plot", "table", "match"),
    [
        (plot_rows_by_month, pd.DataFrame(), "no table has rows"),
        (plot_attrition, pd.DataFrame(), "no rows"),
        (plot_outcomes_by_date, pd.DataFrame({"labelled": [0], "poor": [0]}), "no label is known"),
    ],
)
def test_nothing_to_draw_is_refused_in_words(plot: Callable[[Any], Plot], table: pd.DataFrame, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        plot(table)


def test_reasons_are_drawn_on_their_side_the_largest_first() -> None:
    plot = plot_reasons(score_of({"illness": -0.2, "income": 0.9, "other": 0.001}), "h1")
    bars = [bar.get_width() for bar in plot.axes[0].containers[0]]
    assert bars == [0.9, -0.2, 0.001]
    written = texts(plot)
    assert "+0.90" in written
    assert "-0.20" in written
    assert "25.0%" in written


def test_without_matplotlib_a_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import relapse_risk.plots as package

    monkeypatch.setattr(package, "find_spec", {}.get)
    with pytest.raises(UsageError, match=r"pip install 'relapse-risk\[notebook\]'"):
        getattr(package, "plot_scores")  # noqa: B009
    with pytest.raises(AttributeError):
        getattr(package, "plot_nothing")  # noqa: B009
    assert "plot_scores" in dir(package)
