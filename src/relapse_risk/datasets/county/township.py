"""A township's life, month by month, and the tables it leaves.

Each month: what is there decides the hazard of falling; shocks, work and weather move incomes; households fall by
that hazard; visits, reports and data comparison find them; the registry identifies, helps and eliminates; and what
anyone enters becomes records, with the day it was entered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from relapse_risk.datasets.county import economy, entries, hazard, people, registry, visiting, work
from relapse_risk.datasets.county.arrays import NEVER, Flags, anyone
from relapse_risk.datasets.county.row_collector import Rows
from relapse_risk.datasets.county.state import WARM_UP, Month, Township
from relapse_risk.dates import add_months, to_days
from relapse_risk.records.tables import TABLES

TRUTH_SCHEMA = pa.schema(
    [pa.field("household_id", pa.string()), pa.field("month", pa.date32()), pa.field("hazard", pa.float32())]
)
#: Tables a simulated county has.
SIMULATED = tuple(name for name in TABLES if name != "observations")


@dataclass(frozen=True)
class SimulatedTownship:
    """One township's records and truth.

    Parameters
    ----------
    size : int
        Households.
    rows : dict of str to Rows
        Of each table with households, the records known before the end.
    grids : pyarrow.Table
        The table without households.
    truth : pyarrow.Table
        ``household_id``, ``month`` (its first day) and ``hazard``: the chance, at the start of the month, of
        becoming identified by way of that month; missing while a household is on the list.
    """

    size: int
    rows: dict[str, Rows]
    grids: pa.Table
    truth: pa.Table

    def tables(self, first: int = 0, after: int | None = None) -> dict[str, pa.Table]:
        """Return the records of all households, or of a range of them; grids with the first.

        Ids of households and persons, and codes, are dictionaries.
        """
        last = self.size if after is None else after
        tables = {name: rows.table(first, last) for name, rows in self.rows.items()}
        return {**tables, "grids": self.grids.slice(0, None if first == 0 else 0)}


def live(t: Township, months: int) -> SimulatedTownship:
    """Live so many months and return what was recorded and what was true."""
    registry.enter_past(t, t.founding)
    work.found_jobs(t, WARM_UP)
    for number in range(-WARM_UP, months):
        live_a_month(t, t.month(number))
    end = int(add_months(to_days(t.p.start), months))
    ids = {"household_id": t.place.ids, "person_id": t.person_ids()}
    rows = {name: t.ledger.rows(name, ids, end) for name in SIMULATED if name != "grids"}
    return SimulatedTownship(t.size, rows, t.place.grids(end), truth_of(t, months))


def truth_of(t: Township, months: int) -> pa.Table:
    """Return the hazards of all households and months."""
    firsts = np.array([t.month(number).first for number in range(months)], np.int32)
    true = np.stack(t.truth, axis=1).astype(np.float32).ravel()
    return pa.Table.from_arrays(
        [
            t.place.ids.take(pa.array(np.repeat(np.arange(t.size), months))),
            pa.array(np.tile(firsts, t.size)).cast(pa.date32()),
            pa.array(true, mask=np.isnan(true)),
        ],
        schema=TRUTH_SCHEMA,
    )


def live_a_month(t: Township, month: Month) -> None:
    """Live one month."""
    p, recording = t.p, month.number >= 0
    area = hazard.area_of(t, month)
    bereaved = people.live_a_month(t, month, area.migration)
    t.counts = t.people.counts()
    to_line = t.income_to_line(month.date)
    falls = np.exp(hazard.log_hazard(t, month, to_line, area.hazard)).clip(0, p.most_hazard)
    if recording:
        found = np.where(t.monitored(), np.nan, registry.chance_to_be_found(t, month.first))
        t.truth.append(np.where(t.at_risk(), falls, found))
    begun = hazard.strike(t, month, bereaved, area.hit)
    lost, severance = work.move_work(t, month, area.job_loss)
    begun["job_loss"] |= lost & ~anyone(t.people.employed())
    entries.enter_shocks(t, month, begun)
    money = economy.earn(t, month, area.income, severance)
    t.people.jobs.worked[month.number % 12] = money.pay > 0
    costly = 1.0 * begun["illness"] + begun["accident"] + hazard.fall(t, month, falls)
    medical = economy.medical_bills(t, month, np.maximum(costly, p.unpaid_for[1] * _unpaid_illness(t, month)))
    t.billed_in[medical.rows] = month.number
    bills = [medical, economy.school_bills(t, month)]
    claims = economy.claims(t, month, begun)
    spent = sum(np.bincount(bill.rows, bill.self_paid, minlength=t.size) for bill in bills)
    t.income[month.number % 12] = money.net() + claims - spent
    if recording:
        entries.enter_money(t, month, money, bills, claims)
        entries.enter_jobs(t, month, money)
        registry.find(t, month)
        registry.first_wave(t, month, falls)
        registry.identify(t, month)
        visiting.visit(t, month, to_line)
        registry.identify(t, month)
        registry.develop(t, month)
        registry.eliminate(t, month)
        registry.support_the_lifted(t, month, falls)
        entries.enter_profiles(t, month)
    t.shocks *= p.shock_fades
    t.setback_left = np.maximum(t.setback_left - 1, 0)
    t.setback = np.where(t.setback_left > 0, t.setback, 1.0)


def _unpaid_illness(t: Township, month: Month) -> Flags:
    """Return whose illness, the cause of their need, has brought no bill for almost a year."""
    ill = (t.monitored() | (t.in_need_since < NEVER)) & (t.cause == hazard.CAUSES.index("illness"))
    return ill & (month.number - t.billed_in >= t.p.unpaid_for[0])
