"""Which columns of a source would be which of a record table's: the best assignment as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from relapse_risk.datasets.exports.suggest.leftover import Leftover, entry_before_event
from relapse_risk.datasets.exports.suggest.lexicon import code_of_header, income_of, place_score
from relapse_risk.datasets.exports.suggest.profile import Profile
from relapse_risk.datasets.exports.suggest.relations import seldom_after
from relapse_risk.datasets.exports.suggest.sample import Sample
from relapse_risk.datasets.exports.suggest.scores import (
    ASKED,
    BY_PLACE,
    SURE,
    TAKEN,
    Known,
    Scores,
    columns_of,
    is_flag,
    score_all,
)
from relapse_risk.datasets.exports.suggest.table_match import SHARED, SPREAD, Match
from relapse_risk.records.columns import Column, Kind

_MOST_CANDIDATES = 6


def match(sample: Sample, table: str, known: Known, free: set[int] | None = None) -> Match:
    """Return what a source would give a table.

    Parameters
    ----------
    sample : Sample
        The source.
    table : str
        The record table.
    known : Known
        What the other sources show of it.
    free : set of int, optional
        Positions that may be used, beside household ids and days; all, if left out.
    """
    found = Match(table)
    if table == "grids" and known.household is not None:
        return found  # a grid is nobody's
    every = set(range(len(sample.columns)))
    names = list(columns_of(table))
    scores = score_all(sample, table, known)
    for name in [] if free is None else names:
        if name not in SHARED:
            scores[names.index(name), sorted(every - (free or set()))] = 0.0
    if table == "incomes":
        found.spread = _spread(sample, scores[names.index("amount_yuan")], every if free is None else free)
        scores[:, list(found.spread)] = 0.0
        if found.spread:
            scores[[names.index(name) for name in SPREAD]] = 0.0
    for row, position in _assigned(scores):
        if scores[row, position] >= TAKEN:
            found.take(names[row], position, float(scores[row, position]))
    _numbered_sets(found, sample)
    _flag_sets(found, sample, (every if free is None else free) - found.used)
    rest = Leftover(sample, found, (every if free is None else free) - found.used)
    if not found.spread:
        rest.take()
    _order_days(found, sample)
    if entry_before_event(sample, found.taken):
        del found.taken["known_on"], found.scores["known_on"]
    for row, name in enumerate(names):
        if name not in found.taken and name not in found.flags and not (found.spread and name in SPREAD):
            likely = [int(p) for p in np.argsort(-scores[row], kind="stable") if scores[row, p] >= ASKED]
            left = dict.fromkeys([p for p in likely if p not in found.used] + rest.candidates(name))
            found.asked[name] = list(left)[:_MOST_CANDIDATES]
    found.value = _value(found, sample)
    return found


def _order_days(found: Match, sample: Sample) -> None:
    """Let the days of event and entry change places where entries would lie shortly before events."""
    days = [found.taken.get(name) for name in ("occurred_on", "known_on")]
    if days[0] is None or days[1] is None:
        return
    occurred, known = (sample.columns[of[0]] for of in days if of)
    if seldom_after(known, occurred) and not entry_before_event(sample, found.taken):
        least = min(found.scores["occurred_on"], found.scores["known_on"])
        found.taken |= {"occurred_on": days[1], "known_on": days[0]}
        found.scores |= {"occurred_on": least, "known_on": least}


def _assigned(scores: Scores) -> Iterator[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    if scores.size:
        # squares: one sure column counts more than two vague ones
        yield from zip(*(of.tolist() for of in linear_sum_assignment(-(scores**2))), strict=True)


def _spread(sample: Sample, as_amount: Scores, free: set[int]) -> dict[int, dict[str, str]]:
    """Return the columns of amounts that hold one source of income each, where there are several.

    A part of a source is left out where the source itself has a column, since that holds the part.
    """
    incomes = {
        position: values
        for position, profile in enumerate(sample.columns)
        if position in free
        and len(profile.numbers)
        and not len(profile.dates)
        and (values := income_of(profile.header))
    }
    whole = {values["source"] for values in incomes.values() if "part" not in values}
    found: dict[int, dict[str, str]] = {}
    for position, values in incomes.items():
        within = "part" in values and values["source"] in whole
        if not within and values not in found.values():
            found[position] = values
    several = len({values["source"] for values in found.values()}) > 1
    return found if several and as_amount.max(initial=0.0) < 1.0 else {}


def _numbered_sets(found: Match, sample: Sample) -> None:
    """Add the further columns of a set of codes that is parted into numbered ones."""
    described = columns_of(found.table)
    for name in [name for name in found.taken if described[name].kind is Kind.CODE_SET]:
        first = _unnumbered(sample.columns[found.taken[name][0]].header)
        found.taken[name] = [
            position for position, profile in enumerate(sample.columns) if _unnumbered(profile.header) == first
        ]


def _flag_sets(found: Match, sample: Sample, free: set[int]) -> None:
    """Make a set of codes from columns of yes and no, where their headers are codes of it.

    A single such column is one only if its header is a code's own word. It never makes the set by itself as a
    column of codes: its no would be read as the code for none of them all.
    """
    for name, column in columns_of(found.table).items():
        if column.kind is not Kind.CODE_SET:
            continue
        if all(_names_no_code(sample.columns[p], column) for p in found.taken.get(name, ())):
            free = free | set(found.taken.pop(name, ()))
            found.scores.pop(name, None)
        if found.scores.get(name, 0.0) >= SURE:
            continue
        answers = {p: sample.columns[p].header for p in sorted(free) if is_flag(sample.columns[p])}
        guessed = {p: guess for p, header in answers.items() if (guess := code_of_header(header, column))}
        codes = [guess.code for guess in guessed.values()]
        once = {position: guess for position, guess in guessed.items() if codes.count(guess.code) == 1}
        if len(once) > 1 or any(guess.sureness == 1.0 for guess in once.values()):
            found.taken.pop(name, None)
            found.scores.pop(name, None)
            found.flags[name] = {position: guess.code for position, guess in once.items()}
            free = free - set(once)


def _names_no_code(profile: Profile, column: Column) -> bool:
    """Return whether cells say yes and no alone, and name no code of a set but the one for none."""
    denial = column.codes.alone if column.codes else None
    codes = {guess.code for guess in profile.guesses(column).values() if guess}
    return is_flag(profile) and codes <= {denial}


def _unnumbered(header: str) -> str:
    return header.rstrip("0123456789一二三四五")


def _value(found: Match, sample: Sample) -> float:
    """Return how well a source fits a table: how much each explains of the other, and the source's name."""
    # what is merely left over says little
    scores = [score for name, score in found.scores.items() if name != "known_on"]
    weights = [score if score > BY_PLACE else score / 2 for score in scores]
    total = sum(weights) + 0.9 * len(found.spread) + 0.9 * sum(map(len, found.flags.values()))
    useful = {p for p, profile in enumerate(sample.columns) if profile.refused_in(found.table) < 0.6}
    explained = len(found.used & useful) / max(1, len(useful))
    return float(total * explained**0.5 + 1.2 * place_score(sample.place.name, found.table))
