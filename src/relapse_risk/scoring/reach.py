"""Checks that records reach the day scores are made for, and the reason if a cohort is empty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from relapse_risk.dates import add_months, from_days, to_days
from relapse_risk.errors import RecordsEndBefore, UsageError, warn_caller
from relapse_risk.records.blocks import RecordBlocks
from relapse_risk.records.records import Records

if TYPE_CHECKING:
    import pandas as pd


def check_reach(records: Records | RecordBlocks, dates: Sequence[dt.date]) -> None:
    """Warn if scores are made for a day after the end of the records, and refuse more than a visit cycle after it.

    With cycles of two months and records that end on 2024-07-01 (known until 2024-06-30)::

        as_of 2024-07-01: the usual case, no warning
        as_of 2024-09-01: a warning; what came in during July and August is not in the scores
        as_of 2024-09-02: refused

    Parameters
    ----------
    records : Records or RecordBlocks
        What is scored; records without any row are not checked.
    dates : sequence of date
        Days the scores are made for.

    Raises
    ------
    UsageError
        If a day is more than one cycle after the end.

    Warns
    -----
    RecordsEndBefore
        If a day is after the end.
    """
    late = [day for day in dates if day > records.end]
    if not late or not any(records.first_known(name) for name in records.present):
        return
    last = from_days(int(add_months(to_days(records.end), records.settings.cycle.months)))
    if max(late) > last:
        raise UsageError(
            f"as_of {max(late)}: the records end on {records.end}, and what happened since is not in them. "
            f"Valid: {last} or earlier, a visit cycle past their end. Bring later records, or score an earlier day."
        )
    warn_caller(
        f"as_of {max(late)}: the records end on {records.end}; what happened since is not in the scores",
        RecordsEndBefore,
    )


def why_empty(attrition: pd.DataFrame, first_profile: dt.date | None, as_of: dt.date) -> str:
    """Return why the cohort to score of a day is empty, in words.

    Parameters
    ----------
    attrition : pandas.DataFrame
        How many households each rule removed on that day.
    first_profile : date or None
        First day on which a household's profile became known, None where there is none.
    as_of : date
        The day.
    """
    if first_profile is None:
        return "the records hold no household's profile"
    if as_of <= first_profile:
        return f"the first profile came in on {first_profile}; a later day has households to score"
    rule = attrition.loc[attrition["left"] == 0, "rule"].iloc[0]
    return f"the rule {rule!r} left none"
