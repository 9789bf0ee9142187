"""What is taken across a household's members: a compiled loop over them, in the order of their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import compiled_part, inlined_part
from relapse_risk.dates import Days
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


@inlined_part
def _is_member(of_members, j, with_left):  # type: ignore[no-untyped-def]
    """Return whether a person is on record, and still there unless those who left count too."""
    recorded = of_members[j, _IN_MEMBERS] == 1.0 or of_members[j, _IN_LEDGER] == 1.0
    return recorded and (with_left or of_members[j, _STILL_MEMBER] != 0.0)


@inlined_part
def _passes(of_members, j, spec, k):  # type: ignore[no-untyped-def]
    """Return whether a member meets the conditions of output k."""
    for c in range(spec.first[k], spec.first[k + 1]):
        if not spec.low[c] <= of_members[j, spec.condition[c]] < spec.high[c]:
            return False
    return True


@compiled_part
def _find_head(of_members, n_members):  # type: ignore[no-untyped-def]
    for j in range(n_members):
        if of_members[j, _RELATION] == _HEAD and _is_member(of_members, j, False):
            return j
    return -1


@compiled_part
def _find_main_earner(of_members, n_members):  # type: ignore[no-untyped-def]
    main_earner = -1
    most = 0.0
    for j in range(n_members):
        if of_members[j, _PAY] > most and _is_member(of_members, j, False):
            main_earner = j
            most = of_members[j, _PAY]
    return main_earner


@compiled_part
def take_across(spec, of_members, n_members, out):  # type: ignore[no-untyped-def]
    """Take persons' values across the members of one household on one date.

    Parameters
    ----------
    spec : AcrossSpec
        What to take.
    of_members : ndarray of float64, shape (n_members or more, n_values)
        The values of ``values_needed``, in its order, of every person of the household.
    n_members : int
        How many persons it has.
    out : ndarray of float64, shape (n_outputs,)
        Written; NaN where no member has a value.
    """
    head = _find_head(of_members, n_members)
    main_earner = _find_main_earner(of_members, n_members)
    for k in range(len(spec.how)):
        how = spec.how[k]
        v = spec.value[k]
        if how in (_OF_HEAD, _OF_MAIN_EARNER):
            chosen = head if how == _OF_HEAD else main_earner
            out[k] = of_members[chosen, v] if chosen >= 0 else np.nan
            continue
        n_known = 0
        n_passing = 0
        n = 0
        whole = 0.0
        total = 0.0
        squares = 0.0
        lowest = np.inf
        highest = -np.inf
        for j in range(n_members):
            if not _is_member(of_members, j, spec.with_left[k]):
                continue
            passes = _passes(of_members, j, spec, k)
            value = of_members[j, v]
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
        out[k] = result
