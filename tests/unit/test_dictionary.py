"""The data dictionary in data/ describes the tables and features as they are."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from relapse_risk.features import dictionary
from relapse_risk.features.catalogue import catalogue
from relapse_risk.records.tables import TABLES

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize(
    ("file", "made"),
    [
        (dictionary.FEATURES_FILE, dictionary.feature_dictionary),
        (dictionary.DEFINITIONS_FILE, dictionary.definition_dictionary),
        (dictionary.TABLES_FILE, dictionary.table_dictionary),
    ],
)
def test_the_dictionary_is_up_to_date(file: str, made: object) -> None:
    assert callable(made)
    assert (DATA / file).read_text(encoding="utf-8") == made(), "run `make dictionary`"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_word_and_every_term_of_the_feature_dictionary_is_defined() -> None:
    defined = {(row["kind"], row["name"]) for row in rows_of(dictionary.definition_dictionary())}
    lines = rows_of(dictionary.feature_dictionary())
    names = {line["name"]: line for line in lines}
    assert len(names) == len(lines)
    assert sum(line["feature"] == "True" for line in lines) == len(catalogue())
    for line in lines:
        assert ("aggregation", line["aggregation"]) in defined, line
        assert ("missing", line["missing"]) in defined, line
        assert not line["across"] or ("across", line["across"]) in defined, line
        for condition in line["conditions"].replace("left too", "").split(" and "):
            value = next((word for word in condition.split() if word.startswith("person_")), None)
            assert bool(condition) == (value is not None), line
            assert value is None or (names[value]["by"], names[value]["across"]) == ("person", ""), line
        for term in line["terms"].split(" * ")[1:]:
            assert names[term.split(" ")[0]]["table"], line  # a term is computed from a table, not from terms
        if line["table"]:
            assert ("scale", line["scale"]) in defined, line
            column = line["value"] == "1" or line["value"] in TABLES.get(line["table"], TABLES["grids"]).columns
            assert column or ("value", f"{line['table']}.{line['value']}") in defined, line


def test_constants_of_a_feature_are_in_its_line_and_its_label() -> None:
    lines = {line["name"]: line for line in rows_of(dictionary.feature_dictionary())}
    for name in ("net_margin_12m", "balance_gap_12m"):
        assert lines[name]["cushion"] == "0.1"
        assert all("0.1" in lines[name][language] for language in ("zh", "en"))
    assert {name for name, line in lines.items() if line["aggregation"].startswith("distance")} == {
        *(f"net_margin_{w}m" for w in (12, 24)),
        "balance_gap_12m",
    }
