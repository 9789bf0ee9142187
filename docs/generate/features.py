"""The features' page: every feature as the data dictionary has it, and what the dictionary's words mean."""

from __future__ import annotations

import csv
import io
from itertools import groupby

from docs.generate.markdown import cell, code, table
from relapse_risk.features.dictionary import definition_dictionary, feature_dictionary

_INTRO = """\
# Features

{n} features, declared once each: what is computed, what reasons say and which direction is certain
all come from the declaration. `data/feature_dictionary.csv` holds the same with every parameter, enough to
compute each feature anew. Risk: the direction in which risk must go as the value rises, where the field is sure
of one. Money is in lines: a month's amount over the household's monitoring line of a month.
"""
_DIRECTIONS = {"1": "rises", "-1": "falls", "0": ""}


def lines() -> list[dict[str, str]]:
    """Return the lines of the feature dictionary."""
    return _read(feature_dictionary())


def words() -> list[dict[str, str]]:
    """Return the lines of the definition dictionary."""
    return _read(definition_dictionary())


def _read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def page() -> str:
    """Return the page."""
    features = [line for line in lines() if line["feature"] == "True"]
    terms = [line for line in lines() if line["feature"] != "True"]
    parts = [
        _INTRO.format(n=len(features)),
    ]
    for source, group in groupby(sorted(features, key=lambda line: line["table"] or "~"), lambda f: f["table"]):
        parts += [f"## {f'From {source}' if source else 'From several sources'}\n", _rows(list(group))]
    if terms:
        parts += ["## Terms\n", "No features themselves: some features are sums of them.\n", _rows(terms)]
    parts.append("## Words\n")
    for kind, group in groupby(words(), lambda word: word["kind"]):
        rows = [(code(word["name"]), cell(word["definition"])) for word in group]
        parts += [f"### Words: {kind}\n", table(("word", "definition"), rows)]
    return "\n".join(parts)


def _rows(of: list[dict[str, str]]) -> str:
    rows = [
        (
            code(line["name"]),
            f"{cell(line['zh'])}<br>{cell(line['en'])}",
            f"{cell(_how(line))}<br>{cell(line['unit'])}",
            cell(line["risk_type"]),
            _DIRECTIONS[line["monotone"]],
            cell(line["missing"]),
        )
        for line in of
    ]
    return table(("feature", "meaning", "computed, unit", "reason group", "risk", "missing"), rows)


def _how(line: dict[str, str]) -> str:
    window = line["window_months"]
    return (
        f"{line['aggregation']}, {window}{'' if window == 'ever' else ' months'}" if window else line["aggregation"]
    )
