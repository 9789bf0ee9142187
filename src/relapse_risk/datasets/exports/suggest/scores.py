"""How well each column of a source would be each of a record table's: by its header, its cells, and its ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.exports.national_form import FLAG, MONTH
from relapse_risk.datasets.exports.suggest.lexicon import ELIMINATED, date_score, header_score, over
from relapse_risk.datasets.exports.suggest.profile import Profile
from relapse_risk.datasets.exports.suggest.relations import Join, belongs_to, seldom_after
from relapse_risk.datasets.exports.suggest.sample import Sample
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.tables import TABLES

Scores = npt.NDArray[np.float64]

#: From here on a column is taken without a word; from the next on with a word, and from the last on asked about.
SURE, TAKEN, ASKED = 0.68, 0.45, 0.28
#: A look that scores less is one by its place among the others alone.
BY_PLACE = TAKEN + 0.02
#: Shares of header and contents in a score, where the header says something.
_HEADER, _CELLS = 0.72, 0.28
#: What ids earn by where else they stand.
_BY_IDS = 0.6
#: What an amount earns by a unit that no other column of the table has.
_BY_UNIT = 0.5
#: Columns taken only where the header says so.
_BY_HEADER = {"line_units": 0.9, "months": 0.8, "origin": 0.9, "item": 0.6, "value": 0.6}
#: What a column of citizen ids is worth as that of persons, where there is no better one.
_CITIZEN = 0.5
#: Tables of which a row is of a person.
PERSONS = ("members", "employment")
_ELIMINATED = Column(Kind.DATE, "消除日期", "day the risk was eliminated", "date", nullable=True)


@dataclass(frozen=True)
class Known:
    """What the other sources show of one.

    Parameters
    ----------
    household : int, optional
        Position of its column of household ids.
    join : Join, optional
        How those ids join the other sources.
    roles : dict of int to str
        Positions of grids, villages, townships and workers, by the record column they are.
    """

    household: int | None = None
    join: Join | None = None
    roles: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Fit:
    """How well cells fit a record column, and the score they earn whatever the header."""

    share: float = 0.0
    alone: float = 0.0


_NO = _Fit()


def columns_of(table: str) -> dict[str, Column]:
    """Return a table's columns, with those of a case register that become rows of their own."""
    described = TABLES[table].columns
    return described | {ELIMINATED: _ELIMINATED} if table == "statuses" else described


def looks_of(table: str) -> list[str]:
    """Return a table's graded looks."""
    return [name for name, column in TABLES[table].columns.items() if column.unit == "grade"]


def score_all(sample: Sample, table: str, known: Known) -> Scores:
    """Return the scores, from 0 to 1: a row a record column, a column a source's column."""
    described = columns_of(table)
    graded = graded_alike(sample) if looks_of(table) else []
    scores = np.zeros((len(described), len(sample.columns)))
    for row, (name, column) in enumerate(described.items()):
        for position, profile in enumerate(sample.columns):
            scores[row, position] = _score(sample, table, name, column, position, known)
            if column.unit == "grade" and position in graded:
                by_place = _graded(looks_of(table).index(name), graded.index(position), len(graded))
                scores[row, position] = max(scores[row, position], by_place)
            if sample.n_rows and not profile.n_filled and not column.nullable:
                scores[row, position] = 0.0
    _by_order(sample, scores, list(described))
    _most_persons(sample, scores, described)
    return scores


def _score(sample: Sample, table: str, name: str, column: Column, position: int, known: Known) -> float:
    profile = sample.columns[position]
    said = (date_score if column.kind is Kind.DATE else header_score)(profile.header, table, name)
    if name == "household_id" and known.join is not None:
        return max(said, 0.6 + 0.35 * known.join.share) if position == known.household else 0.5 * said
    if position == known.household or _barred(table, name, profile, said):
        return _CITIZEN if name == "person_id" and profile.citizens and position != known.household else 0.0
    role = known.roles.get(position)
    if role is not None and column.kind is Kind.ID:
        return max(said, _BY_IDS) if role == name else 0.3 * said
    fit = _fit(sample, table, name, column, profile, known)
    if fit.share == 0.0:
        return 0.0
    alone = max(fit.alone, _BY_UNIT) if profile.unit_of(column.unit) and _only_of_unit(table, column) else fit.alone
    return max(_HEADER * said + _CELLS * fit.share if said >= 0.25 else 0.0, alone)


def _only_of_unit(table: str, column: Column) -> bool:
    return [other.unit for other in TABLES[table].columns.values()].count(column.unit) == 1


def _barred(table: str, name: str, profile: Profile, said: float) -> bool:
    """Return whether a header speaks against a record column."""
    if said < _BY_HEADER.get(name, 0.0) or profile.refused_in(table) > max(said, 0.55):
        return True
    return name == "poor" and over(profile.header)


def _fit(sample: Sample, table: str, name: str, column: Column, profile: Profile, known: Known) -> _Fit:
    if not profile.n_filled or column.kind is Kind.TEXT:
        return _Fit(0.5)
    if column.kind is Kind.DATE:
        return _as_birth(profile) if column.unit == MONTH else _as_date(name, profile)
    if column.kind is Kind.ID:
        house = None if known.household is None else sample.columns[known.household]
        return _as_id(name, profile, house, table)
    readers = {Kind.NUMBER: as_number, Kind.FLAG: _as_flag, Kind.CODE: _as_code, Kind.CODE_SET: _as_code}
    readers[Kind.INTEGER] = _as_grade if column.unit == "grade" else _as_count
    return readers[column.kind](column, profile)


def _as_date(name: str, profile: Profile) -> _Fit:
    if not len(profile.dates):
        return _Fit(0.8) if len(profile.years) and name in ("occurred_on", "lifted_on") else _NO
    if name in ("occurred_on", "known_on") and profile.share_filled < 0.8:
        return _Fit(0.2)
    if name in ("ended_on", "lifted_on", ELIMINATED) and profile.share_filled > 0.99:
        return _Fit(0.7)
    return _Fit(0.6 if profile.serial_dates else 1.0)


def _as_birth(profile: Profile) -> _Fit:
    if len(profile.births):
        return _Fit(1.0, 0.5)
    return _Fit(0.8) if profile.ages or len(profile.dates) else _NO


def _as_id(name: str, profile: Profile, house: Profile | None, table: str) -> _Fit:
    if profile.citizens:
        return _Fit(0.2) if name == "person_id" else _NO
    if (len(profile.dates) and not profile.serial_dates) or (len(profile.numbers) and profile.whole is None):
        return _NO
    own = {
        "village_id": lambda: _as_area(profile),
        "visit_id": lambda: _as_visit(profile),
        "bill_id": lambda: _Fit(1.0, 0.25) if profile.is_id and _mostly_once(profile) else _NO,
        "person_id": lambda: _as_person(profile, house, table),
    }
    own["township_id"] = own["village_id"]
    if name in own:
        return own[name]()
    if not profile.is_id:
        return _Fit(0.3)
    if name in ("grid_id", "worker_id") and table != "grids":
        return _Fit(0.2 if profile.unique else 0.9)
    return _Fit(0.8)


def _as_area(profile: Profile) -> _Fit:
    """Return how well texts are those of villages or townships, which have codes or names; no mere counts."""
    if profile.whole is not None and profile.whole[1] < 100:
        return _NO
    return _Fit(0.8 if not profile.unique or len(profile.texts) < 30 else 0.3)


def _as_visit(profile: Profile) -> _Fit:
    """Return how well ids are those of visits: each is there once, and may be a running number."""
    if not profile.unique:
        return _NO
    return _Fit(1.0, 0.3) if profile.is_id else _Fit(0.7 if profile.whole else 0.0)


def _mostly_once(profile: Profile) -> bool:
    return len(profile.texts) > 0.5 * profile.n_filled


def _as_person(profile: Profile, house: Profile | None, table: str) -> _Fit:
    if not profile.is_id:
        return _NO
    return _Fit(1.0, 0.4) if house is not None and is_persons(profile, house, table) else _Fit(0.4)


def is_persons(profile: Profile, house: Profile, table: str) -> bool:
    """Return whether ids are those of persons: each always with one household, and of members several with one.

    In the ledger they come back month by month; a list of members may have each once.
    """
    if not profile.is_id or profile.citizens or not belongs_to(profile, house):
        return False
    if table == "members":
        return len(profile.texts) > 1.1 * len(house.texts)
    return len(profile.texts) < 0.5 * profile.n_filled


def is_flag(profile: Profile) -> bool:
    """Return whether cells are of yes and no."""
    return profile.closed and _as_flag(FLAG, profile).share > 0


def as_number(column: Column, profile: Profile) -> _Fit:
    """Return how well cells fit a column of amounts or areas."""
    if not len(profile.numbers) or (len(profile.dates) and not profile.serial_dates) or profile.running:
        return _NO
    if profile.is_id and min(map(len, profile.texts)) > 8:
        return _NO
    if profile.unit:
        return _Fit(1.0, 0.3) if profile.unit_of(column.unit) else _NO
    return _Fit(1.0) if column.unit != "mu" or float(np.nanmax(profile.numbers)) <= 10_000 else _NO


def _as_count(column: Column, profile: Profile) -> _Fit:
    if profile.whole is None or profile.running:
        return _NO
    least, greatest = profile.whole
    if least < (column.minimum or 0) or greatest > (column.maximum or np.inf):
        return _NO
    return _Fit(1.0 if greatest <= 20 else 0.5)


def _as_grade(column: Column, profile: Profile) -> _Fit:
    likeness = profile.likeness(column) if len(profile.texts) <= 6 else 0.0
    return _Fit(min(1.0, likeness + 0.2)) if likeness >= 0.5 else _Fit(0.5 if _few(profile) else 0.0)


def _few(profile: Profile) -> bool:
    return profile.closed and 2 <= len(profile.texts) <= 6 and not len(profile.numbers)


def _as_flag(column: Column, profile: Profile) -> _Fit:
    likeness = profile.likeness(column) if len(profile.texts) <= 4 else 0.0
    if likeness < 0.5:
        return _NO
    return _Fit(min(1.0, likeness + 0.2), 0.3 if profile.closed and not len(profile.numbers) else 0.0)


def _as_code(column: Column, profile: Profile) -> _Fit:
    if (not profile.closed and len(profile.parts) > 30) or len(profile.dates):
        return _NO
    if len(profile.numbers) and profile.whole is None:
        return _NO
    likeness = profile.likeness(column)
    if likeness < 0.15:
        # numbers that stand for codes, or words that nobody knows, say nothing by themselves
        return _Fit(0.4) if profile.closed and column.kind is Kind.CODE else _NO
    alone = 0.75 * likeness if likeness >= 0.4 and len(profile.parts) > 1 else 0.0
    return _Fit(min(1.0, likeness + 0.15), alone)


def graded_alike(sample: Sample) -> list[int]:
    """Return the columns that share their few texts with three others or more: looks graded in one way."""
    flag = TABLES["visits"].columns["clue_raised"]
    few = {
        position: profile.values
        for position, profile in enumerate(sample.columns)
        if _few(profile) and profile.likeness(flag) < 0.5
    }
    graded = [
        mine
        for mine in few.values()
        if len(mine) >= 3 and sum(len(mine & other) >= max(2, 0.6 * len(mine)) for other in few.values()) >= 4
    ]
    words = frozenset().union(*graded)
    return [position for position, mine in few.items() if mine in graded or mine < words]


def _graded(look: int, rank: int, n_graded: int) -> float:
    """Return what a column graded like others earns as a look: all six are in the form's order, if in any."""
    return TAKEN + 0.002 * (6 - abs(look - rank)) if n_graded == 6 else 0.3


def _by_order(sample: Sample, scores: Scores, names: list[str]) -> None:
    """Raise days that lie before others as days of the event, and those after as days of entry."""
    occurred, known = scores[names.index("occurred_on")], scores[names.index("known_on")]
    days = [position for position in range(len(sample.columns)) if occurred[position] > 0]
    for one in days:
        for other in days:
            if one != other and seldom_after(sample.columns[one], sample.columns[other]):
                occurred[one] += 0.04
                known[other] += 0.04
    np.clip(scores, 0.0, 1.0, out=scores)


def _most_persons(sample: Sample, scores: Scores, described: Mapping[str, Column]) -> None:
    """Raise the count of persons that no other count in the row exceeds as that of all members."""
    if "n_members" not in described:
        return
    row = scores[list(described).index("n_members")]
    column = described["n_members"]
    counts = [p for p, profile in enumerate(sample.columns) if _as_count(column, profile).share == 1.0]
    every = [
        p for p, profile in enumerate(sample.columns) if _as_count(described["n_labour"], profile).share == 1.0
    ]
    for position in counts:
        mine = sample.columns[position].numbers
        others = [sample.columns[p].numbers for p in every if p != position]
        if len(others) >= 2 and all((mine >= other)[np.isfinite(mine + other)].mean() > 0.98 for other in others):
            row[position] = min(1.0, max(row[position] + 0.1, TAKEN))
