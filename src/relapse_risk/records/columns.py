"""The words a table is described in: columns, their kinds and their constraints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from relapse_risk.errors import UsageError

if TYPE_CHECKING:
    from relapse_risk.records.codes import Codes


class Kind(Enum):
    """What a column holds; the value is the name shown to people."""

    ID = "id, as text"
    TEXT = "text"
    CODE = "one code"
    CODE_SET = "codes joined by commas"
    DATE = "date"
    INTEGER = "whole number"
    NUMBER = "number"
    FLAG = "true or false"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    kind : Kind
        What the values are.
    zh, en : str
        What the column means.
    unit : str
        Unit of the values: ``yuan``, ``mu``, ``persons``, ``grade``; empty for texts and codes.
    codes : Codes, optional
        The closed list, for ``CODE`` and ``CODE_SET``.
    nullable : bool
        Whether a value may be missing (unknown).
    optional : bool
        Whether the whole column may be absent, which reads as all missing.
    minimum, maximum : float, optional
        Inclusive bounds; of a ``CODE_SET``, the most codes that one value joins (all of the list otherwise).
    not_before : str, optional
        A date column of the same row that this date may not precede.
    not_after : str, optional
        A date column of the same row that this date may not follow.
    of_person : bool
        Whether an id is a person's, which must not be a citizen id.
    at_most : str, optional
        A column of the same row that this number is part of, and so may not exceed.
    """

    kind: Kind
    zh: str
    en: str
    unit: str = ""
    codes: Codes | None = None
    nullable: bool = False
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    of_person: bool = False
    not_before: str | None = None
    not_after: str | None = None
    at_most: str | None = None


class Table:
    """Base of the documented table classes; a subclass declares columns as class attributes.

    Attributes
    ----------
    name : str
        The table's name, also its file's name without the ending.
    key : tuple of str
        Columns that, together with ``known_on``, name a row. Rows that share a key are versions of one record:
        the one known latest holds.
    required : bool
        Whether a records folder must have the table.
    columns : dict of str to Column
        All columns in their order, collected from the class.
    """

    name: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    required: ClassVar[bool] = False
    columns: ClassVar[dict[str, Column]]

    def __init_subclass__(cls) -> None:
        cls.columns = {name: value for name, value in vars(cls).items() if isinstance(value, Column)}
        unknown = {*cls.key, "occurred_on", "known_on"} - set(cls.columns)
        if unknown:
            raise UsageError(f"table {cls.name}: no column {sorted(unknown)}")
