"""Days as counties write them: 2023-05-01, 2023/5/1, 20230501, 2023年5月1日, 2023年5月, spreadsheet serials."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports.cells import Cells, Flags
from relapse_risk.dates import Days

Precision = Literal["day", "month", "quarter", "half", "year"]

_DAY = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日?|(\d{2})(\d{2}))$")
_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年(\d{1,2})月份?|(\d{2}))$")
#: Longer periods, by their months.
_PERIODS = {
    3: re.compile(r"(\d{4})(?:年?第?([1-4一二三四])季度?|年?[-/.]?[Qq]([1-4]))$"),
    6: re.compile(r"(\d{4})年?([上下])半年度?$"),
    12: re.compile(r"(\d{4})年?度?$"),
}
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?$")
#: A time of day, which records do not keep; China has one time zone.
_CLOCK = r"(?:[ T]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\+08(?::?00)?)?)$"
#: Serial numbers count from here (1900-03-01 on); these bounds are 1927 and 2099.
_SERIAL_START = dt.date(1899, 12, 30)
_SERIALS = range(10_000, 73_051)
_EPOCH = dt.date(1970, 1, 1)
#: The unit of an age, from which a month of birth follows.
AGE = "岁"
_YEARS = re.compile(r"(\d{1,3})(?:周?岁)?$")
_OLDEST, _YEAR = 130, 365.25
_ORDER: dict[Precision, int] = {"day": 0, "month": 1, "quarter": 3, "half": 6, "year": 12}
_NUMBER = {"1": 1, "2": 2, "3": 3, "4": 4, "一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2}


@dataclass(frozen=True)
class DateCells:
    """A column of days.

    Parameters
    ----------
    days : ndarray of int32, shape (n_rows,)
        Days since 1970-01-01; a month or longer period stands for its last day.
    first : ndarray of int32, shape (n_rows,)
        First day the cell can mean: the day itself, or the period's first.
    missing, bad : ndarray of bool, shape (n_rows,)
        Cells left out, and cells that are no date.
    """

    days: Days
    first: Days
    missing: Flags
    bad: Flags


def read_dates(cells: Cells, coarsest: Precision = "month") -> DateCells:
    """Read a column of days.

    Parameters
    ----------
    cells : Cells
        As they stand.
    coarsest : {"day", "month", "quarter", "half", "year"}
        The coarsest a cell may be.
    """
    texts = pc.replace_substring_regex(cells.texts, _CLOCK, "")
    distinct = texts.dictionary_encode()
    spans = [read_date(text, coarsest) for text in distinct.dictionary.to_pylist()]
    of_text: npt.NDArray[np.int32] = np.asarray(distinct.indices).astype(np.int32)
    # a month stored as the number 2023.1 may have been 2023.10: only whole numbers and serials are days
    fraction = np.asarray(pc.match_substring_regex(texts, r"^\d{0,4}\.")) & cells.numeric
    known = np.array([span or (0, 0) for span in spans], np.int32).reshape(-1, 2)
    bad = np.array([span is None for span in spans], bool)
    known, bad = np.append(known[of_text], [[0, 0]], axis=0), np.append(bad[of_text] | fraction, False)
    rows = known[cells.positions]
    return DateCells(rows[:, 1], rows[:, 0], cells.positions < 0, bad[cells.positions])


def read_date(text: str, coarsest: Precision = "month") -> tuple[int, int] | None:
    """Return the first and the last day a text can mean, as days since 1970-01-01, None if it is no date.

    Examples
    --------
    >>> [read_date(text) for text in ("1970-01-02", "1970年1月", "1/2/1970")]
    [(1, 1), (0, 30), None]
    >>> [read_date(text, "year") for text in ("1970年一季度", "1970Q1", "1970上半年", "1970年度")]
    [(0, 89), (0, 89), (0, 180), (0, 364)]
    """
    text = unicodedata.normalize("NFKC", text).replace(" ", "")
    allowed = _ORDER[coarsest]
    if match := _DAY.match(text):
        year, month, day = (int(part) for part in match.groups() if part and part.isdigit())
        return _day(year, month, day)
    if allowed >= _ORDER["month"] and (match := _MONTH.match(text)):
        year, month = (int(part) for part in match.groups() if part)
        return _months(year, month, 1)
    for n_months, pattern in _PERIODS.items():
        if allowed >= n_months and (match := pattern.match(text)):
            parts = [part for part in match.groups()[1:] if part]
            nth = _NUMBER[parts[0]] if parts else 1
            return _months(int(match[1]), (nth - 1) * n_months + 1, n_months)
    if (match := _SERIAL.match(text)) and int(match[1]) in _SERIALS:
        days = int(match[1]) + (_SERIAL_START - _EPOCH).days
        return days, days
    return None


def _day(year: int, month: int, day: int) -> tuple[int, int] | None:
    try:
        days = (dt.date(year, month, day) - _EPOCH).days
    except ValueError:
        return None
    return days, days


def _months(year: int, first: int, n_months: int) -> tuple[int, int] | None:
    """Return the first and the last day of some months of a year."""
    past = first - 1 + n_months
    try:
        start, end = dt.date(year, first, 1), dt.date(year + past // 12, past % 12 + 1, 1)
    except ValueError:
        return None
    return (start - _EPOCH).days, (end - _EPOCH).days - 1


def read_ages(cells: Cells, on: Days) -> DateCells:
    """Read a column of ages in whole years, each on a day of its own, as days of birth.

    Parameters
    ----------
    cells : Cells
        As they stand: 36, 36岁.
    on : ndarray of int32, shape (n_rows,)
        Days since 1970-01-01.
    """
    found = [_YEARS.match(unicodedata.normalize("NFKC", text).replace(" ", "")) for text in cells.texts.to_pylist()]
    of_text = np.array([int(match[1]) if match else _OLDEST + 1 for match in found], np.int64)
    years = np.append(of_text, 0)[cells.positions]
    last = on.astype(np.int64) - np.ceil(years * _YEAR).astype(np.int64)
    first = on.astype(np.int64) - np.floor((years + 1) * _YEAR).astype(np.int64) + 1
    return DateCells(last.astype(np.int32), first.astype(np.int32), cells.positions < 0, years > _OLDEST)


def first_of_month(days: Days) -> Days:
    """Return the first day of each day's month."""
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int32)


def as_array(days: Days, missing: Flags) -> pa.Array:
    """Return days as an Arrow array of dates."""
    return pa.array(days.astype(np.int32), mask=missing).cast(pa.date32())
