"""The rows of training and judging before their features: households, dates, labels and cohorts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from relapse_risk.cohorts import cohort, cohort_flags
from relapse_risk.labelling import label_counts, labels
from relapse_risk.records.blocks import RecordBlocks, each_block
from relapse_risk.records.records import Records

if TYPE_CHECKING:
    import pandas as pd

Flags = npt.NDArray[np.bool_]
Result = TypeVar("Result")


@dataclass(frozen=True)
class LabelledRows:
    """Pairs of household and date that have a label.

    Parameters
    ----------
    index : pandas.MultiIndex
        The pairs (household_id, as_of), in order.
    y : ndarray of bool
        The outcome.
    to_train, in_cohort, not_poor, poor_before : ndarray of bool
        Whether a row is in the cohort to train on; is in the cohort to score; was not poor; had been poor or lifted
        before.
    """

    index: pd.MultiIndex
    y: Flags
    to_train: Flags
    in_cohort: Flags
    not_poor: Flags
    poor_before: Flags

    def __len__(self) -> int:
        return len(self.y)

    @property
    def dates(self) -> npt.NDArray[np.datetime64]:
        """The as_of date of each row."""
        level = self.index.levels[1].to_numpy().astype("datetime64[D]")
        return np.asarray(level[self.index.codes[1]])

    def on(self, days: Sequence[dt.date]) -> Flags:
        """Return which rows are of these dates."""
        return np.isin(self.dates, np.array(days, "datetime64[D]"))

    def take(self, rows: Flags | slice) -> LabelledRows:
        """Return some of the rows."""
        return LabelledRows(self.index[rows], *(flags[rows] for flags in self.flags))

    def describe(self, rows: Flags | npt.NDArray[np.intp] | slice = slice(None)) -> pd.DataFrame:
        """Return whom some rows are of, their labels and cohorts: how tables of predictions begin."""
        import pandas as pd  # noqa: PLC0415

        index = self.index[rows]
        return pd.DataFrame(
            {
                "household_id": index.get_level_values("household_id"),
                "as_of": index.get_level_values("as_of"),
                "label": self.y[rows],
                "in_cohort": self.in_cohort[rows],
                "was_poor_before": self.poor_before[rows],
                "not_poor": self.not_poor[rows],
            }
        )

    def of(self, block: Records) -> tuple[slice, LabelledRows]:
        """Return where the rows of a block's households are, and the rows."""
        import pandas as pd  # noqa: PLC0415

        ids, days = self.index.levels
        first, following = block.bounds
        low = 0 if first is None else int(ids.searchsorted(first))
        high = len(ids) if following is None else int(ids.searchsorted(following))
        codes, date_codes = (np.asarray(codes) for codes in self.index.codes)
        where = slice(*(int(place) for place in np.searchsorted(codes, [low, high])))
        levels: Any = [ids[low:high], days]
        cut: Any = [codes[where] - low, date_codes[where]]
        index = pd.MultiIndex(levels, cut, names=self.index.names, verify_integrity=False)
        return where, LabelledRows(index, *(flags[where] for flags in self.flags))

    @property
    def flags(self) -> tuple[Flags, ...]:
        """The outcome and the cohorts, in the order of the fields."""
        return self.y, self.to_train, self.in_cohort, self.not_poor, self.poor_before


def labelled_rows(
    records: Records | RecordBlocks,
    dates: Sequence[dt.date],
    n_threads: int | None = None,
    *,
    on_done: Callable[[int, int], None] | None = None,
) -> tuple[LabelledRows, dict[str, int]]:
    """Return the labelled rows of the cohorts to train on and to score, and how many labels there are.

    Parameters
    ----------
    records : Records or RecordBlocks
        Their end decides which labels are mature.
    dates : sequence of date
        As_of dates.
    n_threads, on_done
        See ``each_block``.

    Returns
    -------
    rows : LabelledRows
        In order of household and date.
    counts : dict of str to int
        Labels by value, and rows left out without a label by reason; see ``label_counts``.
    """
    counts: Counter[str] = Counter()
    parts = []
    for part, of_part in each_block(records, lambda block: _labelled(block, dates), n_threads, on_done=on_done):
        parts.append(part)
        counts.update(of_part)
    return _joined(parts), dict(counts)


def by_block(
    records: Records | RecordBlocks,
    rows: LabelledRows,
    function: Callable[[Records, slice, LabelledRows], Result],
    n_threads: int | None = None,
    *,
    on_done: Callable[[int, int], None] | None = None,
) -> Iterator[Result]:
    """Yield what a function makes of each block's records and rows.

    Parameters
    ----------
    records : Records or RecordBlocks
        The blocks.
    rows : LabelledRows
        In order of household.
    function : callable
        Called with a block, where its rows are among all, and these rows, on a thread of its own.
    n_threads, on_done
        See ``each_block``.
    """
    return each_block(records, lambda block: function(block, *rows.of(block)), n_threads, on_done=on_done)


def _labelled(block: Records, dates: Sequence[dt.date]) -> tuple[LabelledRows, dict[str, int]]:
    train, scored = cohort(block, dates, purpose="train"), cohort(block, dates)
    everyone = train.union(scored)
    label = labels(block, everyone)
    index = everyone[label.notna().to_numpy()]
    flags = (np.asarray(index.isin(train)), np.asarray(index.isin(scored)), *cohort_flags(block, index))
    return LabelledRows(index, label.dropna().to_numpy(bool), *flags), label_counts(block, everyone)


def _joined(parts: Sequence[LabelledRows]) -> LabelledRows:
    """Return the rows of blocks, whose household ids follow one another, as one."""
    import pandas as pd  # noqa: PLC0415

    if len(parts) == 1:
        return parts[0]
    ids = [part.index.levels[0] for part in parts]
    days = parts[0].index.levels[1]
    for part in parts[1:]:
        days = days.union(part.index.levels[1])
    starts = np.cumsum([0, *(len(one) for one in ids[:-1])])
    household = [
        np.asarray(part.index.codes[0], np.int64) + start for part, start in zip(parts, starts, strict=True)
    ]
    date = [days.get_indexer(part.index.levels[1])[np.asarray(part.index.codes[1])] for part in parts]
    codes: Any = [np.concatenate(household), np.concatenate(date)]
    levels: Any = [ids[0].append(ids[1:]), days]
    index = pd.MultiIndex(levels, codes, names=parts[0].index.names, verify_integrity=False)
    flags = zip(*(part.flags for part in parts), strict=True)
    return LabelledRows(index, *(np.concatenate(some) for some in flags))
