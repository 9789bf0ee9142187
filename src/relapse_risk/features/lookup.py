"""Finding features in the catalogue, and saying in words how one is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from relapse_risk.errors import UsageError
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import HOW_WORDS, REASON_GROUPS, Across, Feature, Series
from relapse_risk.features.definitions import DEFINITIONS
from relapse_risk.features.dictionary import condition_words

if TYPE_CHECKING:
    import pandas as pd

_MEANING = {(kind, name): text for kind, name, text in DEFINITIONS}
_DIRECTIONS = {
    1: "risk never falls as the value rises",
    -1: "risk never rises as the value rises",
    0: "not fixed; the model finds it",
}
#: Fields of a feature that ``describe_feature`` puts in words of their own.
_WORDED = frozenset(
    {
        "name",
        "label",
        "unit",
        "series",
        "aggregation",
        "window",
        "skip",
        "of",
        "missing",
        "risk_type",
        "monotone",
        "codes",
        "account",
        "terms",
        "cushion",
        "across",
    }
)


def find_features(words: str = "", features: Iterable[Feature] | None = None) -> pd.DataFrame:
    """Return the features that have all of some words in their name, texts, table or reason group.

    Parameters
    ----------
    words : str
        Chinese or English, separated by spaces; upper and lower case are alike. Empty: every feature.
    features : iterable of Feature, optional
        The catalogue's otherwise; ``catalogue(records.settings, records.present)`` gives those of some records.

    Returns
    -------
    pandas.DataFrame
        By ``name``: ``zh``, ``en``, ``unit``, ``table``, ``window_months`` (missing: ever), ``risk_type`` and
        ``monotone``, in the order of the catalogue.

    Examples
    --------
    >>> list(find_features("医疗 12个月").index)[:1]
    ['medical_paid_12m']
    """
    import pandas as pd  # noqa: PLC0415

    asked = words.casefold().split()
    found = [f for f in features or catalogue() if all(word in _searched(f) for word in asked)]
    rows = [(f.name, f.label.zh, f.label.en, f.unit, f.table, f.window, f.risk_type, f.monotone) for f in found]
    columns = ["name", "zh", "en", "unit", "table", "window_months", "risk_type", "monotone"]
    return pd.DataFrame(rows, columns=columns).astype({"window_months": "Int64"}).set_index("name")


def _searched(feature: Feature) -> str:
    group = REASON_GROUPS[feature.risk_type]
    texts = (feature.name, feature.label.zh, feature.label.en, feature.series.table, feature.risk_type)
    return " ".join((*texts, group.zh, group.en)).casefold()


def select_features(patterns: str | Sequence[str], features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return the features that patterns name.

    Parameters
    ----------
    patterns : str or sequence of str
        Each a feature's name, with ``*`` for any characters; a table; or a reason group (``illness``).
    features : sequence of Feature
        Where to look.

    Raises
    ------
    UsageError
        If a pattern names no feature.

    Examples
    --------
    >>> [feature.name for feature in select_features("balance_*m", catalogue())][:3]
    ['balance_6m', 'balance_12m', 'balance_24m']
    """
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    chosen: set[str] = set()
    for pattern in patterns:
        named = {
            f.name
            for f in features
            if pattern in f.tables or pattern == f.risk_type or fnmatchcase(f.name, pattern)
        }
        if not named:
            tables = ", ".join(sorted(frozenset[str]().union(*(f.tables for f in features))))
            groups = ", ".join(sorted({f.risk_type for f in features}))
            raise UsageError(
                f"{pattern!r} names no feature. Valid: a feature's name, with * for any characters "
                f"(find_features searches them); a table ({tables}); a reason group ({groups})."
            )
        chosen |= named
    return tuple(f for f in features if f.name in chosen)


def describe_feature(name: str, features: Iterable[Feature] | None = None) -> str:
    """Return in words what a feature is and how it is made, enough to compute it by hand.

    Parameters
    ----------
    name : str
        Its name.
    features : iterable of Feature, optional
        Where to look; the catalogue otherwise. Terms of sums and persons' values in conditions are found too.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    declared = list(features or catalogue())
    terms = [term for feature in declared for _, term in feature.terms]
    of_persons = [one.value for f in [*declared, *terms] if f.across for one in f.across.where]
    feature = next((f for f in [*declared, *terms, *of_persons] if f.name == name), None)
    if feature is None:
        raise UsageError(f"no feature {name!r}; find_features(words) searches the catalogue")
    width = 1 + max(len(key) for key, _ in _lines(feature))
    texts = [f"  {key + ':':{width}} {text}" for key, text in _lines(feature)]
    return "\n".join([feature.name, f"  {feature.label.zh}", f"  {feature.label.en}", *texts])


def _lines(f: Feature) -> list[tuple[str, str]]:
    group = REASON_GROUPS[f.risk_type]
    lines = [("unit", f.unit)]
    if f.terms:
        lines.append(("sum of", " ".join(f"{factor:+.4g} * {term.name}" for factor, term in f.terms)))
    elif f.table is not None:
        window = "everything ever" if f.window is None else f"{f.window} months"
        until = "as_of" if not f.skip else f"{f.skip} months before as_of"
        lines += [("from", _series(f.series)), ("window", f"{window} before {until}")]
    lines.append(("how", f"{f.aggregation.value}: {_MEANING['aggregation', f.aggregation.value]}"))
    lines += _across(f.across)
    lines += [(key, _series(one)) for key, one in (("of", f.of), ("account", f.account)) if one]
    if f.cushion:
        lines.append(("cushion", f"{f.cushion:g}"))
    if f.codes:
        lines.append(("codes", ", ".join(f"{code} {word.zh}" for code, word in f.codes.labels.items())))
    lines += _others(f)
    missing = f.missing.value
    return [
        *lines,
        ("missing", f"{missing.en} ({missing.zh})"),
        ("reason", f"{f.risk_type}: {group.en} ({group.zh})"),
        ("direction", _DIRECTIONS[f.monotone]),
    ]


def _across(across: Across | None) -> list[tuple[str, str]]:
    if across is None:
        return []
    words = HOW_WORDS[across.how]
    lines = [("across", f"{words}: {_MEANING['across', words]}")]
    left = ["those who left too"] if across.with_left else []
    of = " and ".join([*left, *(condition_words(one) for one in across.where)])
    return [*lines, ("members", of)] if of else lines


def _others(feature: Feature) -> list[tuple[str, str]]:
    """Return what else was declared, as it stands."""
    return [
        (one.name, str(getattr(feature, one.name)))
        for one in fields(feature)
        if one.name not in _WORDED and getattr(feature, one.name) != _default(one)
    ]


def _default(one: Any) -> Any:
    return one.default if one.default is not MISSING else None


def _series(s: Series) -> str:
    value = f"{s.table}.{s.value or '1'}"
    meaning = _MEANING.get(("value", value)) if s.value else "each row counts 1"
    where = " and ".join(f"{column} is {' or '.join(codes)}" for column, codes in s.where)
    each = f"a {'calendar month' if s.by_month else 'row'}{' of one person' if s.by_person else ''}"
    scale = f", divided by {_MEANING['scale', s.scale.name.lower()]}" if s.scale else ""
    return "".join(
        [
            value,
            f" ({meaning})" if meaning else "",
            f", where {where}" if where else "",
            f"; one observation is {each}",
            scale,
        ]
    )
