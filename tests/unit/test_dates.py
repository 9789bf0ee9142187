"""Whole days: what is taken for one, and where the calendar ends."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from relapse_risk.dates import from_days, to_date
from relapse_risk.errors import UsageError
from relapse_risk.labelling import matures_on
from relapse_risk.settings import OutcomeSettings


@pytest.mark.parametrize(
    "value",
    ["2024-03-01", dt.date(2024, 3, 1), dt.datetime(2024, 3, 1), np.datetime64("2024-03-01"),
     np.datetime64("2024-03-01T00:00"), pd.Timestamp("2024-03-01")],
)  # fmt: skip
def test_a_day_is_taken_in_every_usual_form(value: Any) -> None:
    assert to_date(value) == dt.date(2024, 3, 1)
    assert type(to_date(value)) is dt.date


@pytest.mark.parametrize(
    "value",
    ["2024-02-30", "01.03.2024", "", dt.datetime(2024, 3, 1, 5), np.datetime64("2024-03-01T05:00"),
     pd.Timestamp("2024-03-01 00:01"), np.datetime64("12000-01-01"), np.datetime64("NaT"), pd.NaT, None, 20240301],
)  # fmt: skip
def test_what_is_no_whole_day_is_refused_in_words(value: Any) -> None:
    with pytest.raises(UsageError, match="a whole day was expected, as 2024-03-01") as refused:
        to_date(value)
    assert repr(value) in str(refused.value)


def test_days_beyond_the_calendar_are_refused_in_words() -> None:
    last, first = (dt.date.max - dt.date(1970, 1, 1)).days, (dt.date.min - dt.date(1970, 1, 1)).days
    assert (from_days(first), from_days(last)) == (dt.date.min, dt.date.max)
    for beyond, message in [(last + 1, "after 9999-12-31"), (first - 1, "before 0001-01-01"), (10**15, "after")]:
        with pytest.raises(UsageError, match=f"a day {message}"):
            from_days(beyond)


def test_a_label_that_matures_after_the_last_day_is_refused() -> None:
    rounds = OutcomeSettings(horizon_months=6, reporting_lag_days=0, rounds=("03-31", "12-31"))
    with pytest.raises(UsageError, match="after 9999-12-31"):
        matures_on(dt.date(9999, 8, 1), rounds)
    assert matures_on(dt.date(9999, 2, 1), rounds) == dt.date(9999, 4, 1)
    assert matures_on(dt.date(1, 1, 1), rounds) == dt.date(1, 4, 1)
