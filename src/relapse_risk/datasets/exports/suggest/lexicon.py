"""How near a county's words come to those of the record tables: headers, names of files, code texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from rapidfuzz import fuzz

from relapse_risk.datasets.exports.national_form import code_lists, load_words, national_form
from relapse_risk.datasets.exports.texts import plain
from relapse_risk.records.codes import INCOME_PART, INCOME_SOURCE
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.tables import TABLES

#: A remark behind a header, and a unit there.
BRACKETS = re.compile(r"[(\[【](.+?)[)\]】]$")
UNIT = re.compile(r"[(\[【/::_](.+?)[)\]】]?$")
#: The column of a case register with the day a case ended; it becomes a row of its own.
ELIMINATED = "eliminated"
#: What a header says beside the thing itself.
_AROUND = re.compile(r"^(?:是否|有无|有没有|所在|当前|目前)|(?:情况|状况|信息|与否|没有|了没)$")
_JOINING = re.compile(r"^(?:参加|缴纳|购买|享受|参保|患有?|有)+|(?:人员|人口)$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: First GB2312 codes of each initial: its first level is ordered by sound.
_SOUNDS = [
    *((0xB0A1, "a"), (0xB0C5, "b"), (0xB2C1, "c"), (0xB4EE, "d"), (0xB6EA, "e"), (0xB7A2, "f"), (0xB8C1, "g")),
    *((0xB9FE, "h"), (0xBBF7, "j"), (0xBFA6, "k"), (0xC0AC, "l"), (0xC2E8, "m"), (0xC4C3, "n"), (0xC5B6, "o")),
    *((0xC5BE, "p"), (0xC6DA, "q"), (0xC8BB, "r"), (0xC8F6, "s"), (0xCBFA, "t"), (0xCDDA, "w"), (0xCEF4, "x")),
    *((0xD1B9, "y"), (0xD4D1, "z")),
]
_LAST_SOUND = 0xD7F9


@dataclass(frozen=True)
class Lexicon:
    """The words a first mapping is suggested from.

    Parameters
    ----------
    places : dict of str to tuple of str
        By record table, words of files and sheets.
    refused : dict of str to tuple of str
        Headers that no record column is made from.
    headers : dict of str to dict
        By record table, each column's words.
    dates : tuple of str
        Words of any day.
    codes : dict of str to dict
        By code list, parts of words by which a text is guessed to be a code.
    grades, flags : dict of str to tuple of str
        The same of the looks' grades, and of yes and no.
    """

    places: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, Mapping[str, tuple[str, ...]]]
    dates: tuple[str, ...]
    codes: Mapping[str, Mapping[str, tuple[str, ...]]]
    grades: Mapping[str, tuple[str, ...]]
    flags: Mapping[str, tuple[str, ...]]


@cache
def lexicon() -> Lexicon:
    """Return the words that ship with the package."""
    required = {"any", f"any.{ELIMINATED}", "dates.any", "grades", "flags", *TABLES}
    required |= {f"places.{name}" for name in TABLES} | {f"codes.{name}" for name in code_lists()}
    required |= {f"refused.{name}" for name in ("personal", "serial", "totals", "member", "over")}
    data = load_words("header_words.toml", required)
    headers = {name: dict(_column_words(data, name)) for name in TABLES}
    codes = {name: _tuples(words) for name, words in data["codes"].items()}
    return Lexicon(
        _tuples(data["places"]),
        _tuples(data["refused"]),
        headers,
        tuple(data["dates"]["any"]),
        codes,
        _tuples(data["grades"]),
        _tuples(data["flags"]),
    )


def _tuples(words: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(of) for name, of in words.items()}


def _column_words(data: Mapping[str, Mapping[str, list[str]]], table: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    for name, column in TABLES[table].columns.items():
        yield name, (column.zh, name, *data[table].get(name, ()), *data["any"].get(name, ()))
    if table == "statuses":
        yield ELIMINATED, tuple(data["any"][ELIMINATED])


def header_score(header: str, table: str, column: str) -> float:
    """Return how surely a header is meant for a record column, from 0 to 1.

    Examples
    --------
    >>> [round(header_score(text, "households", "n_labour"), 1) for text in ("劳动力人数", "ldlrs", "网格")]
    [1.0, 0.9, 0.0]
    """
    return nearest(header, lexicon().headers[table].get(column, ()))


def date_score(header: str, table: str, column: str) -> float:
    """Return how surely a header is meant for a column of days, from 0 to 1.

    A word of any day is a word of the day of the event, unless the header has a word of another day beside it.
    """
    said = header_score(header, table, column)
    if column != "occurred_on":
        return said
    days = [name for name, of in TABLES[table].columns.items() if of.kind is Kind.DATE and name != column]
    days += [ELIMINATED] if table == "statuses" else []
    other = max(header_score(header, table, name) for name in days)
    return max(said, (0.4 if other >= 0.55 else 1.0) * nearest(header, lexicon().dates))


def place_score(name: str, table: str) -> float:
    """Return how surely a file's or sheet's name is of a record table, from 0 to 1."""
    return max(nearest(part, lexicon().places[table]) for part in re.split(r"[,.]", name) if part.strip())


def refused(header: str) -> float:
    """Return how surely a header is of a person, a running number or a total."""
    return max(nearest(header, lexicon().refused[kind]) for kind in ("personal", "serial", "totals"))


def of_member(header: str) -> float:
    """Return how surely a header is of what only a member has: sex, birth, relation to the head."""
    return nearest(header, lexicon().refused["member"])


def over(header: str) -> bool:
    """Return whether a header says that something is over, which is the contrary of its being so."""
    return nearest(header, lexicon().refused["over"]) >= 0.5


@cache
def nearest(header: str, words: tuple[str, ...]) -> float:
    """Return how near a header comes to the nearest of some words, from 0 to 1."""
    name = plain(header)
    bare = BRACKETS.sub("", name)
    short = _AROUND.sub("", bare)
    best = 0.0
    for text, worth in ((name, 1.0), (bare, 1.0), (short, 0.97)):
        if text:
            best = max(best, worth * max((_likeness(text, word) for word in words), default=0.0))
    return best


def _likeness(header: str, word: str) -> float:
    if plain(word).lower() == header.lower():
        return 1.0
    if header.isascii():
        return _english(header, word) if word.isascii() else _initials_likeness(header, word)
    return 0.0 if word.isascii() else _chinese(header, plain(word))


def _chinese(header: str, word: str) -> float:
    if word in header:
        share = len(word) / len(header)
        base = 0.25 + 0.3 * share if len(word) == 1 else 0.5 + 0.4 * share
        return base + 0.05 * header.endswith(word)
    if len(header) > 1 and header in word:
        return 0.45 + 0.45 * len(header) / len(word)
    near = fuzz.ratio(header, word) / 100
    return 0.7 * near if near >= 0.5 else 0.0


def _english(header: str, word: str) -> float:
    ours, theirs = _tokens(word), _tokens(header)
    if not ours or not theirs:
        return 0.0
    found = sum(any(_same_token(one, other) for other in theirs) for one in ours)
    if found == len(ours):
        return 0.55 + 0.4 * len(ours) / len(theirs)
    if found and found == len(theirs):
        return 0.4 + 0.4 * found / len(ours)
    return 0.3 * found / max(len(ours), len(theirs))


def _same_token(one: str, other: str) -> bool:
    """Return whether two words are one but for its ending or spelling; short ones must be the same."""
    return one == other or (min(len(one), len(other)) >= 5 and fuzz.ratio(one, other) >= 85)


def _tokens(text: str) -> list[str]:
    return [part.lower() for part in re.split(r"[^A-Za-z0-9]+", _CAMEL.sub(" ", text)) if part]


def _initials_likeness(header: str, word: str) -> float:
    letters, name = initials(word), re.sub(r"[^a-z]", "", header.lower())
    if len(letters) < 2 or len(name) < 2:
        return 0.0
    if letters == name:
        return {2: 0.75, 3: 0.88}.get(len(name), 0.94)
    if len(letters) >= 3 and letters in name:
        return 0.45 + 0.4 * len(letters) / len(name)
    near = fuzz.ratio(letters, name) / 100
    return 0.65 * near if near >= 0.75 and len(name) > 3 else 0.0


@cache
def initials(text: str) -> str:
    """Return the initials of Chinese words, as databases name their columns.

    Examples
    --------
    >>> initials("户编号"), initials("是否低保")
    ('hbh', 'sfdb')
    """
    return "".join(map(_initial, text))


def _initial(sign: str) -> str:
    if sign.isascii():
        return sign.lower() if sign.isalnum() else ""
    code = int.from_bytes(sign.encode("gb2312", errors="ignore"), "big")
    if not _SOUNDS[0][0] <= code <= _LAST_SOUND:
        return ""
    return next(letter for first, letter in reversed(_SOUNDS) if first <= code)


@dataclass(frozen=True)
class Guess:
    """What a text is guessed to stand for.

    Parameters
    ----------
    code : str
        The code; empty for no answer.
    sureness : float
        1 where the national form says so, less where only parts of words do.
    """

    code: str
    sureness: float


def guess_code(text: str, column: Column) -> Guess | None:
    """Return what a text of a code, flag or grade column is guessed to stand for, None if nothing shows it."""
    word = plain(text)
    known = national_form().of(column, {})
    code = known.get(word, known.get(word.lower()) if column.kind is Kind.FLAG else None)
    if code is not None:
        return Guess(code, 1.0)
    parts = _parts(column)
    if column.kind is Kind.FLAG:
        if any(part in word.lower() for part in lexicon().refused["over"]):
            return Guess("false", 0.7)
        begun = [code for code, of in parts.items() if word.lower().startswith(of)]
        # what is not denied is said
        return Guess("false" if "false" in begun else "true", 0.7) if begun else None
    found = _longest(word, parts)
    if found:
        return Guess(found[1], min(0.8, 0.5 + 0.3 * found[0] / len(word)))
    if column.codes is None:
        return None
    near = [(fuzz.ratio(word, one), code) for one, code in known.items() if not one.isascii()]
    best = max(near, default=(0.0, ""))
    return Guess(best[1], 0.6 * best[0] / 100) if best[0] >= 60 else None


def code_of_header(header: str, column: Column) -> Guess | None:
    """Return the code of a set that a column of yes and no stands for by its header, None if it is none.

    Examples
    --------
    >>> from relapse_risk.records.tables import Members
    >>> [code_of_header(text, Members.insurance) for text in ("是否参加居民医保", "是否在户")]
    [Guess(code='resident_medical', sureness=1.0), None]
    """
    if column.codes is None:
        return None
    name = _AROUND.sub("", BRACKETS.sub("", plain(header)))
    denial = column.codes.alone
    known = national_form().codes[column.codes.name]
    bare = _JOINING.sub("", name)
    code = known.get(name) or known.get(bare)
    if code is not None:
        return None if code == denial else Guess(code, 1.0)
    found = _longest(bare, {code: of for code, of in _parts(column).items() if code != denial})
    return Guess(found[1], 0.7) if found and found[0] > 1 else None


def _longest(word: str, parts: Mapping[str, tuple[str, ...]]) -> tuple[int, str] | None:
    """Return the length and the code of the longest part found in a word; of two, the later: it says the kind."""
    word = word.lower()
    found = [(len(part), word.rfind(part), code) for code, of in parts.items() for part in of if part in word]
    return (max(found)[0], max(found)[2]) if found else None


def _parts(column: Column) -> Mapping[str, tuple[str, ...]]:
    if column.kind is Kind.FLAG:
        return lexicon().flags
    if column.unit == "grade":
        return lexicon().grades
    return lexicon().codes[column.codes.name] if column.codes else {}


#: The source of income that each part is of, where the name of the part says it by itself.
PART_SOURCES = {
    **dict.fromkeys(("migrant_work", "welfare_post", "picking", "bonus", "severance"), "wage"),
    **dict.fromkeys(("crops", "livestock", "orchard"), "business"),
    **dict.fromkeys(("dividend", "land_rent", "finance_project", "entrusted", "interest"), "property"),
    **dict.fromkeys(("family_planning", "dibao", "tekun", "pension", "ecology", "land_fertility"), "transfer"),
    **dict.fromkeys(("old_age", "veterans", "disability", "education", "disaster_relief"), "transfer"),
    **dict.fromkeys(("alimony", "social_relief", "poverty_insurance", "donation"), "transfer"),
    **dict.fromkeys(("unemployment", "scholarship", "gift"), "transfer"),
}


def income_of(header: str) -> dict[str, str] | None:
    """Return the source of income that a column of amounts holds by its header, with the part where it is one.

    Examples
    --------
    >>> income_of("务工收入(元)"), income_of("转移性收入"), income_of("家庭纯收入")
    ({'source': 'wage', 'part': 'migrant_work'}, {'source': 'transfer'}, None)
    """
    name = BRACKETS.sub("", plain(header))
    known = national_form().codes
    if name in known[INCOME_SOURCE.name]:
        return {"source": known[INCOME_SOURCE.name][name]}
    part = known[INCOME_PART.name].get(name)
    if part in PART_SOURCES:
        return {"source": PART_SOURCES[part], "part": part}
    spent = max(
        header_score(header, "expenses", name) for name in ("total_yuan", "reimbursed_yuan", "self_paid_yuan")
    )
    if refused(header) >= 0.6 or spent >= 0.8:
        return None
    found = _longest(name, lexicon().codes[INCOME_SOURCE.name])
    return {"source": found[1]} if found else None
