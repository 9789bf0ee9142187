"""A household's account, month by month: net income and claims, less compliant self-paid spending.

Its rows are those of incomes and expenses. A bill counts from the day on which some income of its month is known: a
month of which only bills have come in is no account of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import compiled
from relapse_risk.dates import FAR_FUTURE, Days
from relapse_risk.features.derive import derive

if TYPE_CHECKING:
    from relapse_risk.features.encode import EncodedTable


class Account:
    """The account's rows, sorted by household and day; on one day incomes come first.

    Parameters
    ----------
    incomes, expenses : EncodedTable
        What it is made of.

    Attributes
    ----------
    n_rows : int
        Incomes, and bills that ever count.
    household_of_bills : ndarray of int32
        Households of those bills.
    """

    def __init__(self, incomes: EncodedTable, expenses: EncodedTable) -> None:
        self.incomes = incomes
        self._expenses = expenses
        self._bills_known = np.empty(len(expenses), np.int32)
        _find_known_with_month(
            (incomes.household, incomes.month, incomes.known),
            (expenses.household, expenses.month, expenses.known),
            self._bills_known,
        )
        self.household_of_bills: Days = expenses.household[self._bills_known != FAR_FUTURE]
        self.n_rows = len(incomes) + len(self.household_of_bills)

    def write(
        self, occurred: Days, known: Days, superseded: Days, month: Days, yuan: npt.NDArray[np.float64]
    ) -> None:
        """Write the rows: days as in ``EncodedTable``; yuan below 0 for costs and spending."""
        incomes, bills = self.incomes, self._expenses
        net, spent = derive(incomes, "net_yuan"), -bills.number("self_paid_yuan")
        _merge(
            (incomes.household, incomes.occurred, incomes.known, incomes.superseded, incomes.month, net),
            (bills.household, bills.occurred, self._bills_known, bills.superseded, bills.month, spent),
            (occurred, known, superseded, month, yuan),
        )


@compiled
def _find_known_with_month(incomes, bills, known):  # type: ignore[no-untyped-def]
    """Write the day from which each bill counts, far in the future for one that never does."""
    household, month, income_known = incomes
    of_household, of_month, bill_known = bills
    i = 0
    for b in range(len(bill_known)):
        h, m = of_household[b], of_month[b]
        while i < len(household) and (household[i] < h or (household[i] == h and month[i] < m)):
            i += 1
        first = FAR_FUTURE
        j = i
        while j < len(household) and household[j] == h and month[j] == m:
            first = min(first, income_known[j])
            j += 1
        known[b] = FAR_FUTURE if j == i else max(bill_known[b], first)


@compiled
def _merge(incomes, bills, out):  # type: ignore[no-untyped-def]
    """Write incomes, and the bills that count, in order of household and day."""
    household, occurred, known, superseded, month, yuan = incomes
    of_household, bill_occurred, bill_known, bill_superseded, bill_month, spent = bills
    out_occurred, out_known, out_superseded, out_month, out_yuan = out
    n = 0
    i = 0
    for b in range(len(of_household) + 1):
        is_bill = b < len(of_household)
        if is_bill and bill_known[b] == FAR_FUTURE:
            continue
        while i < len(household) and (
            not is_bill
            or household[i] < of_household[b]
            or (household[i] == of_household[b] and occurred[i] <= bill_occurred[b])
        ):
            out_occurred[n], out_known[n], out_superseded[n] = occurred[i], known[i], superseded[i]
            out_month[n], out_yuan[n] = month[i], yuan[i]
            n += 1
            i += 1
        if is_bill:
            out_occurred[n], out_known[n], out_superseded[n] = bill_occurred[b], bill_known[b], bill_superseded[b]
            out_month[n], out_yuan[n] = bill_month[b], spent[b]
            n += 1
