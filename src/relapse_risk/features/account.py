"""A household's account, month by month: net income and claims, less compliant self-paid spending.

Its rows are those of incomes and expenses. A bill counts from the day on which some income of its month is known: a
month of which only bills have come in is no account of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from relapse_risk.dates import FAR_FUTURE, Days
from relapse_risk.features.derive import derive

if TYPE_CHECKING:
    from relapse_risk.features.encode import EncodedTable


class Account(NamedTuple):
    """The account's rows, sorted by household and day, as in ``EncodedTable``.

    Parameters
    ----------
    household, occurred, known, superseded, month : ndarray of int32, shape (n_rows,)
        As in ``EncodedTable``.
    yuan : ndarray of float64, shape (n_rows,)
        Positive for what came in, negative for costs and spending.
    """

    household: npt.NDArray[np.int32]
    occurred: Days
    known: Days
    superseded: Days
    month: Days
    yuan: npt.NDArray[np.float64]


def make_account(incomes: EncodedTable, expenses: EncodedTable) -> Account:
    """Return the account of incomes and expenses."""
    known, kept = _known_with_the_month(incomes, expenses)
    household = np.concatenate([incomes.household, expenses.household[kept]])
    occurred = np.concatenate([incomes.occurred, expenses.occurred[kept]])
    order = np.lexsort((occurred, household))
    return Account(
        household=household[order],
        occurred=occurred[order],
        known=np.concatenate([incomes.known, known[kept]])[order],
        superseded=np.concatenate([incomes.superseded, expenses.superseded[kept]])[order],
        month=np.concatenate([incomes.month, expenses.month[kept]])[order],
        yuan=np.concatenate([derive(incomes, "net_yuan"), -expenses.number("self_paid_yuan")[kept]])[order],
    )


def _known_with_the_month(incomes: EncodedTable, expenses: EncodedTable) -> tuple[Days, npt.NDArray[np.int64]]:
    """Return the day from which each bill counts, and which bills ever do."""
    of_income, of_bill = ((t.household.astype(np.int64) << 32) + t.month for t in (incomes, expenses))
    if not len(of_income) or not len(of_bill):
        return expenses.known, np.zeros(0, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], of_income[1:] != of_income[:-1]]))
    first_known = np.minimum.reduceat(incomes.known, starts)
    at = np.searchsorted(of_income[starts], of_bill)
    there = np.append(of_income[starts], -1)[at] == of_bill
    of_month = np.append(first_known, FAR_FUTURE)[at]
    return np.maximum(expenses.known, of_month), np.flatnonzero(there)
