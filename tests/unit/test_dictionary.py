"""The data dictionary in data/ tells of the tables and features as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from relapse_risk.features import dictionary

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize(
    ("file", "made"),
    [
        (dictionary.FEATURES_FILE, dictionary.feature_dictionary),
        (dictionary.TABLES_FILE, dictionary.table_dictionary),
    ],
)
def test_the_dictionary_is_up_to_date(file: str, made: object) -> None:
    assert callable(made)
    assert (DATA / file).read_text(encoding="utf-8") == made(), "run `make dictionary`"
