"""The features again, slowly and plainly: lists of dictionaries, one household and one date at a time.

It shares no code with the engine but the declarations and the code lists.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from typing import Any

from relapse_risk.features.declare import Aggregation, Feature, How, Missing, Scale, Series
from relapse_risk.records.codes import Label
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

NAN = float("nan")
Row = dict[str, Any]
PERSON_TABLES = ("members", "employment")
#: By which the head and the main earner are found.
_NO_WORDS = Label("", "")
RELATION = Feature("", _NO_WORDS, "", Series("members", "relation", by_person=True), Aggregation.LAST)
PAY = Feature("", _NO_WORDS, "", Series("employment", "earned_yuan", by_person=True), Aggregation.LAST, 12,
              account=Series("employment", by_person=True))  # fmt: skip
ONE_OFF = ("bonus", "severance", "unemployment", "disaster_relief", "social_relief", "gift", "donation")
YEARS = {"illiterate": 0, "primary": 6, "junior": 9, "senior": 12, "college": 15, "university": 16}
#: Flags by table: which codes of which column make them 1.
FLAGS = {
    "chronic": ("health", ["chronic"]),
    "major_illness": ("health", ["major_illness"]),
    "disabled": ("health", ["disabled"]),
    "not_fully_able": ("labour_skill", ["weak", "lost"]),
    "medical_insured": (
        "insurance",
        ["resident_medical", "employee_medical", "serious_illness", "commercial_medical"],
    ),
    "pension_insured": ("insurance", ["resident_pension", "employee_pension"]),
    "temporary": ("contract", ["fixed_term", "task", "casual"]),
    "domestic": ("industry", ["domestic"]),
    "construction": ("industry", ["construction"]),
}
LOOKS = ("yard", "house", "cupboard", "tap", "health", "children")


def months_before(day: dt.date, months: int) -> dt.date:
    """Return the day so many calendar months earlier; the month's last day where it lacks the day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class Oracle:
    """Computes features of one household and date at a time."""

    def __init__(self, records: Records) -> None:
        self.settings = records.settings
        self.rows: dict[str, list[Row]] = {name: records.table(name).to_pylist() for name in TABLES}
        self._persons: dict[tuple[str, str], Oracle] = {}

    def value(self, feature: Feature, household: str, as_of: dt.date) -> float:
        """Return a feature's value, NaN where missing."""
        if feature.across:
            value = self._across(feature, household, as_of)
        else:
            value = self._value(feature, household, as_of)
        if feature.missing is Missing.ZERO and math.isnan(value):
            return 0.0
        return value

    def _value(self, f: Feature, household: str, as_of: dt.date) -> float:
        a = f.aggregation
        if a is Aggregation.CALENDAR:
            return float(as_of.month if f.series.value == "month_of_year" else (as_of.month - 11) % 12)
        if a is Aggregation.TERMS:
            return sum(factor * self.value(term, household, as_of) for factor, term in f.terms)
        if a is Aggregation.MONTHLY:
            return self._monthly(f, household, as_of)
        seen = self._observations(f.series, household, as_of, f.window, f.skip)
        values = [value for _, value in seen]
        if a is Aggregation.COUNT:
            return float(len(values))
        if a is Aggregation.OPEN:
            return float(sum(value >= _number(months_before(as_of, f.skip)) for value in values))
        if a is Aggregation.SHARE:
            assert f.of is not None
            whole = sum(v for _, v in self._observations(f.of, household, as_of, f.window, f.skip))
            return sum(values) / whole if whole > 0 else NAN
        if a is Aggregation.CHANGE:
            before = [v for _, v in self._observations(f.series, household, as_of, f.window, f.skip + 12)]
            return _mean(values) - _mean(before)
        if a is Aggregation.RATIO:
            assert f.window is not None
            return sum(values) / f.window if values else NAN
        if not values:
            return NAN
        if f.account is not None:  # a value older than the latest account is not the latest account's
            accounts = self._observations(f.account, household, as_of, None, f.skip)
            if _month(seen[-1][0]) < _month(accounts[-1][0]):
                return NAN
        if a is Aggregation.SUM:
            return sum(values)
        if a is Aggregation.MEAN:
            return _mean(values)
        if a is Aggregation.MIN:
            return min(values)
        if a is Aggregation.MAX:
            return max(values)
        if a is Aggregation.STD:
            return _std(values)
        if a is Aggregation.SLOPE:
            return _slope([_tick(day, f.series) for day, _ in seen], values)
        if a is Aggregation.LAST:
            return values[-1]
        if a is Aggregation.STEP:
            return values[-1] - values[-2] if len(values) > 1 else NAN
        if a is Aggregation.DAYS_SINCE:
            return float((months_before(as_of, f.skip) - max(day for day, _ in seen)).days)
        if a is Aggregation.BELOW:
            return float(sum(value < 1.0 for value in values))
        if a is Aggregation.PER:
            assert f.of is not None
            by = [v for _, v in self._observations(f.of, household, as_of, None, f.skip)]
            return values[-1] / by[-1] if by and by[-1] > 0 else NAN
        if a is Aggregation.MARGIN:
            return (_mean(values) - 1.0) / (_std(values) + f.cushion)
        if a is Aggregation.LAST_CHANGE:
            before = [v for _, v in self._observations(f.series, household, as_of, f.window, f.skip + 12)]
            return values[-1] - before[-1] if before else NAN
        if a is Aggregation.AGE:
            return (_month(as_of) - _month(dt.date(1970, 1, 1)) - values[-1]) / 12
        assert a is Aggregation.ELAPSED
        return _number(as_of) - values[-1]

    def _across(self, f: Feature, household: str, as_of: dt.date) -> float:
        """Return a value taken across the household's members."""
        assert f.across is not None
        own = replace(f, across=None, missing=Missing.NOT_RECORDED)
        how, members = f.across.how, self._members(household, as_of)
        if how is How.OF_HEAD:
            heads = [p for p, of in members.items() if of.value(RELATION, household, as_of) == 0.0]
            return members[heads[0]].value(own, household, as_of) if heads else NAN
        if how is How.OF_MAIN_EARNER:
            pay = {p: of.value(PAY, household, as_of) for p, of in members.items()}
            paid = {p: yuan for p, yuan in pay.items() if yuan > 0}
            return members[max(paid, key=lambda p: paid[p])].value(own, household, as_of) if paid else NAN
        counted = self._members(household, as_of, with_left=f.across.with_left)
        values = {p: of.value(own, household, as_of) for p, of in counted.items()}
        passing = [
            p
            for p, of in counted.items()
            if all(one.low <= of.value(one.value, household, as_of) < one.high for one in f.across.where)
        ]
        of_all = [value for value in values.values() if not math.isnan(value)]
        some = [values[p] for p in passing if not math.isnan(values[p])]
        if how is How.COUNT:
            return float(len(passing)) if of_all else NAN
        if how is How.SHARE:
            return sum(some) / sum(of_all) if sum(of_all) > 0 else NAN
        if not some:
            return NAN
        if how is How.CONCENTRATION:
            return sum(value**2 for value in some) / sum(some) ** 2 if sum(some) > 0 else NAN
        if how is How.MEAN:
            return _mean(some)
        if how is How.SUM:
            return sum(some)
        return min(some) if how is How.MIN else max(some)

    def _members(self, household: str, as_of: dt.date, *, with_left: bool = False) -> dict[str, Oracle]:
        """Return an oracle of each member's rows alone, by person id in its order."""
        rows = [row for table in PERSON_TABLES for row in self._visible(table, household, as_of)]
        found = {}
        for person in sorted({row["person_id"] for row in rows}):
            of = self._of_person(household, person)
            profiles = of._visible("members", household, as_of)
            if with_left or not profiles or profiles[-1]["in_household"] is not False:
                found[person] = of
        return found

    def _of_person(self, household: str, person: str) -> Oracle:
        if (household, person) not in self._persons:
            alone = copy(self)
            mine = {t: [r for r in self.rows[t] if _is_of(r, household, person)] for t in PERSON_TABLES}
            alone.rows = {**self.rows, **mine}
            self._persons[household, person] = alone
        return self._persons[household, person]

    def _monthly(self, f: Feature, household: str, as_of: dt.date) -> float:
        """Return a sum over the months that the account covers: none before it begins, none after it ends."""
        assert f.account is not None
        assert f.window is not None
        inside = self._observations(f.account, household, as_of, f.window, f.skip)
        if not inside:
            return NAN
        ever = self._observations(f.account, household, as_of, None, f.skip)
        first = max(_month(months_before(as_of, f.window + f.skip)), _month(ever[0][0]))
        months = min(f.window, _month(inside[-1][0]) - first + 1)
        return sum(v for _, v in self._observations(f.series, household, as_of, f.window, f.skip)) / months

    def _observations(
        self, series: Series, household: str, as_of: dt.date, window: int | None, skip: int
    ) -> list[tuple[dt.date, float]]:
        """Return the observations of the window, oldest first; a month's total is dated to its latest day."""
        end = months_before(as_of, skip)
        start = dt.date.min if window is None else months_before(as_of, window + skip)
        seen: list[tuple[dt.date, float]] = []
        for day, amount in self._values_by_day(series, household, as_of):
            if not start <= day < end:
                continue
            value = amount / self._divisor(series.scale, household, day, as_of)
            if math.isnan(value):
                continue
            if series.by_month and seen and _month(seen[-1][0]) == _month(day):
                seen[-1] = (day, seen[-1][1] + value)
            else:
                seen.append((day, value))
        return seen

    def _values_by_day(self, series: Series, household: str, as_of: dt.date) -> list[tuple[dt.date, float]]:
        """Return the days and values of a series' visible rows, by day."""
        if series.table == "account":
            return self._account(household, as_of)
        if series.table != "incomes":
            rows = [row for row in self._visible(series.table, household, as_of) if self._passes(series, row)]
            return [(row["occurred_on"], _derived(series, row)) for row in rows]
        parts = [part for part in self._income_parts(household, as_of) if self._passes(series, part)]
        found = [(part["occurred_on"], _derived(series, part)) for part in parts]
        if self.settings.data.accounts_complete and series.where and series.by_month and series.value:
            found += [(day, 0.0) for day in self._days_with_income(household, as_of)]
        return sorted(found, key=lambda one: one[0])

    def _account(self, household: str, as_of: dt.date) -> list[tuple[dt.date, float]]:
        """Return what came in, and the bills of the months in which something is known to have come in."""
        net = Series("incomes", "net_yuan")
        found = [(part["occurred_on"], _derived(net, part)) for part in self._income_parts(household, as_of)]
        months = {_month(day) for day in self._days_with_income(household, as_of)}
        bills = [b for b in self._visible("expenses", household, as_of) if _month(b["occurred_on"]) in months]
        found += [(bill["occurred_on"], -_float(bill["self_paid_yuan"])) for bill in bills]
        return sorted(found, key=lambda one: one[0])

    def _income_parts(self, household: str, as_of: dt.date) -> list[Row]:
        """Return incomes month by month, without months that a longer account of a later day covers again."""
        visible = self._visible("incomes", household, as_of)
        parts = []
        for row in visible:
            longer = [
                r
                for r in visible
                if (r["source"], r["part"]) == (row["source"], row["part"])
                and (r["months"] or 1) > 1
                and r["occurred_on"] > row["occurred_on"]
            ]
            again = {_month(day) for r in longer for day in _days_covered(r)}
            days = [day for day in _days_covered(row) if _month(day) not in again]
            parts += [
                {**row, "occurred_on": d, "amount_yuan": row["amount_yuan"] / (row["months"] or 1)} for d in days
            ]
        return parts

    def _days_with_income(self, household: str, as_of: dt.date) -> set[dt.date]:
        """Return the days that have any income, in any version known."""
        rows = [r for r in self.rows["incomes"] if r["household_id"] == household and r["known_on"] < as_of]
        return {day for row in rows for day in _days_covered(row)}

    def _visible(self, table: str, household: str, as_of: dt.date) -> list[Row]:
        """Return the latest visible version of each fact, by day, the codes and texts of the key, and day known."""
        key = TABLES[table].key
        latest: dict[tuple[Any, ...], Row] = {}
        for row in self.rows[table]:
            if row["household_id"] != household or not row["known_on"] < as_of:
                continue
            name = tuple(row[column] for column in key)
            if name not in latest or latest[name]["known_on"] < row["known_on"]:
                latest[name] = row
        rest = [column for column in key if column not in ("household_id", "occurred_on")]
        lists = {c: codes.values for c in rest if (codes := TABLES[table].columns[c].codes)}

        def order(row: Row) -> tuple[Any, ...]:
            codes = [of.index(row[c]) if row[c] is not None else -1 for c, of in lists.items()]
            texts = [(row[c] is not None, row[c] or "") for c in rest if c not in lists]
            return (row["occurred_on"], *codes, *texts, row["known_on"])

        return sorted(latest.values(), key=order)

    @staticmethod
    def _passes(series: Series, row: Row) -> bool:
        for column, codes in series.where:
            value = row[column]
            if value is None:
                return False
            text = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
            parts = text.split(",")
            if not set(parts) & set(codes):
                return False
        return True

    def _divisor(self, scale: Scale, household: str, day: dt.date, as_of: dt.date) -> float:
        if scale is Scale.NONE:
            return 1.0
        heads, head = self._line(household, as_of if scale is Scale.LINE_NOW else day, as_of)
        return head if scale is Scale.HEAD else heads * head

    def _line(self, household: str, day: dt.date, as_of: dt.date) -> tuple[float, float]:
        """Return the members that the line counts on a day, and the line of one of them for a month."""
        profiles = self._visible("households", household, as_of)
        if not profiles:
            return NAN, NAN
        until = [p for p in profiles if p["occurred_on"] <= day]
        profile = until[-1] if until else profiles[0]
        units = profile["n_members"] if profile["line_units"] is None else profile["line_units"]
        holding: Iterable[Any] = [s for s in self.settings.line.steps if s.since <= day]
        own = [s for s in holding if s.area is not None and s.area == profile["township_id"]]
        anywhere = [s for s in holding if s.area is None]
        steps = sorted(own or anywhere, key=lambda s: s.since)
        head = steps[-1].yuan / self.settings.line.months if steps else NAN
        return NAN if units is None else float(units), head


def _is_of(row: Row, household: str, person: str) -> bool:
    return (row["household_id"], row["person_id"]) == (household, person)


def _days_covered(row: Row) -> list[dt.date]:
    """Return the days of a row's months: its own, and the ends of the months before."""
    days = [row["occurred_on"]]
    for _ in range(1, row["months"] or 1):
        days.append(days[-1].replace(day=1) - dt.timedelta(days=1))
    return days


def _month(day: dt.date) -> int:
    return day.year * 12 + day.month


def _derived(series: Series, row: Row) -> float:
    of = {column: _float(value) for column, value in row.items()}
    grades = [of[look] for look in LOOKS if look in of and not math.isnan(of[look])]
    if series.value is None:
        return 1.0
    if series.value == "net_yuan":
        return -of["amount_yuan"] if row["source"] == "production_cost" else of["amount_yuan"]
    if series.value == "grade_total":
        return sum(grades) if grades else NAN
    if series.value == "n_looked_at":
        return float(len(grades))
    if series.value == "runs_until":
        return float(2**31 - 1) if row["ended_on"] is None else _number(row["ended_on"])
    if series.value == "earned_yuan":
        return 0.0 if row["wage_yuan"] is None and not row["employed"] else of["wage_yuan"]
    if series.value == "steady_yuan":
        return 0.0 if row["part"] in ONE_OFF else _derived(replace(series, value="net_yuan"), row)
    if series.value == "steady_pay_yuan":
        return _derived(replace(series, value="earned_yuan"), row) - (row["one_off_yuan"] or 0.0)
    if series.value == "still_member":
        return 0.0 if row["in_household"] is False else 1.0
    if series.value == "born_month":
        born = row["birth_month"]
        return NAN if born is None else float(_month(born) - _month(dt.date(1970, 1, 1)))
    if series.value == "schooling_years":
        return float(YEARS[row["schooling"]]) if row["schooling"] else NAN
    if series.value == "student":
        return float(row["at_school"] != "no") if row["at_school"] else NAN
    if series.value == "unpaid":
        if not row["employed"]:
            return NAN
        if row["wage_yuan"] is not None:
            return float(row["wage_yuan"] == 0)
        return float(row["work_status"] == "family_worker") if row["work_status"] else NAN
    if series.value in FLAGS:
        where, codes = FLAGS[series.value]
        return float(not set(row[where].split(",")).isdisjoint(codes)) if row[where] else NAN
    if series.value == "away":
        if row["workplace"] is None or not row["employed"]:
            return NAN
        return float(row["workplace"] not in ("township", "county"))
    shares = {
        "labour_share": ("n_labour", "n_members"),
        "student_share": ("n_students", "n_members"),
        "elderly_share": ("n_elderly", "n_members"),
        "land_per_member": ("land_mu", "n_members"),
        "orchard_per_member": ("orchard_mu", "n_members"),
        "reimbursed_share": ("reimbursed_yuan", "total_yuan"),
    }
    if series.value in shares:
        part, whole = (of[column] for column in shares[series.value])
        return part / whole if whole > 0 else NAN
    column = TABLES[series.table].columns[series.value]
    if column.codes and row[series.value] is not None:
        return float(column.codes.values.index(row[series.value]))
    return of[series.value]


def _float(value: Any) -> float:
    if value is None:
        return NAN
    if isinstance(value, dt.date):
        return _number(value)
    return float(value) if isinstance(value, (bool, int, float)) else NAN


def _number(day: dt.date) -> float:
    return float((day - dt.date(1970, 1, 1)).days)


def _tick(day: dt.date, series: Series) -> float:
    return float(day.year * 12 + day.month) if series.by_month else _number(day) / (365.2425 / 12)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else NAN


def _std(values: list[float]) -> float:
    if len(values) < 2:
        return NAN
    mean = _mean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _slope(ticks: list[float], values: list[float]) -> float:
    if len(values) < 2:
        return NAN
    middle, mean = _mean(ticks), _mean(values)
    along = sum((tick - middle) ** 2 for tick in ticks)
    across = sum((t - middle) * (v - mean) for t, v in zip(ticks, values, strict=True))
    return across / along if along > 0 else NAN
