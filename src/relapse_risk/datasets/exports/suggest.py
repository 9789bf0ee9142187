"""A first mapping from an export's headers: what is surely known is filled in, the rest is asked as a TODO."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from relapse_risk.datasets.exports.amounts import read_unit
from relapse_risk.datasets.exports.encoding import is_garbled
from relapse_risk.datasets.exports.raw import Head, Place, RawTable
from relapse_risk.datasets.exports.sources import Origin
from relapse_risk.datasets.exports.texts import plain, read_code_sets, read_codes, read_flags
from relapse_risk.datasets.exports.words import national_form
from relapse_risk.errors import ImportRefused
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.tables import TABLES

#: A table is taken to be meant where so many of its columns are found.
FEWEST_COLUMNS = 3
#: A column with more unknown texts than this is no code column, and its texts are not shown.
MOST_TEXTS = 20
LONGEST_TEXT = 12
_UNIT = re.compile(r"[((](.+?)[))]$")
_TODO = "TODO"


@dataclass(frozen=True)
class Suggestion:
    """A first mapping.

    Parameters
    ----------
    text : str
        The mapping file.
    n_todo : int
        Questions it asks.
    """

    text: str
    n_todo: int


@dataclass(frozen=True)
class _Guess:
    place: Place
    head: Head
    table: str
    columns: dict[str, int]


def suggest_mapping(src: str) -> Suggestion:
    """Return a first mapping of an export.

    Parameters
    ----------
    src : str
        Folder, file or PostgreSQL URL.

    Raises
    ------
    ImportRefused
        If nothing there is a table.
    """
    guesses: list[_Guess] = []
    unused: list[str] = []
    unknown: dict[int, dict[str, list[str]]] = {}
    with Origin(src) as origin:
        for place in origin.survey():
            try:
                guess = _guess(origin, place)
            except ImportRefused as error:
                unused.append(str(error))
                continue
            if guess is None:
                unused.append(f"{place.name}: its headers are not of any record table")
                continue
            unknown[len(guesses)] = _unknown_texts(origin, guess)
            guesses.append(guess)
    if not guesses and not unused:
        raise ImportRefused(f"{src}: holds no file that can be read; give CSV, Excel or Parquet files")
    lines = [
        "# A first mapping, suggested from the headers. Read it through: every TODO asks something.",
        "",
        "[export]",
        "# TODO date = 2024-06-30  # the day the export was made: nothing in it was known later",
        "max_reject_share = 0.02",
        *(f"# not used: {told}" for told in unused),
    ]
    for name in TABLES:
        of_table = [(number, guess) for number, guess in enumerate(guesses) if guess.table == name]
        for number, guess in of_table:
            lines += ["", *_block(guess, unknown[number], several=len(of_table) > 1)]
        if not of_table and TABLES[name].required:
            meaning = (TABLES[name].__doc__ or "").splitlines()[0]
            lines += ["", f"# TODO [tables.{name}]: no file was taken for it. {meaning}"]
    text = "\n".join(lines) + "\n"
    return Suggestion(text, text.count(_TODO) - 1)


def _guess(origin: Origin, place: Place) -> _Guess | None:
    head = origin.head(place)
    if any(is_garbled(name) for name in head.names):
        raise ImportRefused(f"{place.name}: the column names are garbled text; export it again as UTF-8 or GBK")
    best: tuple[int, int, _Guess] | None = None
    for number, row in enumerate(head.first_rows, 1):
        for name in TABLES:
            columns = _matched(name, row)
            needed = {c for c, described in TABLES[name].columns.items() if not described.nullable}
            score = (len(columns), len(needed & set(columns)))
            if len(columns) >= FEWEST_COLUMNS and (best is None or score > best[:2]):
                at_row = Place(place.name, place.path, place.sheet, header_row=number, query=place.query)
                header = Head(tuple(row), head.note, head.first_rows, head.detail)
                best = (*score, _Guess(at_row, header, name, columns))
    return best[2] if best else None


def _matched(table: str, row: object) -> dict[str, int]:
    """Return the table's columns that some headers are surely meant for, with their positions."""
    usual = national_form().headers
    names = [plain(str(cell)) for cell in row] if isinstance(row, (list, tuple)) else []
    bare = [_UNIT.sub("", name) for name in names]
    found: dict[str, int] = {}
    for column, described in TABLES[table].columns.items():
        words = (*usual.get(table, {}).get(column, ()), described.zh, column, *usual["any"].get(column, ()))
        for word in map(plain, words):
            places = [p for p, (name, short) in enumerate(zip(names, bare, strict=True)) if word in (name, short)]
            if places and places[0] not in found.values():
                found[column] = places[0]
                break
    return found


def _unknown_texts(origin: Origin, guess: _Guess) -> dict[str, list[str]]:
    """Return the texts of code columns that the national form does not know."""
    described = TABLES[guess.table].columns
    at = {
        name: position
        for name, position in guess.columns.items()
        if described[name].kind in (Kind.CODE, Kind.CODE_SET, Kind.FLAG) or described[name].unit == "grade"
    }
    if not at:
        return {}
    try:
        raw = origin.read(guess.place, guess.head, at, national_form().nulls)
    except ImportRefused:
        return {}
    return {name: texts for name in at if (texts := _unknown(described[name], raw, name))}


def _unknown(column: Column, raw: RawTable, name: str) -> list[str]:
    words = national_form().of(column, {})
    cells = raw.columns[name].compact()
    readers = {Kind.FLAG: read_flags, Kind.CODE_SET: read_code_sets}
    _, bad = readers.get(column.kind, read_codes)(cells, words)
    texts = [cells.texts[int(place)].as_py() for place in np.flatnonzero(bad)[: MOST_TEXTS + 1]]
    shown = len(texts) <= MOST_TEXTS and all(len(text) <= LONGEST_TEXT for text in texts)
    return texts if shown else []


def _block(guess: _Guess, unknown: Mapping[str, list[str]], *, several: bool) -> list[str]:
    table, place = TABLES[guess.table], guess.place
    opening, closing = ("[[", "]]") if several else ("[", "]")
    lines = [f"{opening}tables.{table.name}{closing}  # {guess.head.note}"]
    if place.query is not None:
        lines.append(f"relation = {_quoted(place.name)}")
    elif place.path is not None:
        lines.append(f"file = {_quoted(place.path.name)}")
    if place.sheet is not None:
        lines.append(f"sheet = {_quoted(place.sheet)}")
    if place.header_row > 1:
        lines.append(f"header_row = {place.header_row}")
    lines += ["", f"[tables.{table.name}.columns]"]
    for name, column in table.columns.items():
        if name in guess.columns:
            lines.append(_told(name, column, guess.head.names[guess.columns[name]].strip(), unknown.get(name, [])))
        elif name == "known_on":
            lines.append(
                "# TODO known_on: no column tells when a row was entered, so the day of the export is taken"
            )
        elif name == "origin":
            lines.append('origin = { value = "registry" }')
        elif not column.nullable:
            lines.append(f'# TODO {name} = ""  # {column.kind.value}: {column.zh}, {column.en}')
    used = set(guess.columns.values())
    rest = [name.strip() for place, name in enumerate(guess.head.names) if place not in used and name.strip()]
    if rest:
        lines.append(f"# not used: {', '.join(rest)}")
    return lines


def _told(name: str, column: Column, header: str, unknown: list[str]) -> str:
    quoted = _quoted(header)
    if unknown:
        texts = ", ".join(f'{_quoted(text)} = "{_TODO}"' for text in unknown)
        return f"{name} = {{ column = {quoted}, texts = {{ {texts} }} }}"
    if column.kind is not Kind.NUMBER or column.unit not in ("yuan", "mu"):
        return f"{name} = {quoted}"
    told = _UNIT.search(header)
    unit = read_unit(told[1], column.unit) if told else None
    if told is None or unit is None:
        return f"{name} = {quoted}  # TODO unit: taken as {column.unit}"
    asked = "  # TODO row_months: the months a row covers" if unit.months and name != "wage_yuan" else ""
    return f"{name} = {{ column = {quoted}, unit = {_quoted(told[1])} }}{asked}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
