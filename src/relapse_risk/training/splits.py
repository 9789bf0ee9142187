"""Rolling origins: train on labels that were mature on a date, test on that date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from relapse_risk.cohorts import cycles
from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.errors import NotEnoughData
from relapse_risk.labelling import matures_on
from relapse_risk.records.blocks import RecordBlocks
from relapse_risk.records.records import Records
from relapse_risk.settings import OutcomeSettings


@dataclass(frozen=True)
class RollingOrigin:
    """One test of the procedure: the dates to train on, and the date to test on.

    Parameters
    ----------
    train : tuple of date
        As_of dates whose labels were mature by the test date.
    test : date
        The test date.
    """

    train: tuple[dt.date, ...]
    test: dt.date


def mature_dates(records: Records | RecordBlocks) -> list[dt.date]:
    """Return the as_of dates whose labels are mature and that have enough months of records before them.

    Raises
    ------
    NotEnoughData
        If there are none.
    """
    settings = records.settings
    first = max(to_days(day) for day in _first_known(records))
    start = from_days(int(add_months(first, settings.training.history_months)))
    dates = [
        day
        for day in cycles(settings.cycle, max(start, from_days(first + 1)), records.end)
        if matures_on(day, settings.outcome) <= records.end
    ]
    if not dates:
        raise NotEnoughData(
            f"no as_of date from {start} on has a mature label before the records' end ({records.end}): "
            f"horizon {settings.outcome.horizon_months} months, lag {settings.outcome.reporting_lag_days} days, "
            f"history {settings.training.history_months} months. Bring later records or ask for less of these."
        )
    return dates[-settings.training.max_cycles :]


def _first_known(records: Records | RecordBlocks) -> list[dt.date]:
    """Return when visits and incomes begin; the statuses of a registry go further back than these."""
    firsts = [records.first_known(name) for name in ("visits", "incomes")]
    return [first for first in firsts if first is not None] or [records.end]


def rolling_origins(dates: Sequence[dt.date], outcome: OutcomeSettings, n: int) -> list[RollingOrigin]:
    """Return the latest n tests that have dates to train on.

    Every training label is mature on the test date, so that none depends on what is predicted. With
    cycles of two months, a horizon of six and a lag of 30 days::

        test as_of 2024-09-01: train on as_of .., 2023-11-01, 2024-01-01 (mature 2024-07-31)
                               not on         2024-03-01 (horizon ends 2024-09-01, mature 2024-10-01)

    Examples
    --------
    >>> import datetime as dt
    >>> dates = [dt.date(2023, m, 1) for m in (1, 3, 5, 7, 9, 11)]
    >>> outcome = OutcomeSettings(horizon_months=6, reporting_lag_days=30)
    >>> [(o.train[-1].isoformat(), o.test.isoformat()) for o in rolling_origins(dates, outcome, 2)]
    [('2023-01-01', '2023-09-01'), ('2023-03-01', '2023-11-01')]
    """
    origins = []
    for test in dates:
        train = tuple(day for day in dates if matures_on(day, outcome) <= test)
        if train:
            origins.append(RollingOrigin(train, test))
    return origins[-n:] if n else []
