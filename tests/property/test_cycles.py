"""The visit rounds of any anchor and length, against a calendar stepped month by month."""

from __future__ import annotations

import calendar
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relapse_risk.cohorts import cycles
from relapse_risk.errors import UsageError
from relapse_risk.scoring.ranking import as_of_date
from relapse_risk.settings import CycleSettings

ROUNDS = st.builds(
    CycleSettings, months=st.integers(1, 24), anchor=st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))
)
DAYS = st.dates(dt.date(1800, 1, 1), dt.date(2300, 12, 31))


def stepped(rounds: CycleSettings, start: dt.date, end: dt.date) -> list[dt.date]:
    """Return the rounds' first days by walking every month from ``start`` to ``end``."""
    days = []
    year, month = start.year, start.month
    while dt.date(year, month, 1) < end:
        apart = (year - rounds.anchor.year) * 12 + month - rounds.anchor.month
        if apart % rounds.months == 0:
            days.append(dt.date(year, month, min(rounds.anchor.day, calendar.monthrange(year, month)[1])))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return [day for day in days if start <= day < end]


@given(ROUNDS, DAYS, st.integers(0, 80_000))
def test_rounds_equal_those_of_a_calendar_two_hundred_years_both_ways(
    rounds: CycleSettings, start: dt.date, span: int
) -> None:
    end = start + dt.timedelta(days=span)
    assert cycles(rounds, start, end) == stepped(rounds, start, end)


@given(ROUNDS, DAYS, DAYS, DAYS)
def test_rounds_of_a_span_are_those_of_its_parts(
    rounds: CycleSettings, one: dt.date, other: dt.date, third: dt.date
) -> None:
    start, middle, end = sorted([one, other, third])
    assert cycles(rounds, start, middle) + cycles(rounds, middle, end) == cycles(rounds, start, end)


@given(ROUNDS, DAYS)
def test_a_cycle_is_found_by_its_month_whatever_day_it_begins_on(rounds: CycleSettings, day: dt.date) -> None:
    """Where none begins, the error lists months in which one does."""
    within = stepped(rounds, day.replace(day=1), (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1))
    if within:
        assert [as_of_date(None, f"{day:%Y-%m}", rounds)] == within
        return
    with pytest.raises(UsageError, match=f"no visit cycle begins in {day:%Y-%m}") as refused:
        as_of_date(None, f"{day:%Y-%m}", rounds)
    months = str(refused.value).rpartition(" begin in ")[2].rstrip(".").split(", ")
    assert months[0] < f"{day:%Y-%m}" < months[-1], "one before and one after are among them"
    for month in months:
        assert as_of_date(None, month, rounds).isoformat()[:7] == month


@pytest.mark.parametrize("month", ["2016-11", "2023-11", "2025-01", "2060-07"])
def test_the_default_rounds_do_not_end(month: str) -> None:
    assert as_of_date(None, month, CycleSettings()) == dt.date.fromisoformat(f"{month}-01")


@pytest.mark.parametrize("month", ["0001-02", "9999-10"])
def test_months_at_the_calendars_ends_are_answered_in_words(month: str) -> None:
    with pytest.raises(UsageError, match="Cycles near it begin in"):
        as_of_date(None, month, CycleSettings())


@pytest.mark.parametrize("month", ["2024-13", "2024-3", "0000-01", "March"])
def test_what_is_no_month_is_said_to_be_none(month: str) -> None:
    with pytest.raises(UsageError, match="a month is needed, as 2024-03"):
        as_of_date(None, month, CycleSettings())
