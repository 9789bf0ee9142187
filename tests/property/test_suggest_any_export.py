"""Whatever an export holds, the suggestion is a TOML file that names sources and columns that are there."""

from __future__ import annotations

import csv
import tempfile
import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from relapse_risk.datasets.exports.suggest import suggest_mapping
from relapse_risk.datasets.exports.suggest.lexicon import lexicon

WORDS = sorted({word for table in lexicon().headers.values() for words in table.values() for word in words})
ODD = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)
HEADERS = st.lists(st.one_of(st.sampled_from(WORDS), ODD), min_size=1, max_size=9)
CELLS = st.one_of(
    ODD,
    st.sampled_from(
        ["", "正常", "是", "因病,因残", "2021-03-01", "202103", "44000", "0.35万元", "500236000000000011"]
    ),
    st.integers(-5, 50_000).map(str),
)


@settings(max_examples=60, deadline=None)
@given(st.data(), HEADERS)
def test_any_export_gets_a_valid_suggestion(data: st.DataObject, header: list[str]) -> None:
    row = st.lists(CELLS, min_size=len(header), max_size=len(header))
    rows = data.draw(st.lists(row, max_size=6))
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / "a.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        text = suggest_mapping(folder).text
    for blocks in tomllib.loads(text).get("tables", {}).values():
        for block in blocks if isinstance(blocks, list) else [blocks]:
            assert block["file"] == "a.csv"
            for column in block["columns"].values():
                names = [column] if isinstance(column, str) else column.get("columns", [column.get("column")])
                there = {cell.strip() for line in [header, *rows] for cell in line}
                assert {name for name in names if name is not None} <= there
