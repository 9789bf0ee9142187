"""Visits: who comes when, what there is to see, what the worker writes down."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from relapse_risk.datasets.county.arrays import NEVER, Flags, Ints, Numbers, anyone
from relapse_risk.datasets.county.parameters import Age
from relapse_risk.datasets.county.place import joined
from relapse_risk.datasets.county.state import SHOCKS, Month, Township
from relapse_risk.dates import add_months, to_days
from relapse_risk.records.tables import Visits

#: The looks of a visit.
LOOKS = tuple(name for name, column in Visits.columns.items() if column.unit == "grade")


def visit(t: Township, month: Month, to_line: Numbers) -> None:
    """Visit whom this cycle's plan has for this month, and some more where trouble is known."""
    p, rng, n, people = t.p, month.rng, t.size, t.people
    cycle = month.number // p.cycle_months
    begins = int(add_months(to_days(p.start), cycle * p.cycle_months))
    drawn = t.random(5, cycle)
    day = drawn.integers(begins, int(add_months(begins, p.cycle_months)), n)
    missed = drawn.random(n) < p.missed_visit
    plan = t.place.plan(month.first)
    sees = plan.sees()
    away = anyone(people.away) & (rng.random(n) < p.whole_household_away)
    away &= month.date.month not in p.at_home_in
    there = what_there_is(t, month, to_line)
    regular = (day >= month.first) & (day < month.after) & ~missed
    known_trouble = t.monitored() | (t.clue_on < NEVER)
    extra = known_trouble & (rng.random(n) < p.extra_visits) & t.switches.selection & ~regular
    day = np.where(regular, day, t.some_day(month))
    rows = np.flatnonzero(regular | extra)
    grades = written_down(t, rng, there, sees, away)
    noticed = rng.random(n) < p.found_by_visit * sees
    clue = t.waiting(day + 1) & noticed & ~away & t.switches.selection
    alarm, more = p.false_alarm
    false_alarm = (rng.random(n) < alarm * (1 + more * (there.max(axis=0) == 2))) & (sees > p.overdone[1])
    t.clue_on[rows] = np.where(clue[rows], day[rows], t.clue_on[rows])
    slow, (soon, late) = rng.random(n) < p.late_upload, p.upload_days
    lag = np.where(slow, rng.integers(*late, n), rng.integers(*soon, n)) * t.switches.delay
    days = day[rows]
    stamp = pa.array(days.astype(np.int32)).cast(pa.date32()).cast(pa.string())
    t.ledger.add(
        "visits", rows, days, days + lag[rows], visit_id=joined(t.place.ids.take(pa.array(rows)), stamp),
        worker_id=t.place.worker_ids(plan, rows), clue_raised=(clue | false_alarm)[rows],
        **{look: grades[k][rows] for k, look in enumerate(LOOKS)},
    )  # fmt: skip


def what_there_is(t: Township, month: Month, to_line: Numbers) -> Ints:
    """Return the six grades an all-seeing worker would give, shape (6, n), in the order of the looks."""
    p, people = t.p, t.people
    counts = t.counts
    last = month.number % 12
    recent = t.income[[last - 3, last - 2, last - 1]].sum(axis=0) * 4 / np.maximum(counts["n_members"], 1)
    less, of_unseen, of_recent = p.want
    recent_to_line = of_recent * recent / p.line_on(month.date) + (1 - of_recent) * to_line
    of_thrift, of_housing = p.disorder
    disorder = of_thrift * t.unseen + of_housing * (t.housing >= 2)
    of_major, of_chronic = p.illness_seen
    ill = t.shocks[SHOCKS.index("illness")] + t.shocks[SHOCKS.index("accident")]
    fees = anyone(people.beyond_school()) & (to_line < p.fees_hard_below)

    def grade(look: str, trouble: Numbers) -> Ints:
        concern, serious = p.look_from[look]
        return (trouble >= concern).astype(np.int64) + (trouble >= serious)

    looks = {
        "yard": grade("yard", disorder),
        "house": np.where(t.housing >= 2, t.housing - 1, grade("house", disorder)),
        "cupboard": grade("cupboard", less - recent_to_line + of_unseen * t.unseen),
        "tap": np.where(t.tap_trouble, 2, 0),
        "health": grade(
            "health", ill + of_major * (counts["n_major_illness"] > 0) + of_chronic * (counts["n_chronic"] > 0)
        ),
        "children": np.where(anyone(people.dropout & people.here), 2, np.where(fees, 1, 0)),
    }
    return np.stack([looks[name] for name in LOOKS])


def written_down(t: Township, rng: np.random.Generator, there: Ints, sees: Numbers, away: Flags) -> Numbers:
    """Return the grades as entered, shape (6, n): missed, overdone, or left out; NaN where not looked at."""
    draw = rng.random(there.shape)
    seen = np.where(draw < sees, there, 0)
    share, by = t.p.overdone
    entered = np.where((draw > 1 - share) & (sees > by) & (seen < 2), seen + 1, seen).astype(float)
    entered[rng.random(there.shape) < t.p.not_looked] = np.nan
    entered[:, away] = np.nan
    entered[LOOKS.index("yard"), away] = 0.0  # the yard can be seen from the road
    children = anyone(t.people.here & (t.people.age < Age.ADULT))
    entered[LOOKS.index("children"), ~children] = np.nan
    return entered
