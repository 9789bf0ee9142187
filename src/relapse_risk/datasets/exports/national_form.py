"""The national form's words, which every mapping starts from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from relapse_risk.datasets.exports.texts import plain
from relapse_risk.errors import RelapseError
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.tables import TABLES

#: A column of yes and no, of no table: as each of several columns is that make a set of codes.
FLAG = Column(Kind.FLAG, "是否", "yes or no", nullable=True)
#: The unit of a date that stands for a month, by the first day of it.
MONTH = "month"


@dataclass(frozen=True)
class Words:
    """Texts that need no mapping.

    Parameters
    ----------
    nulls : tuple of str
        Texts that stand for no answer.
    flag, grade, months : dict of str to str
        Yes and no, the six looks' grades, and periods by their months.
    codes : dict of str to dict
        By code list, each text's code.
    """

    nulls: tuple[str, ...]
    flag: Mapping[str, str]
    grade: Mapping[str, str]
    months: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]

    def of(self, column: Column, added: Mapping[str, str]) -> dict[str, str]:
        """Return the texts a column is read with: the form's own, the list's codes, and the mapping's on top."""
        words: dict[str, str] = {}
        if column.kind is Kind.FLAG:
            words |= self.flag
        elif column.unit == "grade":
            words |= self.grade
        elif column.unit == "months":
            words |= self.months
        elif column.codes is not None:
            words |= {code: code for code in column.codes.values}
            words |= {plain(text): code for text, code in self.codes[column.codes.name].items()}
        return words | {plain(text): code for text, code in added.items()}


def valid_codes(column: Column) -> tuple[str, ...]:
    """Return what a text of a column can stand for; nothing where that is no closed list."""
    if column.kind is Kind.FLAG:
        return ("true", "false")
    if column.unit == "grade":
        return ("0", "1", "2")
    return column.codes.values if column.codes else ()


def code_lists() -> set[str]:
    """Return the names of the code lists that columns of the record tables have."""
    columns = (column for table in TABLES.values() for column in table.columns.values())
    return {column.codes.name for column in columns if column.codes is not None}


def load_words(file: str, required: Iterable[str]) -> dict[str, Any]:
    """Return a TOML file of words that ships with the package.

    Parameters
    ----------
    file : str
        Its name.
    required : iterable of str
        Dotted keys that it must have; a section may be empty.

    Raises
    ------
    RelapseError
        If it lacks one of them.
    """
    data = tomllib.loads(files(__package__).joinpath(file).read_text(encoding="utf-8"))
    lacking = sorted(key for key in required if not _has(data, key))
    if lacking:
        path = f"{__package__.replace('.', '/')}/{file}"
        raise RelapseError(f"{path} lacks {', '.join(lacking)}. Add each of them; it may be empty.")
    return data


def _has(data: Mapping[str, Any], key: str) -> bool:
    first, _, rest = key.partition(".")
    return first in data and (not rest or _has(data[first], rest))


@cache
def national_form() -> Words:
    """Return the words that ship with the package."""
    required = {"nulls", "flag", "grade", "months", *(f"codes.{name}" for name in code_lists())}
    data = load_words("national_form.toml", required)
    return Words(tuple(data["nulls"]), data["flag"], data["grade"], data["months"], data["codes"])
