"""What is taken across a household's members: a compiled loop over the members of every (household, as_of) row.

Members are read in the order of their ids, and nothing is shared between rows: a row's numbers do not depend, to
the last bit, on the batch it is computed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import Days
from relapse_risk.features.compiled import compiled
from relapse_risk.features.declare import Across, Aggregation, Feature, How, Missing, Series
from relapse_risk.records.codes import RELATION, Label

_NO_WORDS = Label("", "")


def _value(series: Series, window: int | None = None, account: Series | None = None) -> Feature:
    return Feature("", _NO_WORDS, "", series, Aggregation.LAST, window, account=account)


#: Every row of a person in the ledger: what is of its latest month is the person's job now.
LEDGER = Series("employment", by_person=True)
#: Values by which members are known and one is chosen, in the order of the constants below.
CHOOSING = (
    _value(Series("members", by_person=True)),
    _value(Series("employment", by_person=True)),
    _value(Series("members", "still_member", by_person=True)),
    _value(Series("members", "relation", by_person=True)),
    _value(Series("employment", "earned_yuan", by_person=True), 12, LEDGER),
)
_IN_MEMBERS, _IN_LEDGER, _STILL_MEMBER, _RELATION, _PAY = range(len(CHOOSING))
_HEAD = float(RELATION.values.index("head"))
_COUNT, _SHARE, _SUM, _MEAN, _MIN, _MAX, _CONCENTRATION, _OF_HEAD, _OF_MAIN_EARNER = map(int, How)


@dataclass(frozen=True)
class MemberStatistic:
    """A person's value, and how it is taken across members."""

    value: Feature
    across: Across


def member_statistic(feature: Feature) -> MemberStatistic:
    """Return what a feature across members takes; a value that is missing for a person stays so."""
    assert feature.across is not None  # noqa: S101
    conditions = tuple(replace(one, value=without_words(one.value)) for one in feature.across.where)
    value = replace(without_words(feature), across=None, missing=Missing.NOT_RECORDED)
    return MemberStatistic(value, replace(feature.across, where=conditions))


def without_words(value: Feature) -> Feature:
    """Return a person's value without what does not change its numbers, so that equal ones are computed once."""
    return replace(value, name="", label=_NO_WORDS, unit="", risk_type="other", monotone=0, codes=None)


class AcrossSpec(NamedTuple):
    """What to take across members, an output each.

    Parameters
    ----------
    how : ndarray of int32, shape (n_outputs,)
        A ``How`` each.
    value : ndarray of int32, shape (n_outputs,)
        Which of the persons' values is taken.
    with_left : ndarray of bool, shape (n_outputs,)
        Whether persons who left count too.
    first : ndarray of int32, shape (n_outputs + 1,)
        Output k has the conditions ``first[k]:first[k + 1]``.
    condition : ndarray of int32, shape (n_conditions,)
        Which of the persons' values each is on.
    low, high : ndarray of float64, shape (n_conditions,)
        Its half-open range.
    """

    how: Days
    value: Days
    with_left: npt.NDArray[np.bool_]
    first: Days
    condition: Days
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


def values_needed(statistics: Sequence[MemberStatistic]) -> tuple[Feature, ...]:
    """Return the persons' values that statistics across members need, each once; those of ``CHOOSING`` first."""
    needed = (value for one in statistics for value in (one.value, *(c.value for c in one.across.where)))
    return tuple(dict.fromkeys((*CHOOSING, *needed)))


def make_across_spec(statistics: Sequence[MemberStatistic], values: Sequence[Feature]) -> AcrossSpec:
    """Return statistics as the compiled loop reads them."""
    places = {value: k for k, value in enumerate(values)}
    conditions = [condition for one in statistics for condition in one.across.where]
    sizes = [len(one.across.where) for one in statistics]
    return AcrossSpec(
        how=np.array([int(one.across.how) for one in statistics], np.int32),
        value=np.array([places[one.value] for one in statistics], np.int32),
        with_left=np.array([one.across.with_left for one in statistics], bool),
        first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        condition=np.array([places[one.value] for one in conditions], np.int32),
        low=np.array([one.low for one in conditions], np.float64),
        high=np.array([one.high for one in conditions], np.float64),
    )


@compiled
def _take(values, starts, spec, out):  # type: ignore[no-untyped-def]
    for i in range(len(starts) - 1):
        head = -1
        main_earner = -1
        most = 0.0
        for j in range(starts[i], starts[i + 1]):
            recorded = values[_IN_MEMBERS, j] == 1.0 or values[_IN_LEDGER, j] == 1.0
            if not recorded or values[_STILL_MEMBER, j] == 0.0:
                continue
            if head < 0 and values[_RELATION, j] == _HEAD:
                head = j
            if values[_PAY, j] > most:
                main_earner = j
                most = values[_PAY, j]
        for k in range(len(spec.how)):
            how = spec.how[k]
            v = spec.value[k]
            if how in (_OF_HEAD, _OF_MAIN_EARNER):
                chosen = head if how == _OF_HEAD else main_earner
                out[k, i] = values[v, chosen] if chosen >= 0 else np.nan
                continue
            n_known = 0
            n_passing = 0
            n = 0
            whole = 0.0
            total = 0.0
            squares = 0.0
            lowest = np.inf
            highest = -np.inf
            for j in range(starts[i], starts[i + 1]):
                recorded = values[_IN_MEMBERS, j] == 1.0 or values[_IN_LEDGER, j] == 1.0
                if not recorded or (values[_STILL_MEMBER, j] == 0.0 and not spec.with_left[k]):
                    continue
                passes = True
                for c in range(spec.first[k], spec.first[k + 1]):
                    if not spec.low[c] <= values[spec.condition[c], j] < spec.high[c]:
                        passes = False
                value = values[v, j]
                is_known = not np.isnan(value)
                if is_known:
                    n_known += 1
                    whole += value
                if passes:
                    n_passing += 1
                if passes and is_known:
                    n += 1
                    total += value
                    squares += value * value
                    lowest = min(lowest, value)
                    highest = max(highest, value)
            result = np.nan
            if how == _COUNT:
                if n_known > 0:
                    result = float(n_passing)
            elif how == _SHARE:
                if whole > 0.0:
                    result = total / whole
            elif n == 0:
                pass
            elif how == _SUM:
                result = total
            elif how == _MEAN:
                result = total / n
            elif how == _MIN:
                result = lowest
            elif how == _MAX:
                result = highest
            elif how == _CONCENTRATION and total > 0.0:
                result = squares / (total * total)
            out[k, i] = result


def take_across(
    values: npt.NDArray[np.float64], starts: npt.NDArray[np.int64], spec: AcrossSpec
) -> npt.NDArray[np.float64]:
    """Take persons' values across the members of every index row.

    Parameters
    ----------
    values : ndarray of float64, shape (n_values, n_persons)
        Those of ``values_needed``, in its order, of the persons of all index rows.
    starts : ndarray of int64, shape (n + 1,)
        Index row i's persons are ``starts[i]:starts[i + 1]``.
    spec : AcrossSpec
        What to take.

    Returns
    -------
    ndarray of float64, shape (n_outputs, n)
        NaN where no member has a value.
    """
    out = np.empty((len(spec.how), len(starts) - 1))
    _take(values, starts, spec, out)
    return out
