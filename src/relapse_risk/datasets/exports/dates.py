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

Precision = Literal["day", "month", "year"]

_DAY = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日?|(\d{2})(\d{2}))$")
_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年(\d{1,2})月份?|(\d{2}))$")
_YEAR = re.compile(r"(\d{4})年?度?$")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?$")
#: A time of day, which records do not keep; China has one time zone.
_CLOCK = r"(?:[ T]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\+08(?::?00)?)?)$"
#: Serial numbers count from here (1900-03-01 on); these bounds are 1927 and 2099.
_SERIAL_START = dt.date(1899, 12, 30)
_SERIALS = range(10_000, 73_051)
_EPOCH = dt.date(1970, 1, 1)
_ORDER: dict[Precision, int] = {"day": 0, "month": 1, "year": 2}


@dataclass(frozen=True)
class Dates:
    """A column of days.

    Parameters
    ----------
    days : ndarray of int32, shape (n_rows,)
        Days since 1970-01-01; a month or year stands for its last day.
    first : ndarray of int32, shape (n_rows,)
        First day the cell can mean: the day itself, or the month's or year's first.
    missing, bad : ndarray of bool, shape (n_rows,)
        Cells left out, and cells that are no date.
    """

    days: Days
    first: Days
    missing: Flags
    bad: Flags


def read_dates(cells: Cells, coarsest: Precision = "month") -> Dates:
    """Read a column of days.

    Parameters
    ----------
    cells : Cells
        As they stand.
    coarsest : {"day", "month", "year"}
        The coarsest a cell may be.
    """
    texts = pc.replace_substring_regex(cells.texts, _CLOCK, "")
    distinct = texts.dictionary_encode()
    spans = [read_date(text, coarsest) for text in distinct.dictionary.to_pylist()]
    of_text: npt.NDArray[np.int32] = np.asarray(distinct.indices).astype(np.int32)
    # a month told as the number 2023.1 may have been 2023.10: only whole numbers and serials are days
    fraction = np.asarray(pc.match_substring_regex(texts, r"^\d{0,4}\.")) & cells.numeric
    known = np.array([span or (0, 0) for span in spans], np.int32).reshape(-1, 2)
    bad = np.array([span is None for span in spans], bool)
    known, bad = np.append(known[of_text], [[0, 0]], axis=0), np.append(bad[of_text] | fraction, False)
    rows = known[cells.positions]
    return Dates(rows[:, 1], rows[:, 0], cells.positions < 0, bad[cells.positions])


def read_date(text: str, coarsest: Precision = "month") -> tuple[int, int] | None:
    """Return the first and the last day a text can mean, as days since 1970-01-01, None if it is no date.

    Examples
    --------
    >>> [read_date(text) for text in ("1970-01-02", "1970年1月", "1/2/1970")]
    [(1, 1), (0, 30), None]
    """
    text = unicodedata.normalize("NFKC", text).replace(" ", "")
    allowed = _ORDER[coarsest]
    if match := _DAY.match(text):
        year, month, day = (int(part) for part in match.groups() if part and part.isdigit())
        return _span(year, month, day)
    if allowed >= _ORDER["month"] and (match := _MONTH.match(text)):
        year, month = (int(part) for part in match.groups() if part)
        return _span(year, month, None)
    if allowed >= _ORDER["year"] and (match := _YEAR.match(text)):
        return _span(int(match[1]), None, None)
    if (match := _SERIAL.match(text)) and int(match[1]) in _SERIALS:
        days = int(match[1]) + (_SERIAL_START - _EPOCH).days
        return days, days
    return None


def _span(year: int, month: int | None, day: int | None) -> tuple[int, int] | None:
    try:
        first = dt.date(year, month or 1, day or 1)
        if day:
            last = first
        elif month:
            last = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
        else:
            last = dt.date(year, 12, 31)
    except ValueError:
        return None
    return (first - _EPOCH).days, (last - _EPOCH).days


def as_array(days: Days, missing: Flags) -> pa.Array:
    """Return days as an Arrow array of dates."""
    return pa.array(days.astype(np.int32), mask=missing).cast(pa.date32())
