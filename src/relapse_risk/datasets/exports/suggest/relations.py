"""What columns are to each other: ids that join sources, ids of a household's own, days that follow each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from relapse_risk.datasets.exports.sources import ExportReader
from relapse_risk.datasets.exports.suggest.lexicon import header_score
from relapse_risk.datasets.exports.suggest.profile import Profile
from relapse_risk.datasets.exports.suggest.sample import Sample
from relapse_risk.errors import ImportRefused

#: From this share of one column's ids found in another on, the two are ids of the same thing.
JOINED = 0.5
#: Ids that must be found in both.
FEWEST_SHARED = 2
#: A file up to this size is read whole for its ids, where its first rows are not all.
MOST_BYTES = 200_000_000

#: A column: the number of its source, and its position there.
At = tuple[int, int]


@dataclass(frozen=True)
class Join:
    """A column that holds ids which other sources hold too.

    Parameters
    ----------
    share : float
        Share of its ids found in the other source that holds most of them.
    sources : int
        Sources that hold such ids.
    """

    share: float
    sources: int


def household_ids(samples: Sequence[Sample], ids: Mapping[At, frozenset[str]]) -> dict[int, tuple[int, Join]]:
    """Return each source's column of household ids, where the sources' ids show it.

    Ids of the same thing are those that overlap. Those of households stand in more sources than any others, and
    under the more likely headers.
    """
    joins, groups = _joined(ids)
    if not groups:
        return {}

    def likeness(at: At) -> float:
        return header_score(samples[at[0]].columns[at[1]].header, "households", "household_id")

    def weight(group: list[At]) -> tuple[float, int]:
        sources = len({source for source, _ in group})
        return sources + 3.0 * float(np.mean([likeness(at) for at in group])), sum(len(ids[at]) for at in group)

    found: dict[int, tuple[int, Join]] = {}
    group = max(groups, key=weight)
    n_sources = len({source for source, _ in group})
    for source, position in sorted(group, key=lambda at: (likeness(at), len(ids[at]), -at[1])):
        found[source] = (position, Join(joins[source, position], n_sources))
    return found


def _joined(ids: Mapping[At, frozenset[str]]) -> tuple[dict[At, float], list[list[At]]]:
    """Return each column's greatest share of ids that another source holds, and groups of columns that overlap."""
    shares: dict[At, float] = defaultdict(float)
    group = {at: {at} for at in ids}
    columns = list(ids)
    for number, one in enumerate(columns):
        for other in columns[number + 1 :]:
            if one[0] == other[0]:
                continue
            shared = len(ids[one] & ids[other])
            if shared < FEWEST_SHARED or shared < JOINED * min(len(ids[one]), len(ids[other])):
                continue
            for at in (one, other):
                shares[at] = max(shares[at], shared / len(ids[at]))
            if group[one] is not group[other]:
                both = group[one] | group[other]
                for at in both:
                    group[at] = both
    return shares, [sorted(of) for of in {id(of): of for of in group.values()}.values() if len(of) > 1]


def source_ids(reader: ExportReader, samples: Sequence[Sample]) -> dict[At, frozenset[str]]:
    """Return the ids of every column that could hold some; all of them, where the file is not too large."""
    found = {}
    for source, sample in enumerate(samples):
        for position, profile in enumerate(sample.columns):
            if profile.is_id and len(profile.texts) >= FEWEST_SHARED:
                found[source, position] = _whole(reader, sample, profile) if sample.cut else profile.values
    return found


def _whole(reader: ExportReader, sample: Sample, profile: Profile) -> frozenset[str]:
    """Return all ids of a column that could be a household's in a source that has a row a household."""
    path = sample.place.path
    if path is None or len(profile.texts) < 0.2 * profile.n_filled or path.stat().st_size > MOST_BYTES:
        return profile.values
    try:
        head = reader.head(sample.place, (profile.header,))
        at = [n for n, name in enumerate(head.names) if name.strip() == profile.header]
        raw = reader.read(sample.place, head, {profile.header: at[0]}, ())
    except ImportRefused:
        return profile.values
    return frozenset(raw.columns[profile.header].texts.to_pylist())


def area_roles(samples: Sequence[Sample], homes: int, households: Mapping[int, int]) -> dict[int, dict[int, str]]:
    """Return columns of grids, villages, townships and workers, by source, where ids show them.

    A source without household ids, of which a column lists ids that come back among the households, lists grids.
    What else it shares with the households is where a grid lies, the finer the village; what it shares with visits
    is who works there.

    Parameters
    ----------
    samples : sequence of Sample
        The sources.
    homes : int
        The source of households.
    households : dict of int to int
        Each source's column of household ids.
    """
    home = samples[homes].columns
    roles: dict[int, dict[int, str]] = defaultdict(dict)
    for source, sample in enumerate(samples):
        if source in households:
            continue
        texts = {p: profile for p, profile in enumerate(sample.columns) if _names_things(profile)}
        shared = {
            position: other
            for position, profile in texts.items()
            for other, of in enumerate(home)
            if other != households.get(homes) and _names_things(of) and _overlap(profile, of)
        }
        order = sorted(shared, key=lambda position: -len(sample.columns[position].texts))
        if not order or not belongs_to(sample.columns[order[0]], sample.columns[order[-1]]):
            continue
        for position, role in zip(order, ("grid_id", "village_id", "township_id"), strict=False):
            roles[source][position] = roles[homes][shared[position]] = role
        for elsewhere, position in _shared_with_visits(samples, texts, shared, {*households} - {homes}):
            roles[source][position] = "worker_id"
            roles[elsewhere[0]][elsewhere[1]] = "worker_id"
    return roles


def _shared_with_visits(
    samples: Sequence[Sample], texts: Mapping[int, Profile], shared: Mapping[int, int], sources: set[int]
) -> list[tuple[At, int]]:
    return [
        ((source, other), position)
        for source in sorted(sources)
        for other, of in enumerate(samples[source].columns)
        for position, profile in texts.items()
        if position not in shared and _names_things(of) and _overlap(profile, of)
    ]


def _names_things(profile: Profile) -> bool:
    """Return whether the texts name things: neither numbers, nor days, nor rows that are merely counted."""
    whole = profile.is_id or not len(profile.numbers)
    return len(profile.texts) >= FEWEST_SHARED and whole and not len(profile.dates) and not profile.running


def _overlap(one: Profile, other: Profile) -> bool:
    shared = len(one.values & other.values)
    return shared >= FEWEST_SHARED and shared >= JOINED * min(len(one.values), len(other.values))


def belongs_to(one: Profile, other: Profile) -> bool:
    """Return whether each id of a column goes with a single id of another, as a person does with a household."""
    both = (one.cells.positions >= 0) & (other.cells.positions >= 0)
    if not both.any():
        return False
    pairs = np.unique(np.stack([one.cells.positions[both], other.cells.positions[both]]), axis=1)
    return bool(pairs.shape[1] <= 1.02 * len(np.unique(pairs[0])))


def one_a_day(one: Profile, days: Profile) -> bool:
    """Return whether an id hardly ever has the same day twice, as a person has one row a month in a ledger."""
    both = (one.cells.positions >= 0) & (days.cells.positions >= 0)
    pairs = np.stack([one.cells.positions[both], days.cells.positions[both]])
    return bool(both.any() and np.unique(pairs, axis=1).shape[1] >= 0.9 * both.sum())


def one_each(codes: Profile, house: Profile, person: Profile) -> bool:
    """Return whether some code is that of one person in nearly every household, and there are several others."""
    rows = [profile.cells.positions for profile in (codes, house, person)]
    filled = np.all([positions >= 0 for positions in rows], axis=0)
    persons = np.unique(np.stack([positions[filled] for positions in rows]), axis=1)
    if len(codes.texts) < 3 or not filled.any():
        return False
    households = len(np.unique(persons[1]))
    for code in range(len(codes.texts)):
        of_code = np.unique(persons[1][persons[0] == code], return_counts=True)[1]
        if (of_code == 1).sum() >= 0.9 * households:
            return True
    return False


def seldom_after(one: Profile, other: Profile) -> bool:
    """Return whether the days of a column hardly ever lie after those of another, and some before."""
    if not len(one.dates) or not len(other.dates):
        return False
    both = np.isfinite(one.dates) & np.isfinite(other.dates)
    if not both.any():
        return False
    late = (one.dates[both] > other.dates[both]).mean()
    return bool(late <= 0.03 and (one.dates[both] < other.dates[both]).any())


def months_apart(household: Profile, dates: Profile) -> int | None:
    """Return the months that mostly lie between a household's dates, None if it has but one, or they vary."""
    filled = dates.dates if len(dates.dates) else dates.years
    both = (household.cells.positions >= 0) & np.isfinite(filled) if len(filled) else np.zeros(0, bool)
    if not both.any():
        return None
    days = filled[both].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    pairs = np.unique(np.stack([household.cells.positions[both].astype(np.int64), days]), axis=1)
    gaps = np.diff(pairs[1])[np.diff(pairs[0]) == 0]
    if not len(gaps):
        return None
    usual = int(np.median(gaps))
    return usual if usual > 0 and (gaps == usual).mean() >= 0.6 else None
