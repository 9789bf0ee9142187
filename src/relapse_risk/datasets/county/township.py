"""One township's life: its state, and a month of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.datasets.county import economy, people, registry, visiting, work
from relapse_risk.datasets.county.area import area_of
from relapse_risk.datasets.county.economy import Holdings
from relapse_risk.datasets.county.ledger import Ledger
from relapse_risk.datasets.county.livelihoods import LIVELIHOODS, MIXED, ORANGE, TRANSFER, WORKSHOP
from relapse_risk.datasets.county.parameters import CountyParameters
from relapse_risk.datasets.county.place import Place, joined
from relapse_risk.datasets.county.registry import CAUSES, DEVELOPMENT, MEASURES, NEVER, SHOCKS, Standing
from relapse_risk.datasets.county.switches import Switches
from relapse_risk.datasets.county.work import code
from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.records.codes import (
    EXPENSE_KIND,
    HOUSEHOLD_TYPE,
    INCOME_PART,
    INCOME_SOURCE,
    MEASURE,
    RISK_TYPE,
    SEX,
    SHOCK_KIND,
    STATUS_ORIGIN,
)
from relapse_risk.records.tables import TABLES

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.int64]

#: Months lived before the records begin, so that incomes and shocks have settled.
WARM_UP = 12


TRUTH_SCHEMA = pa.schema(
    [pa.field("household_id", pa.string()), pa.field("month", pa.date32()), pa.field("hazard", pa.float32())]
)


@dataclass(frozen=True)
class SimulatedTownship:
    """One township's tables and truth.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        Records known before the end.
    truth : pyarrow.Table
        ``household_id``, ``month`` (its first day) and ``hazard``: the chance, at the start of the month, of
        becoming identified by way of that month; missing while a household is on the list.
    """

    tables: dict[str, pa.Table]
    truth: pa.Table


class Township:
    """A township.

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
        self.ledger = Ledger()
        self.truth: list[Numbers] = []
        rng = self._rng(0)
        p = parameters
        self.lifted = rng.random(size) < p.lifted_share
        grows_oranges = self._rng(1).random() < p.orange_townships
        shares = np.array([p.livelihoods[name] for name in LIVELIHOODS])
        if not grows_oranges:
            shares[MIXED] += shares[ORANGE]
            shares[ORANGE] = 0.0
        livelihood = rng.choice(len(LIVELIHOODS), size, p=shares / shares.sum())
        self.people = people.settle(rng, self.lifted, livelihood, p)
        self.has = self._holdings(rng, livelihood, grows_oranges)
        self.standing = Standing.of(size, rng, p)
        grades = np.where(
            self.lifted[:, None], np.cumsum(p.housing_grades_lifted), np.cumsum(p.housing_grades_ordinary)
        )
        self.housing = (rng.random((size, 1)) > grades).sum(axis=1).clip(0, 3)
        self.relocated = self.lifted & (rng.random(size) < p.relocated_share_lifted)
        self.tap_trouble = rng.random(size) < p.tap_trouble
        self.income = np.zeros((12, size))  # the last twelve months' net income and payouts, less self-paid
        self.setback_left = np.zeros(size)
        self.treated_in = np.full(size, -WARM_UP)  # month of the last medical bill
        self.developed = np.zeros(size, bool)  # whether a measure of development was begun since identification
        self.place = Place(number, size, rng, self._rng, p)
        self._register_the_past(rng)
        self.last_profile: npt.NDArray[np.int64] | None = None
        self.support_rows: list[tuple[int, int, int]] = []
        self.member_state = np.zeros(self.people.here.shape, np.int64)  # last profile of each member, as one number
        self.entered_on = np.zeros(size, np.int64)  # day the household's last profile was entered
        begins = int(add_months(to_days(p.start), -WARM_UP))
        tenure = self._rng(7).exponential(365 * p.tenure_years, self.people.here.shape).astype(np.int64)
        work.hire(self.people, self.people.earner, self._rng(8), begins - 1, begins, livelihood, p)
        jobs = self.people.jobs
        jobs.started -= np.where(self.people.employed(), np.minimum(tenure, 30 * self.people.age - 30 * 12 * 16), 0)

    # ---- the township as it is found -------------------------------------------------------------------------

    def _rng(self, *purpose: int) -> np.random.Generator:
        """Return random numbers of one purpose: what one month draws does not move another's."""
        return np.random.default_rng([self.seed, self.number, *purpose])

    def _holdings(self, rng: np.random.Generator, livelihood: npt.NDArray[np.int64], oranges: bool) -> Holdings:
        n, p = self.size, self.p
        land = rng.gamma(4.0, p.land_mu / 4.0, n)
        mean = np.where(livelihood == ORANGE, 1.6 * p.orange_mu, 0.48 * p.orange_mu)
        orchard = mean * rng.gamma(2.5, 0.4, n)
        some = (livelihood == ORANGE) | ((livelihood != WORKSHOP) & (rng.random(n) < p.other_orchards))
        dibao = np.where(self.lifted, rng.random(n) < p.dibao_share_lifted, rng.random(n) < p.dibao_ordinary)
        dibao |= (livelihood == TRANSFER) & (rng.random(n) < p.dibao_of_transfer)
        unable = self.lifted & ~self.people.labour().any(axis=1)
        tekun = unable & (rng.random(n) < p.tekun_of_unable)
        return Holdings(
            livelihood=livelihood,
            land=np.round(land, 1),
            orchard=np.round(orchard * (some & oranges), 1),
            dibao=dibao & ~tekun,
            tekun=tekun,
            rents=rng.random(n) < p.rents_out,
            skill=np.clip(rng.normal(-0.04, 0.3, n), -0.45, 0.45),
            setback=np.ones(n),
        )

    def _register_the_past(self, rng: np.random.Generator) -> None:
        """Enter how the lifted were registered poor in 2014 and lifted since (建档立卡)."""
        p, n = self.p, self.size
        years = list(p.lifted_years)
        year = rng.choice(years, n, p=np.array(list(p.lifted_years.values())))
        lifted_on = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) + 364
        self.lifted_on = np.where(self.lifted, lifted_on, -1)
        rows = np.flatnonzero(self.lifted)
        cause = registry.draw_causes(rng, rows, self.standing, self.people, self.has, self.tap_trouble, self.p)
        registered, origin = to_days("2014-06-30"), code(STATUS_ORIGIN, "registry")
        self.ledger.add(
            "statuses", rows, registered, registered, poor=True, origin=origin, risk_types=_texts(cause)
        )
        out = self.lifted_on[rows]
        self.ledger.add(
            "statuses", rows, out, out, poor=False, origin=origin, risk_types=pa.nulls(len(rows), pa.string())
        )
        rows = np.flatnonzero(self.has.tekun)
        since, measure = self.lifted_on[rows], code(MEASURE, "comprehensive_security")
        self.ledger.add("supports", rows, since, since, kind=measure, ended_on=-1)

    # ---- its life --------------------------------------------------------------------------------------------

    def live(self, months: int) -> SimulatedTownship:
        """Live so many months and return what was recorded and what was true."""
        start = to_days(self.p.start)
        for m in range(-WARM_UP, months):
            first = int(add_months(start, m))
            self._month(m, first, int(add_months(start, m + 1)))
        end = int(add_months(start, months))
        numbers = self._rng(9).integers(16**9, 16**10, int(self.people.person.max()) + 1)
        persons = pa.array([f"P{number:x}" for number in numbers.tolist()])
        tables = {
            name: self.ledger.table(TABLES[name], self.place.ids, end, persons)
            for name in TABLES
            if name not in ("grids", "observations")
        }
        tables["grids"] = self.place.grids(end)
        return SimulatedTownship(tables, self._truth(months))

    def _truth(self, months: int) -> pa.Table:
        start = to_days(self.p.start)
        firsts = np.array([add_months(start, m) for m in range(months)], np.int32)
        hazard = np.stack(self.truth, axis=1).astype(np.float32)
        return pa.Table.from_arrays(
            [
                self.place.ids.take(pa.array(np.repeat(np.arange(self.size), months))),
                pa.array(np.tile(firsts, self.size)).cast(pa.date32()),
                pa.array(hazard.ravel(), mask=np.isnan(hazard.ravel())),
            ],
            schema=TRUTH_SCHEMA,
        )

    def _month(self, m: int, first: int, after: int) -> None:
        rng = self._rng(3, m + WARM_UP)
        month = from_days(first)
        recording = m >= 0
        area = area_of(month, self.has.livelihood, self._rng)
        bereaved = people.live_a_month(self.people, rng, self.has.livelihood, area.migration, self.p)
        to_line = self._income_to_line(month)
        supported = (self.standing.supported_until > first) & self.switches.treatment
        hazard = np.exp(
            registry.log_hazard(
                self.standing, self.people, to_line, self.housing, self.lifted, area.hazard, month.month,
                supported, self.p,
            )
        ).clip(0, 0.5)  # fmt: skip
        found = self._chance_to_be_found()
        if recording:
            at_risk = self.standing.at_risk()
            waiting = ~at_risk & ~self.standing.monitored()
            self.truth.append(np.where(at_risk, hazard, np.where(waiting, found, np.nan)))
        begun = self._shocks(rng, bereaved, area.hit)
        lost, severance = work.move_work(
            self.people, rng, self._rng(6, m + WARM_UP), area.job_loss, first, after, self.has.livelihood, self.p
        )
        begun["job_loss"] |= lost & ~self.people.employed().any(axis=1)
        self._note_shocks(rng, begun, first, after, recording)
        money = economy.earn(self.people, self.has, rng, month, area.income, self.lifted, severance, self.p)
        self.people.jobs.worked[m % 12] = money.pay > 0
        fell = self._fall(rng, hazard, first, after, recording)
        costly = 1.0 * begun["illness"] + begun["accident"] + fell
        medical = economy.medical_bills(
            self.people, rng, np.maximum(costly, 0.3 * self._untreated(m)), month, self.p
        )
        self.treated_in[medical.household] = m
        bills = [medical, economy.school_bills(self.people, rng, month, self.p)]
        claims = self._claims(rng, begun)
        self.income[m % 12] = money.net() + claims - sum(self._spread(b) for b in bills)
        if recording:
            self._record_money(rng, money, bills, claims, first, after)
            self._find(rng, first, after)
            if from_days(first) <= self.p.first_wave_on < from_days(after):
                self._first_wave(rng, hazard)
            self._identify(rng, month, first, after)
            self._visit(rng, m, first, after, to_line)
            self._identify(rng, month, first, after)
            self._develop(rng, first, after)
            self._eliminate(rng, first, after)
            self._support_the_lifted(rng, hazard, month, first, after)
            self._record_profiles(rng, m, first)
        self.standing.shocks *= self.p.shock_fades
        self.setback_left = np.maximum(self.setback_left - 1, 0)
        self.has.setback = np.where(self.setback_left > 0, self.has.setback, 1.0)

    def _untreated(self, m: int) -> Flags:
        """Return whose illness, the cause of their need, has brought no bill for almost a year."""
        s = self.standing
        ill = (s.monitored() | (s.in_need_since < NEVER)) & (s.cause == CAUSES.index("illness"))
        return ill & (m - self.treated_in >= 11)

    def _spread(self, bills: economy.Bills) -> Numbers:
        """Return the self-paid part of bills, by household."""
        return np.bincount(bills.household, bills.self_paid, minlength=self.size).astype(np.float64)

    def _income_to_line(self, month: dt.date) -> Numbers:
        members = np.maximum(self.people.here.sum(axis=1), 1)
        return self.income.sum(axis=0) / members / self.p.line_on(month)

    def _shocks(self, rng: np.random.Generator, bereaved: Flags, area: dict[str, Flags]) -> dict[str, Flags]:
        """Let personal and area-wide shocks hit; return whom each kind hit."""
        p, n = self.p, self.size
        counts = self.people.counts()
        farms = np.isin(self.has.livelihood, [ORANGE, MIXED, WORKSHOP])
        chance = {
            "illness": p.illness_month * (1 + 1.2 * counts[:, 4] + 1.5 * counts[:, 5]),
            "accident": np.full(n, p.accident_month),
            "disaster": np.full(n, p.disaster_month),
            "crop_failure": p.crop_failure_month * farms,
            "market": np.zeros(n),
            "job_loss": np.zeros(n),  # comes of losing work
        }
        nobody = np.zeros(n, bool)
        begun = {
            kind: (rng.random(n) < chance[kind])
            | (area.get(kind, nobody) & (rng.random(n) < p.hit_by_area[kind]))
            | (bereaved if kind == "accident" else nobody)
            for kind in SHOCKS
        }
        failed = begun["crop_failure"] | begun["disaster"]
        left, lasts = p.harvest_lost
        self.has.setback = np.where(failed, left, self.has.setback)
        self.setback_left = np.where(failed, lasts, self.setback_left)
        ill = np.flatnonzero(begun["illness"])
        member = people.SLOTS - 1 - self.people.here[ill, ::-1].argmax(axis=1)  # the last who is there
        lasting = rng.random(len(ill)) < p.illness_lasts
        self.people.chronic[ill[lasting], member[lasting]] = True
        return begun

    def _note_shocks(
        self, rng: np.random.Generator, begun: dict[str, Flags], first: int, after: int, recording: bool
    ) -> None:
        """Let the month's shocks weigh, and enter some: one row a household and kind, whatever brought it."""
        for k, kind in enumerate(SHOCKS):
            self.standing.shocks[k] += begun[kind]
            rows = np.flatnonzero(begun[kind] & (rng.random(self.size) < self.p.recorded[kind]))
            day = rng.integers(first, after, self.size)[rows]
            known = day + self._late(rng, *self.p.shocks_after_days)[rows]
            if recording:
                self.ledger.add("shocks", rows, day, known, kind=code(SHOCK_KIND, kind))

    def _late(self, rng: np.random.Generator, low: int, high: int) -> Days:
        """Return days until something is entered, none where delay is switched off."""
        days = rng.integers(low, high, self.size)
        return days if self.switches.delay else np.zeros(self.size, np.int64)

    # ---- falling, being found, being helped ------------------------------------------------------------------

    def _chance_to_be_found(self) -> Numbers:
        """Return the monthly chance that someone in need is found."""
        if not self.switches.selection:
            return np.ones(self.size)
        p = self.p
        sees = self._workers(0).sees()
        return 1 - (1 - p.found_otherwise) * (1 - p.found_by_visit * sees / p.cycle_months)

    def _workers(self, first: int) -> visiting.Workers:
        redrawn = first >= to_days(self.p.grids_redrawn_on)
        return self.place.grid_plans[int(redrawn)][2]

    def _fall(self, rng: np.random.Generator, hazard: Numbers, first: int, after: int, recording: bool) -> Numbers:
        """Let households fall by their hazard; return on whom a large bill comes with it."""
        falls = self.standing.at_risk() & (rng.random(self.size) < hazard) & recording
        day = rng.integers(first, after, self.size)
        rows = np.flatnonzero(falls)
        cause = registry.draw_causes(rng, rows, self.standing, self.people, self.has, self.tap_trouble, self.p)
        self.standing.in_need_since[rows] = day[rows]
        self.standing.cause[rows] = cause
        by = {name: rows[cause == k] for k, name in enumerate(CAUSES)}
        lose = by["unstable_work"]
        jobs = self.people.jobs
        last = np.maximum(day[lose, None], jobs.started[lose])
        jobs.ends[lose] = np.where(self.people.employed()[lose], last, -1)
        left, lasts = self.p.project_failed
        self.has.setback[by["industry_failure"]] = left
        self.setback_left[by["industry_failure"]] = lasts
        bill = np.zeros(self.size)
        for name, size in self.p.fallen_bills.items():
            bill[by[name]] = size
        return bill

    def _claims(self, rng: np.random.Generator, begun: dict[str, Flags]) -> Numbers:
        """Return insurance payouts after some of the shocks."""
        insured = rng.random(self.size) < self.p.insured
        size = 1.0 * begun["illness"] + begun["accident"] + 0.5 * begun["disaster"] + 0.4 * begun["crop_failure"]
        return np.round(insured * size * self.p.claim_yuan * np.exp(rng.normal(0, 0.5, self.size)))

    def _find(self, rng: np.random.Generator, first: int, after: int) -> None:
        """Let reports and data comparison find some of those in need, others recover unseen."""
        s, p = self.standing, self.p
        waits = (s.in_need_since < after) & (s.clue_on == NEVER) & ~s.monitored()
        chance = p.found_otherwise if self.switches.selection else 1.0
        reported = waits & (rng.random(self.size) < chance)
        day = np.maximum(rng.integers(first, after, self.size), np.where(waits, s.in_need_since, 0))
        if not self.switches.delay:
            day = np.where(waits, s.in_need_since, day)
        s.clue_on = np.where(reported, day, s.clue_on)
        over = waits & ~reported & (rng.random(self.size) < p.recovers_unseen_month)
        s.in_need_since = np.where(over, NEVER, s.in_need_since)

    def _first_wave(self, rng: np.random.Generator, hazard: Numbers) -> None:
        """Put the households nearest to falling on the list when the mechanism begins."""
        s, p = self.standing, self.p
        nearness = np.log(hazard) + rng.gumbel(0, 0.8, self.size)
        n = round(p.first_wave_share * self.size)
        rows = np.argsort(-np.where(s.at_risk(), nearness, -np.inf), kind="stable")[:n]
        on = to_days(p.first_wave_on) + rng.integers(0, 90, self.size)[rows]
        s.in_need_since[rows] = on - 30
        s.clue_on[rows] = on - 8
        s.cause[rows] = registry.draw_causes(rng, rows, s, self.people, self.has, self.tap_trouble, self.p)

    def _identify(self, rng: np.random.Generator, month: dt.date, first: int, after: int) -> None:
        """Turn clues that are old enough into identifications, with measures within the month."""
        s, p = self.standing, self.p
        wait = rng.integers(*p.clue_to_identification_days, self.size)
        wait = wait if self.switches.delay else np.zeros(self.size, np.int64)
        due = (s.clue_on < NEVER) & ~s.monitored() & (s.clue_on + wait < after)
        rows = np.flatnonzero(due)
        if not rows.size:
            return
        on = np.maximum((s.clue_on + wait)[rows], first)
        on = np.minimum(on, after - 1)
        known = on + self._late(rng, *p.entered_after_days)[rows]
        to_line = self._income_to_line(month)
        s.identified_on[rows] = on
        s.eliminated_on[rows] = NEVER
        s.in_need_since[rows] = NEVER
        s.clue_on[rows] = NEVER
        s.cause[rows] = cause = self._lawful_cause(rows)
        s.kind[rows] = registry.kind_of(to_line[rows], self.lifted[rows])
        origin = code(STATUS_ORIGIN, "registry")
        self.ledger.add("statuses", rows, on, known, poor=True, origin=origin, risk_types=_texts(cause))
        self._help(rng, rows, on, cause, month)

    def _lawful_cause(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the causes that can be entered: the national checks refuse unstable work without labour."""
        counts = self.people.counts()[rows]
        cause = self.standing.cause[rows]
        idle = (counts[:, 1] == 0) | ~self.people.earner[rows].any(axis=1)
        return np.where((cause == CAUSES.index("unstable_work")) & idle, CAUSES.index("labour_shortage"), cause)

    def _help(
        self,
        rng: np.random.Generator,
        rows: npt.NDArray[np.int64],
        on: Days,
        cause: npt.NDArray[np.int64],
        month: dt.date,
    ) -> None:
        """Begin a measure against the cause, and one of development where there is labour."""
        s = self.standing
        kinds = np.array([code(MEASURE, MEASURES[name]) for name in CAUSES])[cause]
        begins = on + 1 + rng.integers(0, 27, self.size)[rows]
        self._support(rng, rows, begins, kinds)
        able = np.asarray(self.people.labour().any(axis=1))[rows]
        choice = rng.integers(0, len(DEVELOPMENT), self.size)[rows]
        development = np.array([code(MEASURE, name) for name in DEVELOPMENT])[choice]
        two = able & (development != kinds)
        self._support(rng, rows[two], begins[two] + rng.integers(0, 60, self.size)[rows][two], development[two])
        self.developed[rows] = two | np.isin(kinds, [code(MEASURE, name) for name in DEVELOPMENT])
        s.supported_until[rows] = NEVER
        poor = (~self.has.tekun & (self._income_to_line(month) < 1.0))[rows]
        poor &= rng.random(self.size)[rows] < self.p.dibao_after_identification
        if self.switches.treatment:
            self.has.dibao[rows[poor]] = True
            first = int(to_days(month))
            for measure in ("employment", "welfare_post"):
                self._employ(rows[two & (development == code(MEASURE, measure))], first, measure)
            raised = rows[two & np.isin(development, [code(MEASURE, name) for name in ("industry", "finance")])]
            self.has.skill[raised] = np.minimum(self.has.skill[raised] + self.p.industry_raises, 0.45)

    def _develop(self, rng: np.random.Generator, first: int, after: int) -> None:
        """Begin a measure of development where labour came to those on the list later, as the form asks."""
        able = np.asarray(self.people.labour().any(axis=1))
        rows = np.flatnonzero(self.standing.monitored() & able & ~self.developed)
        kinds = np.array([code(MEASURE, name) for name in DEVELOPMENT])[rng.integers(0, 4, self.size)[rows]]
        self._support(rng, rows, rng.integers(first, after, self.size)[rows], kinds)
        self.developed[rows] = True

    def _employ(self, rows: npt.NDArray[np.int64], first: int, measure: str) -> None:
        """Give one member able to work and without a job one that a measure found."""
        idle = self.people.labour()[rows] & ~self.people.employed()[rows]
        some = idle.any(axis=1)
        at = rows[some], idle[some].argmax(axis=1)
        self.people.earner[at] = True
        hired = np.zeros(self.people.here.shape, bool)
        hired[at] = True
        rng = self._rng(10, first, code(MEASURE, measure))
        work.hire(self.people, hired, rng, first, first + 28, self.has.livelihood, self.p, measure)

    def _support(
        self, rng: np.random.Generator, rows: npt.NDArray[np.int64], begins: Days, kinds: npt.NDArray[np.int64]
    ) -> None:
        known = begins + self._late(rng, *self.p.supports_after_days)[rows]
        self.ledger.add("supports", rows, begins, known, kind=kinds, ended_on=-1)
        self.support_rows += list(zip(rows.tolist(), begins.tolist(), kinds.tolist(), strict=True))

    def _eliminate(self, rng: np.random.Generator, first: int, after: int) -> None:
        """Take households off the list whose risk is gone: six months at least, labour, income, no dropout."""
        s, p = self.standing, self.p
        earliest = add_months(np.where(s.monitored(), s.identified_on, 0), p.earliest_elimination_months)
        chance = np.array([p.elimination_month[kind] for kind in registry.KINDS])[s.kind]
        day = rng.integers(first, after, self.size)
        ready = s.monitored() & (earliest <= day) & (rng.random(self.size) < chance)
        ready &= self.people.labour().any(axis=1) & ~(self.people.dropout & self.people.here).any(axis=1)
        ready &= self._income_to_line(from_days(first)) >= 1.0
        rows = np.flatnonzero(ready)
        known = day[rows] + self._late(rng, *p.entered_after_days)[rows]
        origin = code(STATUS_ORIGIN, "registry")
        nothing = pa.nulls(len(rows), pa.string())
        self.ledger.add("statuses", rows, day[rows], known, poor=False, origin=origin, risk_types=nothing)
        s.eliminated_on[rows] = day[rows]
        stays = rng.random(self.size)[rows] < p.support_stays
        s.supported_until[rows] = np.where(stays, day[rows] + 365, day[rows] + 45)
        ends = dict(zip(rows.tolist(), s.supported_until[rows].tolist(), strict=True))
        self._end_supports(rng, ends)

    def _end_supports(self, rng: np.random.Generator, ends: dict[int, int]) -> None:
        """Enter the days on which running measures of some households end, as later versions of their rows."""
        ending = [(h, begun, kind) for h, begun, kind in self.support_rows if h in ends and begun < ends[h]]
        self.support_rows = [row for row in self.support_rows if row[0] not in ends]
        if ending:
            rows, begun, kinds = (np.array(column) for column in zip(*ending, strict=True))
            last = np.array([ends[h] for h in rows.tolist()])
            soonest, latest = self.p.supports_after_days
            known = last + self._late(rng, latest, 2 * latest - soonest)[rows]  # after the beginning was entered
            self.ledger.add("supports", rows, begun, known, kind=kinds, ended_on=last)

    def _support_the_lifted(
        self, rng: np.random.Generator, hazard: Numbers, month: dt.date, first: int, after: int
    ) -> None:
        """Give some lifted households a year's measure each spring, the more so the nearer they are to falling."""
        if month.month != 3:
            return
        seldom, often = self.p.lifted_supported
        near = hazard > np.quantile(hazard, 0.7)
        chosen = self.lifted & ~self.standing.monitored() & (self.standing.supported_until < first)
        chosen &= rng.random(self.size) < np.where(near, often, seldom)
        rows = np.flatnonzero(chosen)
        begins = rng.integers(first, after, self.size)[rows]
        kinds = np.array([code(MEASURE, name) for name in DEVELOPMENT])[rng.integers(0, 4, self.size)[rows]]
        self._support(rng, rows, begins, kinds)
        self.standing.supported_until[rows] = begins + 365
        self._end_supports(rng, dict(zip(rows.tolist(), (begins + 365).tolist(), strict=True)))

    # ---- what is entered -------------------------------------------------------------------------------------

    def _record_money(
        self,
        rng: np.random.Generator,
        money: economy.Money,
        bills: list[economy.Bills],
        claims: Numbers,
        first: int,
        after: int,
    ) -> None:
        last = after - 1
        share, soonest, latest = self.p.slow_money
        slow = rng.random(self.size) < share
        lag = np.where(
            slow, rng.integers(soonest, latest, self.size), rng.integers(*self.p.money_after_days, self.size)
        )
        lag = lag if self.switches.delay else np.zeros(self.size, np.int64)
        earns = self.people.earner.any(axis=1)
        for (source, part), amount in zip(economy.STREAMS, money.amounts, strict=True):
            rows = np.flatnonzero((amount > 0) | (earns if part == "migrant_work" else False))
            self.ledger.add(
                "incomes", rows, last, last + lag[rows], source=code(INCOME_SOURCE, source),
                part=-1 if part is None else code(INCOME_PART, part), amount_yuan=amount[rows],
            )  # fmt: skip
        rows = np.flatnonzero(claims > 0)
        self.ledger.add(
            "incomes", rows, last, last + lag[rows], source=code(INCOME_SOURCE, "claim"),
            part=code(INCOME_PART, "poverty_insurance"), amount_yuan=claims[rows],
        )  # fmt: skip
        for bill in bills:
            day = rng.integers(first, after, self.size)[bill.household]
            known = day + self._late(rng, *self.p.bills_after_days)[bill.household]
            self.ledger.add(
                "expenses", bill.household, day, known, kind=code(EXPENSE_KIND, bill.kind), total_yuan=bill.total,
                reimbursed_yuan=bill.reimbursed, self_paid_yuan=bill.self_paid,
            )  # fmt: skip
        self._record_employment(rng, money, last)

    def _record_employment(self, rng: np.random.Generator, money: economy.Money, last: int) -> None:
        """Enter the ledger of the lifted and the monitored: every member who would work for a wage."""
        listed = self.lifted | (self.standing.identified_on < NEVER)
        rows, slots = np.nonzero(self.people.earner & listed[:, None])
        jobs = self.people.jobs
        works, lag = money.pay[rows, slots] > 0, self._late(rng, *self.p.ledger_after_days)

        def of_job(values: npt.NDArray[Any], missing: float = -1) -> npt.NDArray[Any]:
            return np.where(works, values[rows, slots], missing)

        since = jobs.seeking_since[rows, slots]
        seeking = ~works & (since >= 0) & (since <= last)
        self.ledger.add(
            "employment", rows, last, last + lag[rows], person_id=self.people.person[rows, slots], employed=works,
            workplace=of_job(jobs.workplace), wage_yuan=of_job(money.pay, np.nan),
            one_off_yuan=of_job(money.one_off, np.nan), industry=of_job(jobs.industry),
            work_status=of_job(jobs.status), contract=of_job(jobs.contract), formal=of_job(jobs.formal, 0),
            channel=of_job(jobs.channel), distance_km=of_job(jobs.distance, np.nan),
            started_on=of_job(jobs.started), ended_on=of_job(jobs.ends),
            months_worked=1.0 * jobs.worked[:, rows, slots].sum(axis=0),
            hours_week=of_job(jobs.hours, np.nan), seeking=seeking, seeking_since=np.where(seeking, since, -1),
        )  # fmt: skip

    def _visit(self, rng: np.random.Generator, m: int, first: int, after: int, to_line: Numbers) -> None:
        """Visit whom this cycle's plan has for this month, and some more where trouble is known."""
        p, s, n = self.p, self.standing, self.size
        plan = self._rng(5, m // p.cycle_months)
        begins = int(add_months(to_days(p.start), (m // p.cycle_months) * p.cycle_months))
        ends = int(add_months(begins, p.cycle_months))
        day = plan.integers(begins, ends, n)
        missed = plan.random(n) < p.missed_visit
        workers = self._workers(first)
        sees = workers.sees()
        members = self.people.counts()
        children = np.asarray((self.people.here & (self.people.age < people.ADULT)).any(axis=1))
        away = self.people.away.any(axis=1) & (rng.random(n) < p.whole_household_away)
        away &= from_days(first).month not in (1, 2)
        recent = self.income[[m % 12 - 3, m % 12 - 2, m % 12 - 1]]
        recent_to_line = recent.sum(axis=0) * 4 / np.maximum(members[:, 0], 1) / p.line_on(from_days(first))
        there = visiting.what_there_is(
            s, self.people, self.housing, self.tap_trouble, to_line, 0.5 * recent_to_line + 0.5 * to_line
        )
        regular = (day >= first) & (day < after) & ~missed
        known_trouble = s.monitored() | (s.clue_on < NEVER)
        extra = known_trouble & (rng.random(n) < p.extra_visits) & self.switches.selection & ~regular
        visit_day = np.where(regular, day, rng.integers(first, after, n))
        visited = np.flatnonzero(regular | extra)
        grades = visiting.written_down(there, sees, children, away, rng)
        noticed = rng.random(n) < p.found_by_visit * sees
        waits = (s.in_need_since <= visit_day) & (s.clue_on == NEVER) & ~s.monitored()
        clue = waits & noticed & ~away if self.switches.selection else np.zeros(n, bool)
        false_alarm = (rng.random(n) < p.false_alarm * (1 + 3 * (there.max(axis=0) == 2))) & (sees > 0.3)
        s.clue_on[visited] = np.where(clue[visited], visit_day[visited], s.clue_on[visited])
        slow = rng.random(n) < p.late_upload
        lag = np.where(slow, rng.integers(2, 41, n), rng.integers(0, 2, n))
        lag = lag if self.switches.delay else np.zeros(n, np.int64)
        days = visit_day[visited]
        stamp = pa.array(days.astype(np.int32)).cast(pa.date32()).cast(pa.string())
        names = self.place.grid_plans[int(first >= to_days(p.grids_redrawn_on))][1]
        worker = workers.of_household[visited]
        grid = names.take(pa.array(worker // p.workers_per_grid))
        number = pa.array([f"W{k + 1}" for k in range(p.workers_per_grid)]).take(
            pa.array(worker % p.workers_per_grid)
        )
        columns: dict[str, Any] = {
            look: grades[k][visited]
            for k, look in enumerate(("yard", "house", "cupboard", "tap", "health", "children"))
        }
        self.ledger.add(
            "visits", visited, days, days + lag[visited],
            visit_id=joined(self.place.ids.take(pa.array(visited)), stamp), worker_id=joined(grid, number),
            clue_raised=(clue | false_alarm)[visited], **columns,
        )  # fmt: skip

    def _record_profiles(self, rng: np.random.Generator, m: int, first: int) -> None:
        """Enter the profiles that changed, some weeks late; all of them in the first month."""
        redrawn = int(first >= to_days(self.p.grids_redrawn_on))
        grid = self.place.grid_plans[redrawn][0] + redrawn * 1_000_000
        kind = np.where(self.lifted, code(HOUSEHOLD_TYPE, "lifted"), code(HOUSEHOLD_TYPE, "ordinary"))
        kind = np.where(self.lifted & self.has.dibao, code(HOUSEHOLD_TYPE, "lifted_dibao"), kind)
        kind = np.where(self.has.tekun, code(HOUSEHOLD_TYPE, "lifted_tekun"), kind)
        listed = ~self.lifted & (self.standing.identified_on < NEVER)
        kind = np.where(listed, code(HOUSEHOLD_TYPE, "monitored"), kind)
        told = np.column_stack([self.people.counts(), self.has.dibao, kind, grid])
        changed = np.full(self.size, True) if self.last_profile is None else (told != self.last_profile).any(axis=1)
        self.last_profile = told
        form = people.profiles(self.people, self.p)
        state = np.ones(self.people.here.shape, np.int64)
        for values in form.values():
            state = state * 32 + values + 1
        state *= self.people.here
        news = state != self.member_state
        self.member_state = state
        changed |= news.any(axis=1)
        rows = np.flatnonzero(changed)
        lag = self._late(rng, *self.p.profiles_after_days) if m else np.zeros(self.size, np.int64)
        self.entered_on[rows] = np.maximum(self.entered_on[rows], first + lag[rows])  # forms are entered in turn
        self._record_members(m, first, form, news)
        counts = told[rows]
        columns: dict[str, Any] = dict(
            zip(
                ("n_members", "n_labour", "n_students", "n_elderly", "n_chronic", "n_major_illness", "n_disabled"),
                counts[:, :7].T.astype(float),
                strict=True,
            )
        )
        self.ledger.add(
            "households", rows, first, self.entered_on[rows],
            grid_id=self.place.grid_plans[redrawn][1].take(pa.array(self.place.grid_plans[redrawn][0][rows])),
            village_id=self.place.village_ids.take(pa.array(self.place.village[rows])),
            township_id=pa.array([self.place.township_id] * len(rows)),
            household_type=kind[rows], lifted_on=self.lifted_on[rows], dibao=self.has.dibao[rows],
            housing_grade=self.housing[rows], land_mu=self.has.land[rows], orchard_mu=self.has.orchard[rows],
            relocated=self.relocated[rows], **columns,
        )  # fmt: skip

    def _record_members(self, m: int, first: int, form: dict[str, npt.NDArray[np.int64]], news: Flags) -> None:
        """Enter the profiles of members that changed, with their household's; of those who left, that they did."""
        at = rows, _ = np.nonzero(news)
        here = self.people.here[at]
        start = np.datetime64(self.p.start, "M")
        born = (start + m - self.people.age[at]).astype("datetime64[D]").astype(np.int32)
        stated = {
            name: np.where(here | (name in ("relation", "schooling")), values[at], -1)
            for name, values in form.items()
        }
        for name, sets in (("health", people.HEALTH_SETS), ("insurance", people.INSURANCE_SETS)):
            stated[name] = pa.array(sets).take(pa.array(stated[name], mask=~here))
        self.ledger.add(
            "members", rows, first, self.entered_on[rows], person_id=self.people.person[at], in_household=here,
            sex=np.where(self.people.male[at], code(SEX, "male"), code(SEX, "female")),
            birth_month=pa.array(born).cast(pa.date32()), **stated,
        )  # fmt: skip


def _texts(cause: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(RISK_TYPE.values, pa.string()).take(pa.array(cause))
