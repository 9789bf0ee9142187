"""A first mapping from an export's headers: what is surely known is filled in, the rest is asked as a TODO."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
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
    columns: dict[str, list[int]]
    spread: dict[int, str]


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
            eliminated = _elimination(guess)
            lines += ["", *_block(guess, unknown[number], several=len(of_table) > 1 or eliminated is not None)]
            if eliminated is not None:
                lines += ["", *_block(guess, unknown[number], several=True, eliminated=eliminated)]
        if not of_table and TABLES[name].required:
            meaning = (TABLES[name].__doc__ or "").splitlines()[0].replace("``", "")
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
            spread = _spread(row) if name == "incomes" and "amount_yuan" not in columns else {}
            needed = {c for c, described in TABLES[name].columns.items() if not described.nullable}
            score = (len(columns) + len(spread), len(needed & set(columns)))
            if score[0] >= FEWEST_COLUMNS and (best is None or score > best[:2]):
                at_row = Place(place.name, place.path, place.sheet, header_row=number, query=place.query)
                header = Head(tuple(row), head.note, head.first_rows, head.detail)
                best = (*score, _Guess(at_row, header, name, columns, spread))
    return best[2] if best else None


def _matched(table: str, row: Sequence[str]) -> dict[str, list[int]]:
    """Return the table's columns that some headers are surely meant for, with their positions."""
    usual = national_form().headers
    names = [plain(cell) for cell in row]
    bare = [_UNIT.sub("", name) for name in names]
    found: dict[str, list[int]] = {}
    for column, described in TABLES[table].columns.items():
        words = (*usual.get(table, {}).get(column, ()), described.zh, column, *usual["any"].get(column, ()))
        for word in map(plain, words):
            places = [p for p, (name, short) in enumerate(zip(names, bare, strict=True)) if word in (name, short)]
            if described.kind is Kind.CODE_SET and not places:
                places = [p for p, name in enumerate(names) if name.rstrip("12345") == word]
            if places and not any(places[0] in taken for taken in found.values()):
                found[column] = places if described.kind is Kind.CODE_SET else places[:1]
                break
    return found


def _spread(row: Sequence[str]) -> dict[int, str]:
    """Return the columns that hold one source of income each, where there are several."""
    words = national_form().codes["income_source"]
    found = {p: words[name] for p, cell in enumerate(row) if (name := _UNIT.sub("", plain(cell))) in words}
    return found if len(found) > 1 else {}


def _unknown_texts(origin: Origin, guess: _Guess) -> dict[str, list[str]]:
    """Return the texts of code columns that the national form does not know."""
    described = TABLES[guess.table].columns
    at = {
        name: positions[0]
        for name, positions in guess.columns.items()
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


def _elimination(guess: _Guess) -> str | None:
    """Return the column that tells when a risk was eliminated, where a row is a whole case of the registry."""
    if guess.table != "statuses" or "poor" in guess.columns:
        return None
    told = [
        name.strip() for name in guess.head.names if plain(name) in national_form().headers["any"]["eliminated"]
    ]
    return told[0] if told else None


def _block(
    guess: _Guess, unknown: Mapping[str, list[str]], *, several: bool, eliminated: str | None = None
) -> list[str]:
    name = guess.table
    case = eliminated or _elimination(guess)
    lines = [f"[[tables.{name}]]" if several else f"[tables.{name}]"]
    lines[0] += f"  # {guess.head.note}"
    lines += _where(guess.place)
    if eliminated is not None:
        lines.append(f"only_if = [{_quoted(eliminated)}]")
    told = {}
    if case is not None:
        told["poor"] = f"poor = {{ value = {'false' if eliminated else 'true'} }}"
    if eliminated is not None:
        told["occurred_on"] = f"occurred_on = {_quoted(eliminated)}"
    lines += ["", f"[tables.{name}.columns]", *_columns(guess, unknown, told)]
    if guess.spread:
        lines += _spread_lines(guess)
    used = {*guess.spread, *(place for places in guess.columns.values() for place in places)}
    rest = [header.strip() for place, header in enumerate(guess.head.names) if place not in used]
    rest = [header for header in rest if header and header != case]
    return [*lines, f"# not used: {', '.join(rest)}"] if rest else lines


def _where(place: Place) -> list[str]:
    lines = []
    if place.query is not None:
        lines.append(f"relation = {_quoted(place.name)}")
    elif place.path is not None:
        lines.append(f"file = {_quoted(place.path.name)}")
    if place.sheet is not None:
        lines.append(f"sheet = {_quoted(place.sheet)}")
    if place.header_row > 1:
        lines.append(f"header_row = {place.header_row}")
    return lines


def _columns(guess: _Guess, unknown: Mapping[str, list[str]], told: Mapping[str, str]) -> Iterator[str]:
    for name, column in TABLES[guess.table].columns.items():
        if name in told:
            yield told[name]
        elif name in guess.columns:
            headers = [guess.head.names[position].strip() for position in guess.columns[name]]
            yield _told(name, column, headers, unknown.get(name, []))
        elif name == "known_on":
            yield "# TODO known_on: no column tells when a row was entered, so the day of the export is taken"
        elif name == "origin":
            yield 'origin = { value = "registry" }'
        elif not column.nullable and not (guess.spread and name in ("source", "amount_yuan")):
            yield f'# TODO {name} = ""  # {column.kind.value}: {column.zh}, {column.en}'


def _spread_lines(guess: _Guess) -> list[str]:
    names = [guess.head.names[place].strip() for place in guess.spread]
    units = {told[1] for name in names if (told := _UNIT.search(name)) and read_unit(told[1], "yuan")}
    unit = f"unit = {_quoted(units.pop())}" if len(units) == 1 else "# TODO unit: taken as yuan"
    lines = ["", "[tables.incomes.spread]  # each of these columns makes a row", 'into = "amount_yuan"', unit]
    lines += ["# TODO row_months: the months a row covers, if the unit is per month or year"]
    lines += ["", "[tables.incomes.spread.columns]"]
    pairs = zip(names, guess.spread.values(), strict=True)
    return [*lines, *(f'{_quoted(name)} = {{ source = "{source}" }}' for name, source in pairs)]


def _told(name: str, column: Column, headers: list[str], unknown: list[str]) -> str:
    if len(headers) > 1:
        return f"{name} = {{ columns = [{', '.join(map(_quoted, headers))}] }}"
    header, quoted = headers[0], _quoted(headers[0])
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
