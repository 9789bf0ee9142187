"""Calendar arithmetic on whole days.

Dates have no times and no zones. Inside, a date is the number of days since 1970-01-01 (int32); a window is
half-open and given in calendar months.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from relapse_risk.errors import UsageError

Days: TypeAlias = npt.NDArray[np.int32]
DateLike: TypeAlias = "dt.date | str | np.datetime64"

#: Later than every date of a record: "never" for an end, "not yet" for a correction.
FAR_FUTURE = np.int32(2**31 - 1)


def to_date(value: DateLike) -> dt.date:
    """Return ``value`` as a date.

    Raises
    ------
    UsageError
        If the value is not a whole day of the years 1 to 9999 (``2024-03-01``).
    """
    try:
        if isinstance(value, str):
            return dt.date.fromisoformat(value)
        if isinstance(value, np.datetime64):
            day = value.astype("datetime64[D]")
            if day == value:
                return to_date(day.item())
        elif isinstance(value, dt.datetime):
            if value.time() == dt.time():
                return value.date()
        elif isinstance(value, dt.date):
            return value
    except ValueError:  # no such day, or pandas' missing one, which has no time
        pass
    raise UsageError(
        f"a whole day was expected, as 2024-03-01 (years 0001 to 9999, without a time of day), not {value!r}"
    )


def to_days(value: DateLike) -> int:
    """Return ``value`` as days since 1970-01-01."""
    return (to_date(value) - dt.date(1970, 1, 1)).days


def from_days(days: int) -> dt.date:
    """Return the date that lies ``days`` after 1970-01-01.

    Raises
    ------
    UsageError
        If it lies outside the years 1 to 9999.
    """
    try:
        return dt.date(1970, 1, 1) + dt.timedelta(days=int(days))
    except OverflowError:
        beyond = f"after {dt.date.max}" if days > 0 else f"before {dt.date.min}"
        raise UsageError(f"a day {beyond} would be needed, and the calendar ends there; take another") from None


def add_months(days: npt.ArrayLike, months: npt.ArrayLike) -> Days:
    """Move dates by calendar months; a day the target month lacks becomes its last day.

    Parameters
    ----------
    days : array_like of int
        Days since 1970-01-01, any shape.
    months : array_like of int
        Months to move by, negative for the past; any shape that goes with that of ``days``.

    Returns
    -------
    ndarray of int32, of the shape of both
    """
    dates = np.asarray(days).astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    day_of_month = dates - month.astype("datetime64[D]")
    target = month + np.asarray(months).astype("timedelta64[M]")
    last_day = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    moved = np.minimum(target.astype("datetime64[D]") + day_of_month, last_day)
    days_moved: Days = moved.astype(np.int32)
    return days_moved


def month_number(days: npt.ArrayLike) -> Days:
    """Return the calendar months since 1970-01 that each date lies in."""
    months: Days = np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype(np.int32)
    return months


def month_of_year(days: npt.ArrayLike) -> Days:
    """Return each date's month of the year, 1 to 12."""
    month: Days = (month_number(days) % 12 + 1).astype(np.int32)
    return month
