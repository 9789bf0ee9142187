"""What rows of one export that share a table's key are to each other.

``latest``
    Versions of one fact: the row known latest holds, the earlier ones held before. Rows known on the same day that
    say different things contradict each other, and are set aside.
``refuse``
    A mistake: all of them are set aside.
``sum``
    Parts of one whole: their amounts are added. A part that came in later raises the total from its own day on, so
    there is a version for each day on which one came in.
``sum_of_day``
    Rows known on the same day are parts of one whole and are added; those known on a later day replace them. For
    tables of which a correction repeats the whole.

A row that says the same as another in every column repeats it, whatever the rule.

Each table has a rule of its own, which a mapping can change:

* ``expenses``: sum. Two bills of one day and kind are two bills. Where a bill has a number, that names one bill,
  and rows that share it are its versions.
* ``incomes``: sum. A household's members are paid on the same day, each with a row.
* ``employment``: sum_of_day. Who worked for two employers in a month has two rows, entered together: wages and
  their one-off parts are added, and the person worked, pays into social insurance or looks for work if either says
  so. All else (place, industry, contract, days of beginning and end, hours) is of the main job, the one with the
  largest wage. A row of the month entered on a later day corrects it: 3,082 yuan corrected to 2,466 are not 5,548.
  Where each job of a month is entered on a day of its own, the mapping says ``sum``.
* ``members``: latest. A profile is a fact: a row entered later corrects it, and nothing in it adds up.
* ``supports``: latest, since a measure entered again mostly says its end. Grants of one kind and day add up where
  the mapping says ``sum``.
* all others: latest. They hold nothing that adds up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SameKey = Literal["sum", "sum_of_day", "latest", "refuse"]


@dataclass(frozen=True)
class Sum:
    """How a table's rows are added up.

    Parameters
    ----------
    added : tuple of str
        Amounts that are added; the sum is missing where all parts are. Other columns are those of the part with
        the largest first amount.
    agree : dict of str to object
        Columns in which parts must agree, with what a missing value there means.
    any_of : tuple of str
        Flags that hold for the sum if they hold for any part.
    named_by : str, optional
        A column of the key that, where it is filled, names one fact: such rows are its versions, and never added.
    """

    added: tuple[str, ...]
    agree: dict[str, object] = field(default_factory=dict)
    any_of: tuple[str, ...] = ()
    named_by: str | None = None


SUMS: dict[str, Sum] = {
    "incomes": Sum(("amount_yuan",), agree={"months": 1}),
    "expenses": Sum(("total_yuan", "reimbursed_yuan", "self_paid_yuan"), named_by="bill_id"),
    "supports": Sum(("amount_yuan",), agree={"ended_on": None}),
    "employment": Sum(("wage_yuan", "one_off_yuan"), any_of=("employed", "formal", "seeking")),
}
"""Tables whose rows can be added up."""

_RULES: dict[str, SameKey] = {"incomes": "sum", "expenses": "sum", "employment": "sum_of_day"}


def rule_of(table: str, given: SameKey | None) -> SameKey:
    """Return a table's rule: as the mapping says, else its own."""
    return given or _RULES.get(table, "latest")
