"""What is left when headers and contents have spoken: the only column of a kind for the only place of a kind.

Whatever is taken so carries a question in the mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.exports.national_form import FLAG
from relapse_risk.datasets.exports.suggest.lexicon import ELIMINATED, over
from relapse_risk.datasets.exports.suggest.profile import Profile
from relapse_risk.datasets.exports.suggest.relations import one_a_day, one_each, seldom_after
from relapse_risk.datasets.exports.suggest.sample import Sample
from relapse_risk.datasets.exports.suggest.scores import (
    PERSONS,
    TAKEN,
    as_number,
    columns_of,
    graded_alike,
    is_flag,
    is_persons,
    looks_of,
)
from relapse_risk.datasets.exports.suggest.table_match import Match
from relapse_risk.records.columns import Column, Kind

#: From this share of the rows on, a column counts as filled in all of them.
_EVERY_ROW = 0.95


class Leftover:
    """The columns of a source that a table has not taken.

    Parameters
    ----------
    sample : Sample
        The source.
    found : Match
        What the table has taken; more is put in.
    free : set of int
        Positions that may still be taken.
    """

    def __init__(self, sample: Sample, found: Match, free: set[int]) -> None:
        self.sample = sample
        self.table = found.table
        self.found = found
        self.taken = found.taken
        self.free = {position for position in free if sample.columns[position].refused_in(found.table) < 0.6}

    def take(self) -> None:
        """Take what nothing else could be meant for."""
        self._look()
        self._visit()
        self._person()
        self._days()
        self._end()
        self._job()
        self._relation()
        self._entry()
        self._total()
        # a profile has many columns beside those that are known
        self._only(Kind.NUMBER, lambda profile, column: as_number(column, profile).alone > 0)
        if self.table != "households":
            self._only(Kind.NUMBER, lambda profile, column: as_number(column, profile).share > 0)
            self._employed()
            self._only(Kind.FLAG, lambda profile, column: profile.closed and profile.likeness(column) >= 0.5)
            self._only(Kind.CODE, _is_code)
            self._only(
                Kind.CODE_SET, lambda profile, column: profile.likeness(column) >= 0.25 and not is_flag(profile)
            )

    def candidates(self, name: str) -> list[int]:
        """Return the columns left that could be a record column by what they hold."""
        column = columns_of(self.table)[name]
        if column.optional:
            return []
        fits: dict[Kind, Callable[[Profile], bool]] = {
            Kind.ID: lambda profile: not column.nullable and self._is_id(profile, once=name == "visit_id"),
            Kind.DATE: lambda profile: len(profile.dates) + len(profile.years) > 0,
            Kind.FLAG: lambda profile: profile.closed and profile.likeness(column) >= 0.5,
            Kind.CODE: lambda profile: _is_code(profile, column),
            Kind.CODE_SET: lambda profile: _is_code(profile, column),
            Kind.NUMBER: lambda profile: as_number(column, profile).share > 0,
            Kind.INTEGER: lambda profile: self._counts(column, profile),
        }
        fit = fits.get(column.kind)
        if fit is None:
            return []
        left = {position: self.sample.columns[position] for position in sorted(self.free)}
        return [p for p, profile in left.items() if fit(profile) and not _contrary(name, profile)]

    @staticmethod
    def _counts(column: Column, profile: Profile) -> bool:
        if profile.whole is None or profile.running or column.unit == "grade":
            return False
        return profile.whole[0] >= (column.minimum or 0) and profile.whole[1] <= 20

    def _put(self, name: str, position: int) -> None:
        self.found.take(name, position, TAKEN)
        self.free.discard(position)

    def _only(self, kind: Kind, fits: Callable[[Profile, Column], bool]) -> None:
        """Take the only column left that fits the only place open of a kind."""
        named = {
            n: c for n, c in columns_of(self.table).items() if c.kind is kind and not (c.optional or n == "origin")
        }
        places = [name for name in named if name not in self.taken]
        if places == ["poor"] and ELIMINATED in self.taken:
            return  # a case register: every row is an identification
        if len(places) == 1:
            column = named[places[0]]
            left = [p for p in sorted(self.free) if fits(self.sample.columns[p], column)]
            if not column.nullable:  # what may not be missing is filled in every row
                left = [p for p in left if self.sample.columns[p].share_filled >= _EVERY_ROW] or left
            left = [p for p in left if not _contrary(places[0], self.sample.columns[p])]
            if len(left) == 1:
                self._put(places[0], left[0])

    def _look(self) -> None:
        """Give the one look that is open the one column graded like the others."""
        places = [name for name in looks_of(self.table) if name not in self.taken]
        left = [position for position in graded_alike(self.sample) if position in self.free]
        if len(places) == len(left) == 1:
            self._put(places[0], left[0])

    def _visit(self) -> None:
        """Take the only ids left that are each there once as those of the visits, and that come back as workers."""
        if self.table != "visits":
            return
        for name, once in (("visit_id", True), ("worker_id", False)):
            left = [p for p in sorted(self.free) if self._is_id(self.sample.columns[p], once=once)]
            if name not in self.taken and len(left) == 1:
                self._put(name, left[0])

    def _person(self) -> None:
        """Take the only ids left that come back, each with one household, as those of its members."""
        if self.table not in PERSONS or "person_id" in self.taken or "household_id" not in self.taken:
            return
        columns = self.sample.columns
        house = columns[self.taken["household_id"][0]]
        left = [p for p in sorted(self.free) if is_persons(columns[p], house, self.table)]
        if len(left) == 1:
            self._put("person_id", left[0])

    @staticmethod
    def _is_id(profile: Profile, *, once: bool) -> bool:
        return profile.is_id and (profile.unique if once else len(profile.texts) < 0.5 * profile.n_filled)

    def _days(self) -> None:
        """Take the only days left as those of the rows; of several, those that lie before all others."""
        if "occurred_on" in self.taken:
            return
        days = [p for p in self._days_left() if self.sample.columns[p].share_filled >= _EVERY_ROW]
        if "person_id" in self.taken:  # the days of a job come back every month
            days = [p for p in days if one_a_day(self._of("person_id"), self.sample.columns[p])]
        first = [p for p in days if all(self._before(p, other) for other in days if other != p)]
        if len(first) != 1:
            return
        self._put("occurred_on", first[0])

    def _entry(self) -> None:
        """Take the only days left that never lie before those of the rows as days of entry."""
        if "known_on" in self.taken or "occurred_on" not in self.taken:
            return
        days = [p for p in self._days_left() if self.sample.columns[p].share_filled >= _EVERY_ROW]
        if len(days) == 1 and self._before(self.taken["occurred_on"][0], days[0]):
            self._put("known_on", days[0])

    def _end(self) -> None:
        """Take the only days left, if they never lie before the day of the row, as those that it ended on."""
        ends = {"supports": "ended_on", "statuses": ELIMINATED}.get(self.table, "")
        if not ends or {ends, "poor"} & set(self.taken) or "occurred_on" not in self.taken:
            return
        days = [p for p in self._days_left() if self.sample.columns[p].share_filled < 1]
        if len(days) == 1 and self._before(self.taken["occurred_on"][0], days[0]):
            self._put(ends, days[0])

    def _employed(self) -> None:
        """Take the only yes and no that says yes where there is a wage, and no where there is none."""
        if "employed" in self.taken or "wage_yuan" not in self.taken:
            return
        paid = self._of("wage_yuan").cells.positions >= 0
        left = [p for p in sorted(self.free) if _says(self.sample.columns[p], paid)]
        if len(left) == 1:
            self._put("employed", left[0])

    def _relation(self) -> None:
        """Take the only code column of which a text is of one person in nearly every household: the head."""
        if (
            self.table != "members"
            or "relation" in self.taken
            or not {"household_id", "person_id"} <= set(self.taken)
        ):
            return
        columns, column = self.sample.columns, columns_of("members")["relation"]
        left = [p for p in sorted(self.free) if _is_code(columns[p], column)]
        left = [p for p in left if one_each(columns[p], self._of("household_id"), self._of("person_id"))]
        if len(left) == 1:
            self._put("relation", left[0])

    def _job(self) -> None:
        """Take days that come back month by month as those on which the job began and ended, and a search began.

        A search is one without a job: its beginning is filled where that of a job is blank.
        """
        if not {"person_id", "occurred_on"} <= set(self.taken) or self.table != "employment":
            return
        columns = self.sample.columns
        days = [p for p in self._days_left() if not one_a_day(self._of("person_id"), columns[p])]
        begun = [p for p in days if self._before(p, self.taken["occurred_on"][0])]
        begun.sort(key=lambda p: -columns[p].n_filled)
        if not begun or "started_on" in self.taken:
            return
        self._put("started_on", begun[0])
        filled = columns[begun[0]].cells.positions >= 0
        apart = [p for p in begun[1:] if not (filled & (columns[p].cells.positions >= 0)).any()]
        ends = [p for p in days if p not in begun and self._before(begun[0], p)]
        for name, left in (("seeking_since", apart), ("ended_on", ends)):
            if len(left) == 1 and name not in self.taken:
                self._put(name, left[0])

    def _of(self, name: str) -> Profile:
        return self.sample.columns[self.taken[name][0]]

    def _total(self) -> None:
        """Take the only amounts left that no other of the bill exceeds as those of the whole bill."""
        named = [name for name, column in columns_of(self.table).items() if column.unit == "yuan"]
        taken = [self.sample.columns[self.taken[name][0]].numbers for name in named if name in self.taken]
        if self.table != "expenses" or "total_yuan" in self.taken or not taken:
            return
        column = columns_of(self.table)["total_yuan"]
        left = [p for p in sorted(self.free) if as_number(column, self.sample.columns[p]).share > 0]
        if len(left) == 1:
            whole = self.sample.columns[left[0]].numbers
            if all((of > whole).sum() <= 0.03 * max(1, np.isfinite(of + whole).sum()) for of in taken):
                self._put("total_yuan", left[0])

    def _before(self, one: int, other: int) -> bool:
        return seldom_after(self.sample.columns[one], self.sample.columns[other])

    def _days_left(self) -> list[int]:
        columns = self.sample.columns
        return [p for p in sorted(self.free) if len(columns[p].dates) and not columns[p].serial_dates]


def _contrary(name: str, profile: Profile) -> bool:
    """Return whether a flag says that it is over instead of that it is so."""
    return name == "poor" and over(profile.header)


def _says(profile: Profile, so: npt.NDArray[np.bool_]) -> bool:
    """Return whether a column of yes and no says yes where something is so, and no elsewhere."""
    if not is_flag(profile) or profile.share_filled < _EVERY_ROW or so.all() or not so.any():
        return False
    guesses = profile.guesses(FLAG)
    meant = [guesses.get(text) for text in profile.texts]
    yes = np.array([*(guess is not None and guess.code == "true" for guess in meant), False])
    return bool((yes[profile.cells.positions] == so).mean() >= _EVERY_ROW)


def _is_code(profile: Profile, column: Column) -> bool:
    """Return whether cells are of a list of codes, known or not: few texts, no numbers, no yes and no."""
    if not profile.closed or len(profile.texts) < 2 or len(profile.dates) or len(profile.numbers):
        return False
    return profile.likeness(column) >= 0.25 or profile.likeness(FLAG) < 0.5


def entry_before_event(sample: Sample, taken: Mapping[str, list[int]]) -> bool:
    """Return whether days of entry often lie long before the event: such rows would all be set aside."""
    if not {"known_on", "occurred_on"} <= set(taken):
        return False
    known, occurred = (sample.columns[taken[name][0]].dates for name in ("known_on", "occurred_on"))
    both = len(known) > 0 and len(occurred) > 0
    return both and bool((known + 31 < occurred).sum() > 0.1 * max(1, np.isfinite(known + occurred).sum()))
