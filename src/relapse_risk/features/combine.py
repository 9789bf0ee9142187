"""How the statistics of a feature's series combine into its value: a short program, and what runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import compiled_part
from relapse_risk.dates import Days
from relapse_risk.features.catalogue.calendar import HARVEST_MONTH
from relapse_risk.features.declare import LATEST_OF_ACCOUNTS, Aggregation, Feature, Missing


class Op(IntEnum):
    """What is done with the inputs of a value."""

    FIRST = 0
    DIFFERENCE = 1
    BELOW = 2
    RATIO = 3
    MONTHLY = 4
    SHARE = 5
    PER = 6
    MARGIN = 7
    ELAPSED = 8
    AGE = 9
    TERMS = 10
    MONTH_OF_YEAR = 11
    MONTHS_SINCE_HARVEST = 12


(
    _FIRST,
    _DIFFERENCE,
    _BELOW,
    _RATIO,
    _MONTHLY,
    _SHARE,
    _PER,
    _MARGIN,
    _ELAPSED,
    _AGE,
    _TERMS,
    _MONTH_OF_YEAR,
    _MONTHS_SINCE_HARVEST,
) = map(int, Op)
#: Aggregations that are more than their first statistic.
OPS = {
    Aggregation.STEP: Op.DIFFERENCE,
    Aggregation.CHANGE: Op.DIFFERENCE,
    Aggregation.LAST_CHANGE: Op.DIFFERENCE,
    Aggregation.BELOW: Op.BELOW,
    Aggregation.RATIO: Op.RATIO,
    Aggregation.MONTHLY: Op.MONTHLY,
    Aggregation.SHARE: Op.SHARE,
    Aggregation.PER: Op.PER,
    Aggregation.MARGIN: Op.MARGIN,
    Aggregation.ELAPSED: Op.ELAPSED,
    Aggregation.AGE: Op.AGE,
    Aggregation.TERMS: Op.TERMS,
}


class ValuesProgram(NamedTuple):
    """How values are made of statistics; a term comes before the sums that it is in.

    Parameters
    ----------
    op : ndarray of int32, shape (n_values,)
        An ``Op`` each.
    input : ndarray of int32, shape (n_values, 3)
        Which inputs; 0 where an op takes fewer.
    number : ndarray of float64, shape (n_values,)
        What a sum is divided by, or a deviation's cushion.
    months : ndarray of int32, shape (n_values,)
        Months before as_of in which the value's window starts.
    account : ndarray of int32, shape (n_values, 2)
        Inputs with the newest months of the series and of its account, where a value older than the account's
        latest month is missing; -1 elsewhere.
    is_zero : ndarray of bool, shape (n_values,)
        Whether a missing value is 0.
    first_term : ndarray of int32, shape (n_values + 1,)
        Value v is the sum of the terms ``first_term[v]:first_term[v + 1]``.
    term : ndarray of int32, shape (n_terms,)
        Which value each is.
    factor : ndarray of float64, shape (n_terms,)
        What it is multiplied by.
    output : ndarray of int32, shape (n_outputs,)
        Which values are asked for.
    """

    op: Days
    input: Days
    number: npt.NDArray[np.float64]
    months: Days
    account: Days
    is_zero: npt.NDArray[np.bool_]
    first_term: Days
    term: Days
    factor: npt.NDArray[np.float64]
    output: Days


def with_terms(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return features and the terms they are sums of, each once, the terms first."""
    found: dict[Feature, None] = {}
    for feature in features:
        found |= dict.fromkeys((*with_terms([term for _, term in feature.terms]), feature))
    return tuple(found)


def make_values_program(
    asked: Sequence[Feature], values: Sequence[Feature], places: Callable[[Feature], Sequence[int]]
) -> ValuesProgram:
    """Return how values are computed.

    Parameters
    ----------
    asked : sequence of Feature
        The outputs.
    values : sequence of Feature
        These and their terms, terms first.
    places : callable
        Gives the places of a value's inputs, in the order of ``plan.inputs_of``.
    """
    number_of = {value: k for k, value in enumerate(values)}
    inputs = np.zeros((len(values), 3), np.int32)
    account = np.full((len(values), 2), -1, np.int32)
    for k, value in enumerate(values):
        of = list(places(value))
        if value.account and value.aggregation in LATEST_OF_ACCOUNTS and not value.across:
            account[k] = of[-2:]
            of = of[:-2]
        inputs[k, : len(of)] = of
    terms = [one for value in values for one in value.terms]
    return ValuesProgram(
        op=np.array([_op(value) for value in values], np.int32),
        input=inputs,
        number=np.array([_number(value) for value in values], np.float64),
        months=np.array([(value.window or 0) + value.skip for value in values], np.int32),
        account=account,
        is_zero=np.array([value.missing is Missing.ZERO for value in values], bool),
        first_term=np.cumsum([0, *(len(value.terms) for value in values)]).astype(np.int32),
        term=np.array([number_of[term] for _, term in terms], np.int32),
        factor=np.array([factor for factor, _ in terms], np.float64),
        output=np.array([number_of[feature] for feature in asked], np.int32),
    )


def _op(value: Feature) -> Op:
    if value.aggregation is Aggregation.CALENDAR:
        since_harvest = value.series.value == "months_since_harvest"
        return Op.MONTHS_SINCE_HARVEST if since_harvest else Op.MONTH_OF_YEAR
    # The one input of a feature across members is taken from combined values of persons: see across.py.
    return Op.FIRST if value.across else OPS.get(value.aggregation, Op.FIRST)


def _number(value: Feature) -> float:
    return value.cushion if value.aggregation is Aggregation.MARGIN else float(value.window or 1)


@compiled_part
def combine(program, inputs, as_of, month, values):  # type: ignore[no-untyped-def]
    """Write the values of one unit on one date.

    Parameters
    ----------
    inputs : ndarray of float64, shape (n_inputs,)
        Its statistics, those taken across members after them.
    as_of, month : int
        The date: days and calendar months since 1970.
    values : ndarray of float64, shape (n_values,)
        Written.
    """
    for v in range(len(program.op)):
        op = program.op[v]
        first = inputs[program.input[v, 0]]
        second = inputs[program.input[v, 1]]
        number = program.number[v]
        if op == _FIRST:
            value = first
        elif op == _DIFFERENCE:
            value = first - second
        elif op == _BELOW:
            value = first if second > 0 else np.nan
        elif op == _RATIO:
            value = first / number
        elif op == _MONTHLY:
            value = _monthly(first, second, inputs[program.input[v, 2]], month - program.months[v], number)
        elif op == _SHARE:
            value = (0.0 if np.isnan(first) else first) / second if second > 0 else np.nan
        elif op == _PER:
            value = first / second if second > 0 else np.nan
        elif op == _MARGIN:
            value = (first - 1.0) / (second + number)
        elif op == _ELAPSED:
            value = as_of - first
        elif op == _AGE:
            value = (month - first) / 12.0
        elif op == _MONTH_OF_YEAR:
            value = float(month % 12 + 1)
        elif op == _MONTHS_SINCE_HARVEST:
            value = float((month + 1 - HARVEST_MONTH) % 12)
        else:
            value = 0.0
            for t in range(program.first_term[v], program.first_term[v + 1]):
                value += program.factor[t] * values[program.term[t]]
        if program.account[v, 0] >= 0 and inputs[program.account[v, 0]] < inputs[program.account[v, 1]]:
            value = np.nan
        if program.is_zero[v] and np.isnan(value):
            value = 0.0
        values[v] = value


@compiled_part
def _monthly(total, newest, oldest, start, window):  # type: ignore[no-untyped-def]
    """Divide by the months from the window's start, or from the account's beginning, to the account's latest."""
    if np.isnan(newest) or np.isnan(oldest):
        return np.nan
    months = newest - max(start, oldest) + 1.0
    return (0.0 if np.isnan(total) else total) / min(months, window)
