"""Which record tables each source gives, chosen for the whole export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from relapse_risk.datasets.exports.suggest.match import match
from relapse_risk.datasets.exports.suggest.relations import Join, area_roles
from relapse_risk.datasets.exports.suggest.sample import Sample
from relapse_risk.datasets.exports.suggest.scores import Known
from relapse_risk.datasets.exports.suggest.table_match import Match
from relapse_risk.records.tables import TABLES


@dataclass
class Choice:
    """A source, and what is made of it.

    Parameters
    ----------
    sample : Sample
        The source.
    known : Known
        What the other sources show of it.
    matches : list of Match
        What it gives; empty where it fits no table.
    nearest : Match, optional
        A table that it comes near to, where it fits none.
    """

    sample: Sample
    known: Known
    matches: list[Match] = field(default_factory=list)
    nearest: Match | None = None


def choose(samples: Sequence[Sample], households: Mapping[int, tuple[int, Join]]) -> list[Choice]:
    """Return what each source gives.

    Each source gives the table that it fits best. When the source of households is found, its ids of grids,
    villages and townships show those of the others. A table that no source gives is then looked for among the
    columns that are left: an account sheet may hold expenses, a list of households the day each was identified.
    """
    known = [Known(*households.get(number, (None, None))) for number in range(len(samples))]
    choices = [_best(sample, of) for sample, of in zip(samples, known, strict=True)]
    homes = [
        number for number, choice in enumerate(choices) if any(m.table == "households" for m in choice.matches)
    ]
    if homes:
        roles = area_roles(samples, homes[0], {source: position for source, (position, _) in households.items()})
        known = [replace(of, roles=roles.get(number, {})) for number, of in enumerate(known)]
        choices = [_best(sample, of) for sample, of in zip(samples, known, strict=True)]
    for table in TABLES:
        if not any(one.table == table for choice in choices for one in choice.matches):
            _look_in_rest(choices, table)
    return choices


def _best(sample: Sample, known: Known) -> Choice:
    choice = Choice(sample, known)
    every = [match(sample, table, known) for table in TABLES] if sample.columns else []
    fitting = [one for one in every if one.fits]
    if fitting:
        choice.matches.append(max(fitting, key=lambda one: one.value))
    else:
        near = [one for one in every if len(one.sure) > 1]
        choice.nearest = max(near, key=lambda one: one.value, default=None)
    return choice


def _look_in_rest(choices: Sequence[Choice], table: str) -> None:
    found = []
    for choice in choices:
        if choice.matches:
            used = set().union(*(one.used for one in choice.matches))
            free = set(range(len(choice.sample.columns))) - used
            rest = match(choice.sample, table, choice.known, free)
            if rest.fits and rest.complete and (rest.spread or rest.sure):
                found.append((rest.value, choice, rest))
    if found:
        _, choice, rest = max(found, key=lambda one: one[0])
        choice.matches.append(rest)
