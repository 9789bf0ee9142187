"""Every feature once more, from the data dictionary alone: slow, obvious, and without a line of the engine.

What is computed of which rows is read from ``data/feature_dictionary.csv``, keys and the order of codes from
``data/table_dictionary.csv``; what the words mean is written here after ``data/definition_dictionary.csv``.
"""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relapse_risk.records.records import Records
from relapse_risk.settings import Settings

DATA = Path(__file__).parents[2] / "data"
LOOKS = ("yard", "house", "cupboard", "tap", "health", "children")
DAYS_PER_MONTH = 30.436875
#: Aggregations of the latest value, which an account may show to be too old.
LATEST = ("last", "step", "last value per unit of another", "days since the date held")
#: A day after every other: of measures that have not ended.
NEVER_ENDED = dt.date.max

Row = dict[str, Any]
Line = dict[str, str]


@dataclass(frozen=True)
class Series:
    """What a feature reads: the columns table, value, where, each, by and scale of its line."""

    table: str
    value: str
    where: str
    each: str
    by: str
    scale: str

    @classmethod
    def of_line(cls, line: Line) -> Series:
        return cls(*(line[name] for name in ("table", "value", "where", "each", "by", "scale")))

    @classmethod
    def of_words(cls, words: str) -> Series | None:
        """Read the columns of and account."""
        if not words:
            return None
        found = re.fullmatch(r"(\w+)\.(\w+)(?: where (.*))? each (\w+) by (\w+) scale (\w+)", words)
        assert found, words
        return cls(*(part or "" for part in found.groups()))


@dataclass(frozen=True)
class Observation:
    """A value, where it lies in time (in months), and the latest day of its rows."""

    value: Any
    position: float
    day: dt.date


# ---- the dictionary


@cache
def _table_lines() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in _csv("table_dictionary.csv"):
        found.setdefault(line["table"], []).append(line)
    return found


def _csv(name: str) -> list[Line]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def feature_lines(settings: Settings) -> dict[str, Line]:
    """Return the dictionary's line of every feature and term, for these settings' horizon and items."""
    lines = {line["name"]: line for line in _csv("feature_dictionary.csv")}
    _set_horizon(lines, settings.outcome.horizon_months)
    for item in settings.items:
        same = {"table": "observations", "value": "value", "where": f"item in ({item})", "each": "row"}
        same |= {"by": "household", "scale": "none", "skip_months": "0", "of": "", "account": "", "terms": ""}
        same |= {"cushion": "", "across": "", "conditions": ""}
        same |= {"missing": "not_recorded", "feature": "True", "codes": ""}
        for name, aggregation, window in (("last", "last", "ever"), ("mean_24m", "mean", "24")):
            line = {"name": f"item_{item}_{name}", "aggregation": aggregation, "window_months": window}
            lines[line["name"]] = {**same, **line}
    return lines


def _set_horizon(lines: dict[str, Line], horizon: int) -> None:
    """Put a horizon in place of the default's six months (definition "horizon")."""
    if horizon >= 12:
        for name in (*("net_ahead_last_year", "business_ahead_last_year"),
                     *("balance_ahead_last_year", "balance_at_horizon_12m")):  # fmt: skip
            del lines[name]
        return
    months = horizon
    ahead = {"window_months": str(months), "skip_months": str(12 - months)}
    for name in ("net_ahead_last_year", "business_ahead_last_year"):
        lines[name] = {**lines[name], **ahead}
    for name in ("net_now", "paid_now"):
        lines[f"{name}_ahead"] = {**lines[f"{name}_6m_skip_6m"], **ahead, "name": f"{name}_ahead"}
    line = {**lines["balance_ahead_last_year"], "terms": "+1 * net_now_ahead -1 * paid_now_ahead"}
    lines["balance_ahead_last_year"] = line
    kept = 12 - months
    lines["wage_now_kept"] = {**lines["wage_now_6m"], "window_months": str(kept), "name": "wage_now_kept"}
    terms = f"+1 * other_now_12m +{months / 12!r} * wage_now_3m +{kept / 12!r} * wage_now_kept -1 * paid_now_12m"
    lines["balance_at_horizon_12m"] = {**lines["balance_at_horizon_12m"], "terms": terms}


@cache
def _kind_of_source(source: str) -> str:
    return next(
        line["definition"]
        for line in _csv("definition_dictionary.csv")
        if (line["kind"], line["name"]) == ("source", source)
    )


@cache
def key_of(table: str) -> list[str]:
    """Return the columns of a table's key."""
    return [line["column"] for line in _table_lines()[table] if line["key"] == "True"]


@cache
def codes_of(table: str, column: str) -> list[str]:
    """Return a column's codes, in the order of their list."""
    return next(line["codes"] for line in _table_lines()[table] if line["column"] == column).split()


# ---- dates


def back(day: dt.date, months: int) -> dt.date:
    """Move a day back by calendar months; a day that the month lacks becomes its last day."""
    year, month = divmod(month_of(day) - months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_of(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


def month_end(month: int) -> dt.date:
    year, rest = divmod(month, 12)
    return dt.date(year, rest + 1, calendar.monthrange(year, rest + 1)[1])


# ---- rows


def _plain(frame: pd.DataFrame) -> list[Row]:
    """Return rows of plain values: dates, texts, numbers, flags, None where missing."""
    plain: dict[str, list[Any]] = {}
    for name, column in frame.items():
        values = column.dt.date if pd.api.types.is_datetime64_dtype(column) else column
        plain[str(name)] = [None if pd.isna(value) else value for value in values.astype(object)]
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _by_period(row: Row) -> Iterator[Row]:
    months = int(row["months"] or 1)
    for before in range(months):
        day = row["occurred_on"] if before == 0 else month_end(month_of(row["occurred_on"]) - before)
        yield {**row, "occurred_on": day, "amount_yuan": row["amount_yuan"] / months, "of": row}


def _without_replaced(rows: list[Row]) -> list[Row]:
    """Leave out what a later row of 2 months or more replaces in the months it covers."""
    long = [row for row in rows if (row["months"] or 1) >= 2]

    def is_replaced(part: Row) -> bool:
        return any(
            row["occurred_on"] > part["of"]["occurred_on"]
            and (row["source"], row["part"]) == (part["source"], part["part"])
            and 0 <= month_of(row["occurred_on"]) - month_of(part["occurred_on"]) < row["months"]
            for row in long
        )

    return [part for row in rows for part in _by_period(row) if not is_replaced(part)]


@cache
def _definition_of_value(name: str) -> str:
    return next(
        line["definition"]
        for line in _csv("definition_dictionary.csv")
        if (line["kind"], line["name"]) == ("value", name)
    )


@cache
def _codes_of_flag(name: str) -> tuple[str, frozenset[str]]:
    """Return the column of a flag and the codes that make it 1, as its definition says."""
    words = _definition_of_value(name)
    found = re.match(r"1 if (\w+) (?:holds|is)(?: one of)? (.+?), 0 if", words)
    assert found, words
    return found[1], frozenset(re.split(r", | or ", found[2]))


@cache
def _years_of_school() -> dict[str, float]:
    found = re.findall(r"(\w+) (\d+)", _definition_of_value("members.schooling_years"))
    return {code: float(years) for code, years in found}


@cache
def _one_off_parts() -> frozenset[str]:
    _, codes = _definition_of_value("incomes.steady_yuan").split("0 for parts ")
    return frozenset(codes.split(", "))


def _sum_given(values: list[Any]) -> float | None:
    given = [value for value in values if value is not None]
    return float(sum(given)) if given else None


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or below is None else above / below


def value_of(table: str, value: str, row: Row) -> Any:  # noqa: PLR0911, PLR0912
    """Return a row's value (definitions of kind value)."""
    looks = [row.get(look) for look in LOOKS]
    shares = {
        "labour_share": "n_labour",
        "student_share": "n_students",
        "elderly_share": "n_elderly",
        "land_per_member": "land_mu",
        "orchard_per_member": "orchard_mu",
    }
    match table, value:
        case _, "1":
            return 1.0
        case "incomes", "net_yuan":
            return -row["amount_yuan"] if _kind_of_source(row["source"]) == "cost" else row["amount_yuan"]
        case "account", "balance_yuan":
            if "kind" not in row:
                return value_of("incomes", "net_yuan", row)
            return None if row["self_paid_yuan"] is None else -row["self_paid_yuan"]
        case "visits", "grade_total":
            return _sum_given(looks)
        case "visits", "n_looked_at":
            return float(sum(look is not None for look in looks))
        case "households", _ if value in shares:
            return _ratio(row[shares[value]], row["n_members"])
        case "expenses", "reimbursed_share":
            return _ratio(row["reimbursed_yuan"], row["total_yuan"]) if (row["total_yuan"] or 0) > 0 else None
        case "supports", "runs_until":
            return row["ended_on"] or NEVER_ENDED
        case "employment", "away":
            is_known = row["employed"] and row["workplace"] is not None
            return float(row["workplace"] not in ("township", "county")) if is_known else None
        case "employment", "earned_yuan":
            return 0.0 if row["wage_yuan"] is None and not row["employed"] else row["wage_yuan"]
        case "employment", "steady_pay_yuan":
            earned = value_of("employment", "earned_yuan", row)
            return None if earned is None else earned - (row["one_off_yuan"] or 0)
        case "employment", "unpaid":
            if not row["employed"]:
                return None
            return (
                value_of(table, "family_worker", row) if row["wage_yuan"] is None else float(row["wage_yuan"] == 0)
            )
        case "incomes", "steady_yuan":
            return 0.0 if row["part"] in _one_off_parts() else value_of("incomes", "net_yuan", row)
        case "members", "still_member":
            return 1.0 if row["in_household"] is None else float(row["in_household"])
        case "members", "born_month":
            return None if row["birth_month"] is None else month_of(row["birth_month"]) - 1970 * 12
        case "members", "schooling_years":
            return None if row["schooling"] is None else _years_of_school()[row["schooling"]]
        case "members", "student":
            return None if row["at_school"] is None else float(row["at_school"] != "no")
        case "members" | "employment", _ if value not in row:
            column, codes = _codes_of_flag(f"{table}.{value}")
            return None if row[column] is None else float(not codes.isdisjoint(row[column].split(",")))
    return row[value]


@cache
def _conditions(where: str) -> list[tuple[str, frozenset[str]]]:
    found = [re.fullmatch(r"(\w+) in \((.*)\)", condition) for condition in where.split(" and ") if condition]
    assert all(found), where
    return [(one[1], frozenset(one[2].split(", "))) for one in found if one]


def passes(where: str, row: Row) -> bool:
    """Return whether a row passes the column where."""
    for column, codes in _conditions(where):
        code = row[column]
        text = None if code is None else str(code).lower() if isinstance(code, bool) else str(code)
        if text is None or codes.isdisjoint(text.split(",")):
            return False
    return True


# ---- a household on a day


@dataclass
class Household:
    """What is visible of a household on a day; rows by table, the newest last."""

    as_of: dt.date
    settings: Settings
    rows: dict[str, list[Row]]
    income_days: set[dt.date]
    lines: dict[str, Line] = field(default_factory=dict)
    _lines_of_days: dict[tuple[dt.date, bool], float | None] = field(default_factory=dict)
    _rows_of: dict[Series, list[tuple[dt.date, Any]]] = field(default_factory=dict)
    _observed: dict[Any, list[Observation]] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)
    _persons: dict[str, Household] = field(default_factory=dict)

    @classmethod
    def of(cls, as_of: dt.date, settings: Settings, versions: dict[str, pd.DataFrame]) -> Household:
        """Take a household's rows of all versions known before a day."""
        rows: dict[str, list[Row]] = {}
        for table, frame in versions.items():
            newest = frame.sort_values("known_on", kind="stable").drop_duplicates(key_of(table), keep="last")
            rows[table] = sorted(_plain(newest), key=partial(_order, table))
        known = _plain(versions["incomes"]) if "incomes" in versions else []
        days = {part["occurred_on"] for row in known for part in _by_period(row)}
        months = {month_of(day) for day in days}
        rows["incomes"] = sorted(_without_replaced(rows.get("incomes", [])), key=lambda row: row["occurred_on"])
        paid = [row for row in rows.get("expenses", []) if month_of(row["occurred_on"]) in months]
        rows["account"] = sorted([*rows["incomes"], *paid], key=lambda row: row["occurred_on"])
        return cls(as_of, settings, rows, days)

    def line(self, day: dt.date, *, of_one: bool = False) -> float | None:
        """Return the line of a month on a day, of the household or of one counted member."""
        if (day, of_one) not in self._lines_of_days:
            self._lines_of_days[day, of_one] = self._find_line(day, of_one=of_one)
        return self._lines_of_days[day, of_one]

    def _find_line(self, day: dt.date, *, of_one: bool) -> float | None:
        profiles = self.rows.get("households", [])
        if not profiles:
            return None
        until = [row for row in profiles if row["occurred_on"] <= day]
        profile = until[-1] if until else profiles[0]
        begun = [step for step in self.settings.line.steps if step.since <= day]
        own = [step for step in begun if step.area is not None and step.area == profile["township_id"]]
        steps = own or [step for step in begun if step.area is None]
        if not steps:
            return None
        head = max(steps, key=lambda step: step.since).yuan / self.settings.line.months
        units = profile["n_members"] if profile["line_units"] is None else profile["line_units"]
        return head if of_one else None if units is None else head * units

    def _scaled(self, value: Any, day: dt.date, scale: str) -> Any:
        if value is None or scale == "none":
            return value
        by = self.line(self.as_of if scale == "line_now" else day, of_one=scale == "head")
        return None if by is None else value / by

    def observations(self, series: Series, start: dt.date | None, end: dt.date) -> list[Observation]:
        """Return the observations of a window, the newest last."""
        window = (series, start, end)
        if window not in self._observed:
            rows = [
                (day, value)
                for day, value in self._scaled_rows(series)
                if day < end and (not start or start <= day)
            ]
            self._observed[window] = list(_each(series.each, rows))
        return self._observed[window]

    def _scaled_rows(self, series: Series) -> list[tuple[dt.date, Any]]:
        if series not in self._rows_of:
            found = [
                (
                    row["occurred_on"],
                    self._scaled(value_of(series.table, series.value, row), row["occurred_on"], series.scale),
                )
                for row in self.rows.get(series.table, [])
                if passes(series.where, row)
            ]
            if (
                self.settings.data.accounts_complete
                and (series.table, series.each) == ("incomes", "month")
                and re.search(r"\b(source|part) in", series.where)
                and series.value != "1"
            ):
                found += [(day, self._scaled(0.0, day, series.scale)) for day in self.income_days]
            self._rows_of[series] = [(day, value) for day, value in found if value is not None]
        return self._rows_of[series]

    def features(self, lines: dict[str, Line]) -> dict[str, Any]:
        """Return the values of features, None where missing; what was observed is kept for other lines."""
        self.lines, self._values = lines, {}
        for person in self.persons.values():
            person.lines, person._values = lines, {}
        return {name: self.feature(name) for name, line in lines.items() if line["feature"] == "True"}

    def feature(self, name: str) -> Any:
        """Return a feature's value, None where it is missing."""
        if name not in self._values:
            value = self._compute(self.lines[name])
            self._values[name] = 0.0 if value is None and self.lines[name]["missing"] == "zero" else value
        return self._values[name]

    @property
    def persons(self) -> dict[str, Household]:
        """The household as each person's rows alone show it, by person id; those who left too."""
        if not self._persons:
            tables = ("members", "employment")
            ids = {row["person_id"] for table in tables for row in self.rows.get(table, [])}
            for person in sorted(ids):
                rows = {t: [row for row in self.rows.get(t, []) if row["person_id"] == person] for t in tables}
                rows["households"] = self.rows.get("households", [])
                self._persons[person] = Household(self.as_of, self.settings, rows, set())
        return self._persons

    def members(self, *, with_left: bool) -> list[Household]:
        """Return the persons who count as members (definition "members")."""
        return [
            person
            for person in self.persons.values()
            if with_left
            or not person.rows["members"]
            or value_of("members", "still_member", person.rows["members"][-1])
        ]

    def _across(self, line: Line) -> Any:  # noqa: PLR0911
        conditions = [one for one in line["conditions"].split(" and ") if one]
        members = self.members(with_left="left too" in conditions)
        conditions = [one for one in conditions if one != "left too"]
        own = {**line, "across": "", "missing": ""}
        match line["across"]:
            case "of the head":
                return next((one._compute(own) for one in members if one._is_head()), None)
            case "of the main earner":
                paid = [one for one in members if (one._pay() or 0) > 0]
                return max(paid, key=Household._pay)._compute(own) if paid else None  # the first of equals
        values = [(one._compute(own), all(one._meets(condition) for condition in conditions)) for one in members]
        known = [value for value, _ in values if value is not None]
        passing = [value for value, passes in values if passes and value is not None]
        match line["across"]:
            case "number of members":
                return sum(passes for _, passes in values) if known else None
            case "share of all members' sum":
                return sum(passing) / sum(known) if sum(known) > 0 else None
            case "sum of squared shares of members":
                whole = sum(passing)
                return sum(value**2 for value in passing) / whole**2 if whole > 0 else None
        if not passing:
            return None
        match line["across"]:
            case "sum of members":
                return sum(passing)
            case "mean of members":
                return sum(passing) / len(passing)
            case "smallest of members":
                return min(passing)
            case "largest of members":
                return max(passing)
        raise AssertionError(line["across"])

    def _is_head(self) -> bool:
        relations = [row["relation"] for row in self.rows["members"] if row["relation"] is not None]
        return relations[-1:] == ["head"]

    def _pay(self) -> Any:
        """Return what the main earner has most of: pay of the latest month in the ledger, within 12 months."""
        series = {"table": "employment", "value": "earned_yuan", "where": "", "each": "row", "by": "person"}
        how = {"aggregation": "last", "window_months": "12", "skip_months": "0", "of": "", "across": ""}
        return self._compute(
            {**series, **how, "scale": "none", "account": "employment.1 each row by person scale none"}
        )

    def _meets(self, condition: str) -> bool:
        found = re.fullmatch(r"(?:(\S+) <= )?(\w+)(?: < (\S+))?", condition)
        assert found, condition
        low, name, high = found.groups()
        value = self.feature(name)
        return value is not None and float(low or "-inf") <= value < float(high or "inf")

    def _compute(self, line: Line) -> Any:  # noqa: PLR0911, PLR0912
        if line["across"]:
            return self._across(line)
        how = line["aggregation"]
        if how == "calendar":
            month = self.as_of.month
            return {"month_of_year": month, "months_since_harvest": (month - 11) % 12}[line["name"]]
        if how == "sum of terms":
            return self._sum_of_terms(line["terms"])

        series, account, whole = (
            Series.of_line(line),
            Series.of_words(line["account"]),
            Series.of_words(line["of"]),
        )
        skip = int(line["skip_months"])
        months = None if line["window_months"] == "ever" else int(line["window_months"])
        end = back(self.as_of, skip)
        start = None if months is None else back(self.as_of, skip + months)
        observed = self.observations(series, start, end)
        values = [one.value for one in observed]

        if account is not None and how in LATEST:
            newest = self.observations(account, None, end)
            if newest and observed and month_of(observed[-1].day) < month_of(newest[-1].day):
                return None
        match how:
            case "count":
                return len(values)
            case "open":
                return sum(value >= end for value in values)
            case "sum a month of the window":
                return sum(values) / months if values else None
            case "sum a month accounted for":
                assert account is not None
                assert start is not None
                assert months is not None
                return self._sum_a_month_accounted_for(values, account, start, end, months)
            case "share":
                assert whole is not None
                below = sum(one.value for one in self.observations(whole, start, end))
                return sum(values) / below if below > 0 else None
        if not values:
            return None
        match how:
            case "sum":
                return sum(values)
            case "mean":
                return sum(values) / len(values)
            case "min":
                return min(values)
            case "max":
                return max(values)
            case "last":
                return values[-1]
            case "days since":
                return (end - observed[-1].day).days
            case "days since the date held":
                return (self.as_of - values[-1]).days
            case "years since the month held":
                return (month_of(self.as_of) - 1970 * 12 - values[-1]) / 12
            case "count below the line":
                return sum(value < 1 for value in values)
            case "last value per unit of another":
                assert whole is not None
                units = self.observations(whole, None, end)
                return values[-1] / units[-1].value if units and units[-1].value > 0 else None
            case "change on the year" | "change of the last value on the year":
                year_start = None if months is None else back(self.as_of, skip + months + 12)
                before = [one.value for one in self.observations(series, year_start, back(self.as_of, skip + 12))]
                if not before:
                    return None
                if how == "change on the year":
                    return sum(values) / len(values) - sum(before) / len(before)
                return values[-1] - before[-1]
        if len(values) < 2:
            return None
        match how:
            case "step":
                return values[-1] - values[-2]
            case "std":
                return float(np.std(values, ddof=1))
            case "slope":
                positions = [one.position for one in observed]
                if len({one.position for one in observed}) == 1:
                    return None
                return _slope(positions, values)
            case "distance from the line in standard deviations":
                above = sum(values) / len(values) - 1
                return above / (float(np.std(values, ddof=1)) + float(line["cushion"]))
        raise AssertionError(how)

    def _sum_of_terms(self, terms: str) -> float | None:
        parts = re.findall(r"([+-]\S+) \* (\w+)", terms)
        values = [(float(factor), self.feature(name)) for factor, name in parts]
        return None if any(value is None for _, value in values) else sum(f * value for f, value in values)

    def _sum_a_month_accounted_for(
        self, values: list[float], account: Series, start: dt.date, end: dt.date, months: int
    ) -> float | None:
        within, ever = self.observations(account, start, end), self.observations(account, None, end)
        if not within:
            return None
        first = max(month_of(start), month_of(ever[0].day))
        return sum(values) / min(month_of(within[-1].day) - first + 1, months)


def _each(each: str, rows: list[tuple[dt.date, Any]]) -> Iterator[Observation]:
    if each == "row":
        yield from (Observation(value, day.toordinal() / DAYS_PER_MONTH, day) for day, value in rows)
        return
    months: dict[int, list[tuple[dt.date, float]]] = {}
    for day, value in rows:
        months.setdefault(month_of(day), []).append((day, value))
    for month, parts in sorted(months.items()):
        yield Observation(float(sum(value for _, value in parts)), month, max(day for day, _ in parts))


def _slope(positions: list[float], values: list[float]) -> float:
    apart = np.array(positions) - np.mean(positions)
    return float(apart @ np.array(values, float) / (apart @ apart))


def _order(table: str, row: Row) -> tuple[Any, ...]:
    """Order rows by day; one day's by the key, codes as their lists order them, missing parts first."""
    order: list[Any] = [row["occurred_on"]]
    for column in key_of(table):
        codes, value = codes_of(table, column), row[column]
        order.append((value is not None, codes.index(value) if codes and value is not None else value or ""))
    return tuple(order)


def recompute(records: Records, index: pd.MultiIndex, *lines: dict[str, Line]) -> list[pd.DataFrame]:
    """Return the features of some (household, as_of), a frame of each of the dictionary's lines."""
    frames = {
        table: records.frame(table) for table in _table_lines() if table != "grids" and table in records.present
    }
    wanted = set(index.get_level_values(0))
    groups = {
        table: dict(iter(frame[frame["household_id"].isin(wanted)].groupby("household_id")))
        for table, frame in frames.items()
    }
    rows: list[list[dict[str, Any]]] = [[] for _ in lines]
    for household, as_of in index:
        versions = {
            table: found[household][found[household]["known_on"] < as_of]
            for table, found in groups.items()
            if household in found
        }
        one = Household.of(as_of.date(), records.settings, versions)
        for found, of_them in zip(rows, lines, strict=True):
            found.append(one.features(of_them))
    return [pd.DataFrame(found, index=index, dtype=object) for found in rows]
