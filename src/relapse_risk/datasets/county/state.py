"""A township's state: its households, members and grids, and the rows entered so far."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from relapse_risk.datasets.county import people
from relapse_risk.datasets.county.arrays import NEVER, Flags, Ints, Numbers
from relapse_risk.datasets.county.parameters import LIVELIHOODS, MIXED, ORANGE, TRANSFER, WORKSHOP, CountyParameters
from relapse_risk.datasets.county.place import Place
from relapse_risk.datasets.county.row_collector import Ledger
from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.records.codes import SHOCK_KIND

SHOCKS = SHOCK_KIND.values
#: Months lived before the records begin, so that incomes and shocks are those of a county that has long existed.
WARM_UP = 12


@dataclass(frozen=True)
class Switches:
    """What can be switched off, to show what bias it brings.

    Parameters
    ----------
    selection : bool
        Who is found depends on who visits, and known trouble draws more visits. Off: everyone who falls is found
        within the month.
    treatment : bool
        Measures lower the hazard. Off: they change nothing.
    delay : bool
        Finding, identifying and entering take time. Off: all is known the day it happens.
    """

    selection: bool = True
    treatment: bool = True
    delay: bool = True


@dataclass(frozen=True)
class Month:
    """A month: its number from the start of the records, its first day, the first after it, and its random numbers.

    The number of hires differs from month to month, so they have random numbers of their own.
    """

    number: int
    first: int
    after: int
    rng: np.random.Generator
    hiring: np.random.Generator

    @property
    def date(self) -> dt.date:
        """Its first day."""
        return from_days(self.first)


class Township:
    """A township: an array of each property of its households, in order.

    Parameters
    ----------
    number : int
        Which; its own random numbers follow from it and the seed.
    size : int
        Households.
    seed : int
        Seed of the county.
    switches : Switches
        What is switched off.
    parameters : CountyParameters
        Numbers.
    """

    def __init__(self, number: int, size: int, seed: int, switches: Switches, parameters: CountyParameters) -> None:
        self.number, self.size, self.seed = number, size, seed
        self.switches, self.p = switches, parameters
        p, n, rng = parameters, size, self.random(0)
        self.lifted = rng.random(n) < p.lifted_share
        oranges = self.random(1).random() < p.orange_townships
        self.livelihood = self._livelihoods(rng, oranges)
        self.people = people.found(rng, self.lifted, self.livelihood, p)
        self.counts = self.people.counts()  # this month's, by column of the profile
        self._found_holdings(rng, oranges)

        self.lifted_on = np.full(n, -1)

        # the registry: days, NEVER where it has not come about
        self.in_need_since, self.clue_on = np.full(n, NEVER), np.full(n, NEVER)
        self.identified_on, self.eliminated_on = np.full(n, NEVER), np.full(n, NEVER)
        self.cause = np.zeros(n, np.int64)  # what it fell by, a position in RISK_TYPE
        self.kind = np.zeros(n, np.int64)  # of monitored household, a position in registry.KINDS
        self.supported_until = np.zeros(n, np.int64)  # day until which measures run
        self.developed = np.zeros(n, bool)  # a measure of development was begun since identification

        # hardship
        self.shocks = np.zeros((len(SHOCKS), n))  # what is left of each kind of shock, 1 at its height
        self.unseen = rng.normal(0, p.unseen, n)  # part of the log hazard that no record holds
        grades = np.where(
            self.lifted[:, None], *map(np.cumsum, (p.housing_grades_lifted, p.housing_grades_ordinary))
        )
        self.housing = (rng.random((n, 1)) > grades).sum(axis=1).clip(0, 3)  # hazard grade, 0 for A
        self.relocated = self.lifted & (rng.random(n) < p.relocated_share_lifted)
        self.tap_trouble = rng.random(n) < p.tap_trouble
        self.income = np.zeros((12, n))  # the last twelve months' net income with payouts, less self-paid spending
        self.billed_in = np.full(n, -WARM_UP)  # month of the last medical bill

        self.place = Place(number, n, rng, self.random, p)
        self.ledger = Ledger()
        self.open_measures: list[tuple[int, int, int]] = []  # household, day begun, kind
        self.last_profile: Ints | None = (
            None  # the last profile of each household, and of each member as one number
        )
        self.last_form = np.zeros(self.people.here.shape, np.int64)
        self.profile_known_on = np.zeros(n, np.int64)
        self.founding = rng  # goes on with what the township is founded with
        self.truth: list[Numbers] = []  # hazards, a month at a time

    def random(self, *purpose: int) -> np.random.Generator:
        """Return random numbers of one purpose: what one month draws does not move another's."""
        return np.random.default_rng([self.seed, self.number, *purpose])

    def month(self, number: int) -> Month:
        """Return a month by its number from the start of the records."""
        first, after = (int(add_months(to_days(self.p.start), number + k)) for k in (0, 1))
        return Month(number, first, after, *(self.random(k, number + WARM_UP) for k in (3, 6)))

    def _livelihoods(self, rng: np.random.Generator, oranges: bool) -> Ints:
        shares = np.array([self.p.livelihoods[name] for name in LIVELIHOODS])
        if not oranges:
            shares[MIXED] += shares[ORANGE]
            shares[ORANGE] = 0.0
        return rng.choice(len(LIVELIHOODS), self.size, p=shares / shares.sum())

    def _found_holdings(self, rng: np.random.Generator, oranges: bool) -> None:
        n, p, lives_from = self.size, self.p, self.livelihood
        self.land = np.round(rng.gamma(p.land_shape, p.land_mu / p.land_shape, n), 1)
        growers, others, shape, scale = p.orchards
        orchard = np.where(lives_from == ORANGE, growers, others) * p.orange_mu * rng.gamma(shape, scale, n)
        some = (lives_from == ORANGE) | ((lives_from != WORKSHOP) & (rng.random(n) < p.other_orchards))
        self.orchard = np.round(orchard * (some & oranges), 1)
        dibao = np.where(self.lifted, rng.random(n) < p.dibao_share_lifted, rng.random(n) < p.dibao_ordinary)
        dibao |= (lives_from == TRANSFER) & (rng.random(n) < p.dibao_of_transfer)
        self.tekun = self.lifted & (self.counts["n_labour"] == 0) & (rng.random(n) < p.tekun_of_unable)
        self.dibao = dibao & ~self.tekun
        self.rents_out = rng.random(n) < p.rents_out
        mean, spread, bound = p.skill
        self.skill = np.clip(rng.normal(mean, spread, n), -bound, bound)  # log of business income
        self.setback = np.ones(n)  # factor on business income
        self.setback_left = np.zeros(n)  # months of it left

    def by_livelihood(self, values: Mapping[str, float], otherwise: float = 0.0) -> Numbers:
        """Return each household's value of those given by livelihood."""
        return np.array([values.get(name, otherwise) for name in LIVELIHOODS])[self.livelihood]

    def farms(self) -> Flags:
        """Return who lives from a business of their own."""
        return np.isin(self.livelihood, [ORANGE, MIXED, WORKSHOP])

    def monitored(self) -> Flags:
        """Return who is on the list."""
        return (self.identified_on < NEVER) & (self.eliminated_on == NEVER)

    def at_risk(self) -> Flags:
        """Return who could fall: neither in need already nor on the list."""
        return (self.in_need_since == NEVER) & ~self.monitored()

    def waiting(self, until: int | np.int64 | Ints) -> Flags:
        """Return who is in need by a day, and nobody has found."""
        return (self.in_need_since < until) & (self.clue_on == NEVER) & ~self.monitored()

    def income_to_line(self, day: dt.date) -> Numbers:
        """Return net income of twelve months with payouts, less self-paid spending, a member, over the line."""
        return self.income.sum(axis=0) / np.maximum(self.counts["n_members"], 1) / self.p.line_on(day)

    def some_day(self, month: Month) -> Ints:
        """Return a day of the month for each household."""
        return month.rng.integers(month.first, month.after, self.size)

    def late(self, month: Month, days: tuple[int, int]) -> Ints:
        """Return days until something is entered, none where delay is switched off."""
        drawn = month.rng.integers(*days, self.size)
        return drawn if self.switches.delay else np.zeros(self.size, np.int64)

    def person_ids(self) -> pa.Array:
        """Return the opaque ids of all who ever lived here, by number."""
        drawn = self.random(9).integers(16**9, 16**10, int(self.people.person.max()) + 1)
        return pa.array([f"P{number:x}" for number in drawn.tolist()])
