"""The data dictionary, generated from the table classes and the catalogue: ``python -m ...dictionary data``.

The features' lines and the definitions are enough to compute every feature from the tables.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import HOW_WORDS, REASON_GROUPS, Across, Condition, Feature, Series
from relapse_risk.features.definitions import DEFINITIONS
from relapse_risk.records.tables import TABLES

FEATURES_FILE = "feature_dictionary.csv"
DEFINITIONS_FILE = "definition_dictionary.csv"
TABLES_FILE = "table_dictionary.csv"


def feature_dictionary() -> str:
    """Return the features as CSV, a line each, and after them the terms and persons' values that they refer to."""
    header = (
        *("name", "zh", "en", "unit", "table", "value", "where", "each", "by", "scale", "aggregation"),
        *("window_months", "skip_months", "of", "account", "cushion", "across", "conditions", "terms"),
        *("missing", "missing_zh", "missing_en", "feature", "risk_type", "risk_type_zh", "monotone", "codes"),
    )
    features = catalogue()
    names = {feature.name for feature in features}
    terms = {term.name: term for feature in features for _, term in feature.terms if term.name not in names}
    of_all = [*features, *terms.values()]
    conditions = [condition for feature in of_all if feature.across for condition in feature.across.where]
    persons = {condition.value.name: condition.value for condition in conditions}
    rows = [_line(feature, is_feature=True) for feature in features]
    rows += [_line(other, is_feature=False) for other in (*terms.values(), *persons.values())]
    return _csv(header, rows)


def _line(f: Feature, *, is_feature: bool) -> tuple[object, ...]:
    reads = f.table is not None and not f.terms
    window = ("ever" if f.window is None else f.window, f.skip)
    return (
        *(f.name, f.label.zh, f.label.en, f.unit),
        *(_series(f.series) if reads else ("",) * 6),
        *(f.aggregation.value, *(window if reads else ("", ""))),
        *(_in_words(f.of), _in_words(f.account), f"{f.cushion:g}" if f.cushion else ""),
        *_across(f.across),
        " ".join(f"{factor:+.9g} * {term.name}" for factor, term in f.terms),
        *(f.missing.name.lower(), f.missing.value.zh, f.missing.value.en, is_feature),
        *(f.risk_type, REASON_GROUPS[f.risk_type].zh, f.monotone, " ".join(f.codes.values) if f.codes else ""),
    )


def _across(across: Across | None) -> tuple[str, str]:
    if across is None:
        return "", ""
    conditions = [condition_words(one) for one in across.where]
    return HOW_WORDS[across.how], " and ".join(["left too"] * across.with_left + conditions)


def condition_words(one: Condition) -> str:
    """Return what a member must be, as a range of a person's value."""
    low = "" if math.isinf(one.low) else f"{one.low:g} <= "
    high = "" if math.isinf(one.high) else f" < {one.high:g}"
    return f"{low}{one.value.name}{high}"


def _series(s: Series) -> tuple[str, ...]:
    where = " and ".join(f"{column} in ({', '.join(codes)})" for column, codes in s.where)
    each, by = "month" if s.by_month else "row", "person" if s.by_person else "household"
    return s.table, s.value or "1", where, each, by, s.scale.name.lower()


def _in_words(s: Series | None) -> str:
    if s is None:
        return ""
    table, value, where, each, by, scale = _series(s)
    return f"{table}.{value}{f' where {where}' if where else ''} each {each} by {by} scale {scale}"


def definition_dictionary() -> str:
    """Return the words of the feature dictionary as CSV: aggregations, values, scales and the like, a line each."""
    return _csv(("kind", "name", "definition"), DEFINITIONS)


def table_dictionary() -> str:
    """Return the columns of all record tables as CSV, a line each."""
    header = (
        *("table", "column", "zh", "en", "kind", "unit", "codes", "minimum", "maximum"),
        *("may_be_missing", "may_be_absent", "key", "table_required"),
    )
    rows = [
        (
            *(table.name, name, c.zh, c.en, c.kind.value, c.unit, " ".join(c.codes.values) if c.codes else ""),
            *(_number(c.minimum), _number(c.maximum), c.nullable, c.optional, name in table.key, table.required),
        )
        for table in TABLES.values()
        for name, c in table.columns.items()
    ]
    return _csv(header, rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _csv(header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def write(folder: Path) -> None:
    """Write the dictionaries."""
    (folder / FEATURES_FILE).write_text(feature_dictionary(), encoding="utf-8")
    (folder / DEFINITIONS_FILE).write_text(definition_dictionary(), encoding="utf-8")
    (folder / TABLES_FILE).write_text(table_dictionary(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
