"""The lines of one block of a mapping: where its rows lie, and what each column is made from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from relapse_risk.datasets.exports.amounts import read_unit
from relapse_risk.datasets.exports.date_cells import AGE
from relapse_risk.datasets.exports.national_form import FLAG, MONTH, national_form
from relapse_risk.datasets.exports.suggest.choose import Choice
from relapse_risk.datasets.exports.suggest.lexicon import BRACKETS, ELIMINATED, Guess
from relapse_risk.datasets.exports.suggest.profile import Profile
from relapse_risk.datasets.exports.suggest.relations import months_apart
from relapse_risk.datasets.exports.suggest.sample import Sample
from relapse_risk.datasets.exports.suggest.scores import BY_PLACE, SURE, as_number, columns_of
from relapse_risk.datasets.exports.suggest.table_match import SPREAD, Match
from relapse_risk.datasets.exports.texts import plain
from relapse_risk.records.codes import INCOME_SOURCE
from relapse_risk.records.columns import Column, Kind
from relapse_risk.records.tables import TABLES

TODO = "TODO"
#: Words by which a header or a file says the months that its amounts are of.
_PERIODS = {12: ("年度", "全年", "年收入", "yearly", "annual"), 3: ("季度", "季", "quarter"), 6: ("半年",)}
#: Tables of how things are from a day on, of which an export may hold the latest without a day.
_PROFILES = ("households", "members", "grids")
_CODED = (Kind.CODE, Kind.CODE_SET, Kind.FLAG)


def where(sample: Sample, folder: Path | None) -> list[str]:
    """Return the lines that say where a source lies."""
    place, lines = sample.place, []
    if place.query is not None:
        lines.append(f"relation = {quoted(place.name)}")
    elif place.path is not None:
        inside = folder is not None and place.path.is_relative_to(folder)
        lines.append(
            f"file = {quoted(place.path.relative_to(folder).as_posix() if inside and folder else place.path.name)}"
        )
    if place.sheet is not None:
        lines.append(f"sheet = {quoted(place.sheet)}")
    if place.header_row > 1:
        lines.append(f"header_row = {place.header_row}")
    return lines


def is_register(one: Match) -> bool:
    """Return whether each row is a case: an identification and, where it ended, an elimination."""
    return ELIMINATED in one.taken and "poor" not in one.taken


class BlockLines:
    """The lines of one block; of a case register, of its identifications or of its eliminations.

    Parameters
    ----------
    choice : Choice
        The source.
    one : Match
        What it gives.
    folder : path, optional
        The export's folder.
    eliminated : bool
        Whether the rows are a register's eliminations.
    """

    def __init__(self, choice: Choice, one: Match, folder: Path | None, *, eliminated: bool) -> None:
        self.choice = choice
        self.sample = choice.sample
        self.one = one
        self.folder = folder
        self.eliminated = eliminated
        self.register = is_register(one)

    def lines(self, *, several: bool) -> Iterator[str]:
        """Return the lines; ``several`` where the table is made of further blocks."""
        name = self.one.table
        yield (f"[[tables.{name}]]" if several else f"[tables.{name}]") + f"  # {self.sample.note}"
        yield from where(self.sample, self.folder)
        if self.eliminated:
            yield f"only_if = [{quoted(self._column(ELIMINATED).header)}]"
        if name == "incomes":
            yield from self._row_months()
        yield ""
        yield f"[tables.{name}.columns]"
        for column, described in columns_of(name).items():
            yield from self._line(column, described)
        if self.one.spread:
            yield from self._spread()

    def _column(self, name: str) -> Profile:
        return self.sample.columns[self.one.taken[name][0]]

    def _line(self, name: str, column: Column) -> Iterator[str]:
        taken, asked = self.one.taken, self.one.asked.get(name, [])
        spread = self.one.spread and name in SPREAD
        if name == ELIMINATED or spread:
            return
        if name == "poor" and self.register:
            yield f"poor = {{ value = {'false' if self.eliminated else 'true'} }}"
        elif name == "occurred_on" and self.eliminated:
            yield f"occurred_on = {quoted(self._column(ELIMINATED).header)}"
        elif name in taken:
            yield self._taken(name, column)
        elif name in self.one.flags:
            yield self._flags(name, column)
        elif name == "known_on":
            remark = "no column says when a row was entered, so the day of the export is taken"
            yield f"# {TODO} known_on: {remark}{self._perhaps(asked)}"
        elif name == "poor" and not asked:
            yield f"poor = {{ value = true }}  # {TODO} check: every row is taken for an identification"
        elif name == "origin":
            yield 'origin = { value = "registry" }'
        elif name == "visit_id" and {"household_id", "occurred_on"} <= set(taken):
            both = ", ".join(quoted(self._column(one).header) for one in ("household_id", "occurred_on"))
            remark = f"check: no column numbers the visits{self._perhaps(asked)}"
            yield f"visit_id = {{ columns = [{both}] }}  # {TODO} {remark}"
        elif not column.nullable:
            other = f"; or {{ value = CODE }}: {_valid(column)}" if column.kind is Kind.CODE else ""
            if name == "occurred_on" and self.one.table in _PROFILES:
                other = '; or { value = "export" }, where the file holds how things are on the day of the export'
            remark = f"{column.kind.value}: {column.zh}, {column.en}{self._perhaps(asked[1:])}{other}"
            yield f"# {TODO} {name} = {self._first(asked)}  # {remark}"
        elif asked:
            yield f"# {TODO} {name} = {self._first(asked)}  # perhaps{self._perhaps(asked[1:])}"

    def _first(self, asked: Sequence[int]) -> str:
        return quoted(self.sample.columns[asked[0]].header if asked else "")

    def _perhaps(self, asked: Sequence[int]) -> str:
        headers = ", ".join(quoted(self.sample.columns[position].header) for position in asked)
        return f"; or {headers}" if headers else ""

    def _taken(self, name: str, column: Column) -> str:
        profiles = [self.sample.columns[position] for position in self.one.taken[name]]
        first = quoted(profiles[0].header)
        score = self.one.scores[name]
        keys, remarks = [], []
        if len(profiles) > 1:
            keys.append(f"columns = [{', '.join(quoted(profile.header) for profile in profiles)}]")
        else:
            keys.append(f"column = {first}")
        if column.unit == "grade" and score < BY_PLACE:
            remarks.append("check: only its place among the looks shows which it is")
        elif score < SURE:
            remarks.append("check")
        join = self.choice.known.join
        if name == "household_id" and join is not None and score < SURE + 0.25:
            remarks.append(f"{join.share:.0%} of its ids are found in another source")
        if column.kind is Kind.DATE and _only_years(profiles[0]):
            keys.append('coarsest = "year"')
        if column.unit == MONTH and profiles[0].ages:
            keys.append(f"unit = {quoted(AGE)}")
        if column.kind is Kind.ID and profiles[0].citizens:
            keys.append("pseudonym = true")
            remarks = ["citizen ids are never stored: import with --id-key, or map the system's own person ids"]
        if column.unit in ("yuan", "mu", "km"):
            unit, asked = self._unit(profiles[0], column)
            keys += [f"unit = {quoted(unit)}"] if unit else []
            remarks += [asked] if asked else []
        if column.kind in _CODED or column.unit == "grade":
            texts, asked = _texts(profiles, column)
            keys += [texts] if texts else []
            remarks += [asked] if asked else []
        value = first if len(keys) == 1 and len(profiles) == 1 else f"{{ {', '.join(keys)} }}"
        return f"{name} = {value}" + (f"  # {TODO} {'; '.join(remarks)}" if remarks else "")

    def _flags(self, name: str, column: Column) -> str:
        """Return the line of a set of codes that several columns of yes and no make."""
        profiles = {self.sample.columns[position]: code for position, code in self.one.flags[name].items()}
        pairs = ", ".join(f"{quoted(profile.header)} = {quoted(code)}" for profile, code in profiles.items())
        keys, remarks = [f"flags = {{ {pairs} }}"], []
        denial = column.codes.alone if column.codes else None
        if denial is not None and len(profiles) > 1:  # no to one of them says nothing of the others
            keys.append(f"none = {quoted(denial)}")
            remarks.append(f"check: where all of them say no, {denial}")
        texts, asked = _texts([*profiles], FLAG)
        keys += [texts] if texts else []
        remarks += [asked] if asked else []
        return f"{name} = {{ {', '.join(keys)} }}" + (f"  # {TODO} {'; '.join(remarks)}" if remarks else "")

    def _unit(self, profile: Profile, column: Column) -> tuple[str, str]:
        unit = profile.unit if profile.unit_of(column.unit) else ""
        if not unit and column.unit == "yuan":
            unit = self.sample.money_unit
        read = read_unit(unit, column.unit) if unit else None
        if read is None:
            return "", f"unit: taken as {column.unit}"
        rate = read.months is not None and self.one.table not in ("employment", "incomes")
        return unit, "row_months: the months a row covers" if rate else ""

    def _row_months(self) -> Iterator[str]:
        """Say the months that amounts stand for, where the words or the days do."""
        household, days = self.one.taken.get("household_id"), self.one.taken.get("occurred_on")
        apart = (
            months_apart(self._column("household_id"), self._column("occurred_on")) if household and days else None
        )
        headers = [self.sample.columns[position].header for position in self.one.used]
        words = " ".join([self.sample.place.name, *headers])
        named = [months for months, of in _PERIODS.items() if any(word in words.lower() for word in of)]
        if apart is not None and apart > 1:
            yield f"row_months = {apart}  # {TODO} check: a household's rows lie {apart} months apart"
        elif named and apart is None:
            yield f"row_months = {named[0]}  # {TODO} check: the words say {named[0]} months"
        elif self._rates():
            yield f"# {TODO} row_months = 1  # the months a row covers: a unit is per month or year"

    def _rates(self) -> bool:
        positions = [*self.one.spread, *self.one.taken.get("amount_yuan", [])]
        units = [read_unit(self.sample.columns[position].unit, "yuan") for position in positions]
        return any(unit is not None and unit.months is not None for unit in units)

    def _spread(self) -> Iterator[str]:
        profiles = [self.sample.columns[position] for position in self.one.spread]
        units = {self._unit(profile, TABLES["incomes"].columns["amount_yuan"])[0] or "元" for profile in profiles}
        unit = units.pop() if len(units) == 1 and any(map(self._has_unit, profiles)) else ""
        yield ""
        yield "[tables.incomes.spread]  # each of these columns makes a row"
        yield 'into = "amount_yuan"'
        differ = (
            f"the columns differ ({', '.join(sorted(units))}), map them apart"
            if len(units) > 1
            else "taken as yuan"
        )
        yield f"unit = {quoted(unit)}" if unit else f"# {TODO} unit: {differ}"
        yield '# blank = "0"  # if a blank cell means that nothing was received'
        yield ""
        yield "[tables.incomes.spread.columns]"
        for profile, values in zip(profiles, self.one.spread.values(), strict=True):
            pairs = ", ".join(f"{name} = {quoted(code)}" for name, code in values.items())
            sure = plain(BRACKETS.sub("", plain(profile.header))) in _income_words()
            yield f"{quoted(profile.header)} = {{ {pairs} }}" + ("" if sure else f"  # {TODO} check")
        sources = {values["source"] for values in self.one.spread.values()}
        free = [code for code in INCOME_SOURCE.values if code not in sources]
        for profile in self._amounts_left() if free else []:
            yield f'# {TODO} {quoted(profile.header)} = {{ source = "" }}  # if it is one of {", ".join(free)}'

    def _has_unit(self, profile: Profile) -> bool:
        return profile.unit_of("yuan") or bool(self.sample.money_unit)

    def _amounts_left(self) -> list[Profile]:
        """Return the columns that could be amounts, and are neither totals nor anything else."""
        amount = TABLES["incomes"].columns["amount_yuan"]
        used = set().union(*(one.used for one in self.choice.matches))
        left = [profile for position, profile in enumerate(self.sample.columns) if position not in used]
        return [
            profile
            for profile in left
            if profile.refused_in("incomes") < 0.6 and as_number(amount, profile).share > 0
        ]


def _only_years(profile: Profile) -> bool:
    """Return whether dates are years without months."""
    if len(profile.years):
        return True
    return len(profile.births) > 0 and all(len(text.rstrip("年")) == 4 for text in profile.texts)


def _income_words() -> set[str]:
    codes = national_form().codes
    return {*codes["income_source"], *codes["income_part"]}


def _texts(profiles: Sequence[Profile], column: Column) -> tuple[str, str]:
    """Return the texts nobody has mapped with what they are guessed to be, and what is asked of them."""
    guessed: dict[str, Guess | None] = {}
    for profile in profiles:
        guessed |= profile.guesses(column)
    unknown = {text: guess for text, guess in guessed.items() if guess is None or guess.sureness < 1.0}
    if not unknown:
        return "", ""
    known = len(guessed) - len(unknown)
    few = known >= 0.5 * len(guessed) and all(profile.showable for profile in profiles)
    if not few and not all(profile.closed for profile in profiles):
        return "", "texts: some are no codes; they may be of persons, and are not shown"
    pairs = [f"{quoted(text)} = {quoted(guess.code if guess else TODO)}" for text, guess in unknown.items()]
    remarks = ["check the texts, they are guessed"] if any(unknown.values()) else []
    remarks += [f"valid: {_valid(column)}"] if not all(unknown.values()) else []
    return f"texts = {{ {', '.join(pairs)} }}", "; ".join(remarks)


def _valid(column: Column) -> str:
    if column.codes is not None:
        return ", ".join(column.codes.values)
    return "0 fine, 1 concern, 2 serious, or empty" if column.unit == "grade" else "true, false"


def quoted(text: str) -> str:
    """Return a text as TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def said(text: str) -> str:
    """Return a text as it may stand in a comment: in one line."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
