"""Numbers and amounts as counties write them: 3,500, ¥1200元, 0.35万元, and rates per month or year."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.datasets.exports.cells import Cells, Flags

Numbers = npt.NDArray[np.float64]

#: What a unit is of, in the record tables' own unit (yuan, mu, persons and so on).
SIZES = {
    "yuan": {"元": 1.0, "千元": 1e3, "万元": 1e4, "万": 1e4, "百元": 1e2, "分": 0.01, "角": 0.1, "yuan": 1.0},
    "mu": {"亩": 1.0, "公顷": 15.0, "平方米": 0.0015, "分": 0.1, "mu": 1.0},
    "persons": {"人": 1.0, "口": 1.0, "名": 1.0, "个": 1.0, "persons": 1.0},
    "months": {"月": 1.0, "个月": 1.0, "季": 3.0, "季度": 3.0, "年": 12.0, "months": 1.0},
    "km": {"公里": 1.0, "千米": 1.0, "里": 0.5, "华里": 0.5, "米": 0.001, "km": 1.0, "m": 0.001},
    "hours": {"小时": 1.0, "时": 1.0, "分钟": 1 / 60, "hours": 1.0, "h": 1.0},
}
#: Months a rate stands for.
PERIODS = {"年": 12, "半年": 6, "季": 3, "季度": 3, "月": 1, "year": 12, "quarter": 3, "month": 1}
_PLAIN = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
_WRITTEN = re.compile(r"([+-]?)[¥￥]?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)([^\d.,+-]\D*)?$")
_RATE = re.compile(r"(?:每|/|per )?(.+)$")


@dataclass(frozen=True)
class Unit:
    """A unit of amounts.

    Parameters
    ----------
    size : float
        What one of it is, in the record table's unit.
    months : int, optional
        Months it stands for, where it is a rate.
    """

    size: float
    months: int | None = None


@dataclass(frozen=True)
class Amounts:
    """A column of numbers.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rows,)
        In the record table's unit; NaN for none.
    missing, bad, unit_unknown : ndarray of bool, shape (n_rows,)
        Cells left out, no numbers, and numbers in an unknown unit.
    """

    values: Numbers
    missing: Flags
    bad: Flags
    unit_unknown: Flags


def read_unit(text: str, of: str) -> Unit | None:
    """Return a unit of yuan, mu, persons, months, km or hours, None if it is not known.

    Examples
    --------
    >>> read_unit("万元/年", "yuan"), read_unit("元每月", "yuan"), read_unit("斤", "yuan")
    (Unit(size=10000.0, months=12), Unit(size=1.0, months=1), None)
    """
    sizes = SIZES.get(of, {})
    text = unicodedata.normalize("NFKC", text).replace(" ", "").replace("/每", "/").strip("()")
    if text in sizes:
        return Unit(sizes[text])
    for size in sorted(sizes, key=len, reverse=True):
        rest = text.removeprefix(size)
        if rest != text and (match := _RATE.match(rest)) and match[1] in PERIODS and rest != match[1]:
            return Unit(sizes[size], PERIODS[match[1]])
    return None


def read_amounts(
    cells: Cells, of: str, unit: Unit, row_months: int | Numbers | None, units: Cells | None = None
) -> Amounts:
    """Read a column of numbers.

    Parameters
    ----------
    cells : Cells
        As they stand; a unit within a cell (``0.3万元``) goes before all others.
    of : str
        The record table's unit.
    unit : Unit
        The column's unit.
    row_months : int or ndarray of float64, shape (n_rows,), optional
        Months a row stands for, the same for all or each its own; turns a rate into an amount.
    units : Cells, optional
        A column that holds each row's unit; cells left out have the column's.
    """
    plain = np.asarray(pc.match_substring_regex(cells.texts, _PLAIN))
    numbers = np.full(len(plain) + 1, np.nan)
    numbers[:-1][plain] = np.asarray(
        cells.texts.filter(pa.array(plain)).cast(pa.float64(), safe=True), dtype=np.float64
    )
    sizes, periods = np.full((2, len(numbers)), np.nan)  # of cells with a unit of their own
    bad, unknown = np.zeros(len(numbers), bool), np.zeros(len(numbers), bool)
    for place in np.flatnonzero(~plain):
        written = read_written(cells.texts[int(place)].as_py())
        if written is None:
            bad[place] = True
            continue
        numbers[place], suffix = written
        if suffix:
            own = read_unit(suffix, of)
            unknown[place] = own is None
            sizes[place], periods[place] = _size_and_months(own or Unit(1.0))
    rows = cells.positions
    size, period = np.repeat(np.array([_size_and_months(unit)]).T, len(rows), axis=1)
    if units is not None:
        stated = [read_unit(text, of) for text in units.texts.to_pylist()]
        by_text = np.array([_size_and_months(one) for one in (*stated, unit)]).T
        size, period = by_text[:, units.positions]
    own_unit = ~np.isnan(sizes[rows])
    size, period = np.where(own_unit, sizes[rows], size), np.where(own_unit, periods[rows], period)
    months = np.nan if row_months is None else row_months
    factor = np.where(np.isnan(period), size, size * months / period)
    row_unknown = unknown[rows] | (np.isnan(factor) & (rows >= 0) & ~bad[rows])
    values = numbers[rows]
    scaled = np.where(factor == 1.0, values, np.round(values * factor, 6))
    return Amounts(scaled, rows < 0, bad[rows], row_unknown)


def read_written(text: str) -> tuple[float, str] | None:
    """Return a written number and what follows it, None if it is not a number.

    Examples
    --------
    >>> [read_written(text) for text in ("¥1,200元", "３.５万", "1,5", "约300")]
    [(1200.0, '元'), (3.5, '万'), None, None]
    """
    match = _WRITTEN.match(unicodedata.normalize("NFKC", text).replace(" ", ""))
    if match is None:
        return None
    sign, number, suffix = match.groups()
    return float(sign + number.replace(",", "")), suffix or ""


def _size_and_months(unit: Unit | None) -> tuple[float, float]:
    """Return a unit's size and months: NaN for a unit that is not known, and for months where it is no rate."""
    if unit is None:
        return np.nan, np.nan
    return unit.size, np.nan if unit.months is None else unit.months
