"""What a column of a source holds, by its cells."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from relapse_risk.datasets.exports.amounts import SIZES, read_unit, read_written
from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.date_cells import read_date
from relapse_risk.datasets.exports.personal import may_be_of_person, mostly_names
from relapse_risk.datasets.exports.suggest.lexicon import UNIT, Guess, guess_code, of_member, refused
from relapse_risk.datasets.exports.texts import plain
from relapse_risk.records.citizen_ids import citizen_ids
from relapse_risk.records.columns import Column, Kind

#: A column of more texts, or longer ones, is no code column, and none of its texts is shown.
MOST_TEXTS = 40
LONGEST_TEXT = 12
#: Signs between several codes in one cell.
_BETWEEN = re.compile(r"[,,、;;/|\s]+")
_SERIAL = re.compile(r"\d{5}(\.\d+)?$")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*$")
#: Share of the cells that decide what a column holds; the others are for the import to set aside.
_MOSTLY = 0.75
#: Days a county's records can be of: 1990 to 2049.
_DAYS = range(7305, 29220)
#: Days of birth of persons in them: 1900 to 2049.
_BIRTHS = range(-25567, 29220)
_OLDEST = 120


class Profile:
    """One column of a source.

    Parameters
    ----------
    header : str
        Its name, as it stands.
    cells : Cells
        Its first cells, without those that stand for nothing.
    """

    def __init__(self, header: str, cells: Cells) -> None:
        self.header = header
        self.cells = cells.compact()

    def __repr__(self) -> str:
        return f"Profile({self.header!r})"

    @cached_property
    def texts(self) -> list[str]:
        """The distinct texts."""
        found: list[str] = self.cells.texts.to_pylist()
        return found

    @cached_property
    def n_filled(self) -> int:
        """Cells that hold something."""
        return int((self.cells.positions >= 0).sum())

    @property
    def share_filled(self) -> float:
        """Share of the rows that hold something."""
        return self.n_filled / max(1, len(self.cells))

    @property
    def unique(self) -> bool:
        """Whether hardly a cell is there twice."""
        return self.n_filled > 0 and len(self.texts) >= 0.98 * self.n_filled

    @cached_property
    def dates(self) -> npt.NDArray[np.float64]:
        """Each row's day, NaN for none; empty if this is no column of dates."""
        return self._dates("month")

    @cached_property
    def years(self) -> npt.NDArray[np.float64]:
        """Each row's year, as its last day; empty if the cells are no years, or dates as they are."""
        return np.zeros(0) if len(self.dates) else self._dates("year")

    @cached_property
    def serial_dates(self) -> bool:
        """Whether every date is a spreadsheet's number of a day, which an amount could be as well."""
        return len(self.dates) > 0 and all(map(_SERIAL.match, self.texts))

    def _dates(self, coarsest: Any) -> npt.NDArray[np.float64]:
        spans = [read_date(text.split(" ")[0].split("T")[0], coarsest) for text in self.texts]
        days = np.array([float(s[1]) if s and s[1] in _DAYS else np.nan for s in spans])
        return self._by_row(days)

    @cached_property
    def numbers(self) -> npt.NDArray[np.float64]:
        """Each row's number, NaN for none; empty if this is no column of numbers."""
        read = [read_written(text) for text in self.texts]
        return self._by_row(np.array([np.nan if number is None else number[0] for number in read]))

    def _by_row(self, of_text: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return each row's value, nothing if too many texts have none."""
        if not len(of_text):
            return np.zeros(0)
        rows = np.append(of_text, np.nan)[self.cells.positions]
        readable = np.isfinite(rows).sum() / max(1, self.n_filled)
        return rows if readable >= _MOSTLY else np.zeros(0)

    @cached_property
    def whole(self) -> tuple[float, float] | None:
        """Least and greatest of whole numbers, None if they are not whole or no numbers."""
        values = self.numbers[np.isfinite(self.numbers)]
        if not len(values) or (values != np.floor(values)).any():
            return None
        return float(values.min()), float(values.max())

    @cached_property
    def running(self) -> bool:
        """Whether the rows are merely numbered."""
        values = self.numbers[np.isfinite(self.numbers)]
        return len(values) >= 3 and bool((np.diff(values) == 1).mean() > 0.95)

    @cached_property
    def is_id(self) -> bool:
        """Whether the texts could be ids."""
        if not self.texts or (len(self.dates) and not self.serial_dates) or self.running or len(self.births):
            return False
        fit = [bool(_ID.match(text)) and any(map(str.isdigit, text)) for text in self.texts]
        named = sum(map(len, self.texts)) / len(self.texts) >= 4 or not all(text.isdigit() for text in self.texts)
        whole = not len(self.numbers) or self.whole is not None
        return named and whole and sum(fit) >= _MOSTLY * len(fit)

    @cached_property
    def values(self) -> frozenset[str]:
        """The distinct texts, to be compared with another column's."""
        return frozenset(self.texts)

    @cached_property
    def showable(self) -> bool:
        """Whether the texts are few and short, and neither ids nor names."""
        if not 0 < len(self.parts) <= MOST_TEXTS or self.refused >= 0.6:
            return False
        if any(_width(text) > LONGEST_TEXT or may_be_of_person(text) for text in self.parts):
            return False
        return not mostly_names(self.parts)

    @cached_property
    def closed(self) -> bool:
        """Whether the texts are few, short and come back: a list of codes, and nobody's data."""
        return self.showable and (len(self.texts) <= 3 or len(self.texts) <= 0.5 * self.n_filled)

    @cached_property
    def parts(self) -> list[str]:
        """The distinct texts, each part of a cell that lists several by itself."""
        found = dict.fromkeys(part for text in self.texts[:2000] for part in _BETWEEN.split(text) if part)
        return list(found)

    @cached_property
    def births(self) -> npt.NDArray[np.float64]:
        """Each row's day of birth, NaN for none; empty if the cells are none, or days that records can be of."""
        if len(self.dates):
            return np.zeros(0)
        spans = [read_date(text.split(" ")[0].split("T")[0], "year") for text in self.texts]
        return self._by_row(np.array([float(s[1]) if s and s[1] in _BIRTHS else np.nan for s in spans]))

    @property
    def ages(self) -> bool:
        """Whether the cells could be ages in years."""
        values = self.numbers[np.isfinite(self.numbers)]
        fit = (values >= 0) & (values <= _OLDEST) & (values == np.floor(values))
        return len(values) > 0 and fit.sum() >= _MOSTLY * self.n_filled and not len(self.births)

    @cached_property
    def citizens(self) -> bool:
        """Whether the cells are citizen ids."""
        return bool(citizen_ids(self.cells.texts).sum() >= _MOSTLY * max(1, len(self.texts)))

    def refused_in(self, table: str) -> float:
        """How surely the header is of something that no column of a record table is made from."""
        return self.refused if table == "members" else max(self.refused, of_member(self.header))

    @cached_property
    def refused(self) -> float:
        """How surely the header is of a person, a running number or a total."""
        return refused(self.header)

    @cached_property
    def unit(self) -> str:
        """The unit named in the header; empty where none is."""
        named = UNIT.search(plain(self.header))
        return named[1] if named and any(read_unit(named[1], of) for of in SIZES) else ""

    def unit_of(self, kind: str) -> bool:
        """Return whether the header names a unit of money, of area, or of persons."""
        return bool(self.unit) and read_unit(self.unit, kind) is not None

    def guesses(self, column: Column) -> dict[str, Guess | None]:
        """Return each text's likely code in a record column."""
        texts = self.parts if column.kind is Kind.CODE_SET else self.texts
        guessed = {text: guess_code(text, column) for text in texts[: MOST_TEXTS + 1]}
        codes = ("0", "1", "2") if column.unit == "grade" else ("true", "false") if column.kind is Kind.FLAG else ()
        return _last_of(guessed, codes)

    def likeness(self, column: Column) -> float:
        """Return how well the texts are a record column's codes, from 0 to 1."""
        guessed = self.guesses(column)
        sure: Callable[[Guess | None], float] = lambda one: one.sureness if one else 0.0  # noqa: E731
        return sum(map(sure, guessed.values())) / len(guessed) if guessed else 0.0


def _width(text: str) -> float:
    """Return how long a text is in Chinese signs, of which a letter is half of one."""
    return sum(0.5 if sign.isascii() else 1.0 for sign in text)


def _last_of(guessed: dict[str, Guess | None], codes: tuple[str, ...]) -> dict[str, Guess | None]:
    """Give the one text nobody knows the one code that is left."""
    texts = [text for text, guess in guessed.items() if guess is None]
    free = set(codes) - {guess.code for guess in guessed.values() if guess}
    if len(texts) == len(free) == 1 and _width(texts[0]) <= LONGEST_TEXT:
        return {**guessed, texts[0]: Guess(free.pop(), 0.5)}
    return guessed
