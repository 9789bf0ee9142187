"""What an id is: records, imports and the service agree on every text."""

from __future__ import annotations

import datetime as dt
import json
import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support import ascii as drawn

from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.checks import own_rules
from relapse_risk.datasets.exports.mapping import Block
from relapse_risk.datasets.exports.raw import Location, RawTable
from relapse_risk.datasets.exports.rows import read_block
from relapse_risk.datasets.exports.tablerows import TableRows
from relapse_risk.records import ids
from relapse_risk.records.rules import violations_of_rows
from relapse_risk.records.tables import TABLES
from relapse_serve.refusals import RequestInvalid
from relapse_serve.requests import parse

DAY = dt.date(2021, 3, 1)
#: Texts made of what makes ids go wrong.
AWKWARD = "=+-@'\"＝ \t\r\n\u3000\u200b\ufeff\u202e\0.0eE1a户"
characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from(AWKWARD)
texts = st.text(characters, max_size=8) | st.integers(60, 70).map("x".__mul__)


def in_records(text: str) -> bool:
    table = drawn.table("shocks", "household_id | occurred_on | kind\nh | 2021-03-01 | illness")
    table = table.set_column(0, "household_id", pa.array([text]))
    alone = not violations_of_rows(TABLES["shocks"], table, None)
    suspected = ids.suspected(pa.array([text])).to_pylist()
    assert suspected == [not alone], "Arrow's expressions, for many ids, agree with Python's, for few"
    return alone


def in_an_import(text: str) -> tuple[bool, str | None]:
    """Return whether an export's row comes in, and the id it then has."""
    cells = {"户": Cells.of_objects([text]).blank_where(()), "日": Cells.constant(str(DAY), 1)}
    columns = {"household_id": "户", "occurred_on": "日", "known_on": "日", "kind": {"value": "illness"}}
    block = Block.model_validate({"columns": columns})
    raw = RawTable(Location("x.csv"), cells, np.ones(1, np.int64))
    days = (DAY - dt.date(1970, 1, 1)).days
    rows = TableRows.of_parts(TABLES["shocks"], read_block(TABLES["shocks"], block, raw, days))
    kept, _ = own_rules(rows, drawn.settings())
    read = rows.data["household_id"].to_pylist()
    return bool(kept.data.num_rows), read[0] if read else None


def in_the_service(text: str) -> bool:
    profile = {"occurred_on": str(DAY), "known_on": str(DAY), "grid_id": "g1"}
    household = {"household_id": text, "households": [profile], "visits": [], "incomes": [], "statuses": []}
    body = json.dumps({"as_of": "2022-01-01", "households": [household]}).encode()
    try:
        parse(body, drawn.settings(), ())
    except RequestInvalid:
        return False
    return True


@given(texts)
@example("=HYPERLINK(1)")
@example("h\u200b1")
@example("\u202eh1")
@example("12.0")
@example("１２.０")
@example("1.5E+17")
@example("x" * 64)
@example("x" * 65)
@example("h1\n")
def test_records_imports_and_the_service_agree_on_every_id(text: str) -> None:
    sound = in_records(text)
    assert in_the_service(text) == sound
    assert (ids.rule_broken(text) is None) == sound
    taken, read = in_an_import(text)
    if read is not None:
        assert taken == in_records(read), "an import judges what is left once a spreadsheet's wrapping is off"
    if sound and read == text:
        assert taken


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@x", "＝1", "h1 ", " h1", "\u3000h1", "h\u200b1", "h1\ufeff", "h\u202e1", "h\n1"),
        *("h\0", "\t=1", "h\u20281", "h\ue000", "h\u00ad1", "h\u31641", "x" * 65, "", "12.0", "1.1E+17"),
    ],
)
def test_no_id_is_invisible_in_part_nor_a_formula_nor_a_spreadsheets_number(text: str) -> None:
    assert not in_records(text)
    assert not in_the_service(text)
    assert ids.rule_broken(text) is not None


@pytest.mark.parametrize(
    "text", ["500236-07", "李家湾\u3000七组", "𠮷田", "0012", "x" * 64, "a=b", "12.5", "1e", "é"]
)
def test_ids_that_counties_use_are_sound(text: str) -> None:
    assert in_records(text)
    assert in_the_service(text)
    assert in_an_import(text) == (True, text)


def test_every_control_and_format_character_is_invisible() -> None:
    """The list is of code points, since regular expression engines differ in the Unicode they know."""
    listed = {point for first, last in ids.INVISIBLE for point in range(first, last + 1)}
    hidden = {
        point
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in ("Cc", "Cf", "Zl", "Zp", "Co")
    }
    assert hidden <= listed
    blank = {point for first, last in ids.BLANKS for point in range(first, last + 1)}
    assert {point for point in range(sys.maxunicode + 1) if chr(point).isspace()} <= listed | blank
