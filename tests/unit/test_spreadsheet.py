"""Nothing the package writes as CSV is computed by the spreadsheet that opens it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from relapse_risk.scoring.result_files import new_table
from relapse_risk.spreadsheet import harmless


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\ufeff=1", "＝1", "＠x"])
def test_a_formula_becomes_a_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "还行", "a=b", "1-2", "'=1", "[1]"])
def test_other_texts_stay(text: str) -> None:
    assert harmless(text) == text


def test_a_csv_table_holds_no_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "household_id": ["=cmd()", "h2"],
            "probability": [-0.5, 0.25],
            "band": pd.Categorical(["@high", "low"]),
            "note": pd.Series(["+1", None], dtype="object"),
            "reasons": [[{"zh": "=1"}], []],
        }
    )
    with new_table(tmp_path / "out.csv") as write:
        write(frame)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "household_id,probability,band,note,reasons",
        '\'=cmd(),-0.5,\'@high,\'+1,"[{""zh"": ""=1""}]"',
        "h2,0.25,low,,[]",
    ]
    with new_table(tmp_path / "out.parquet") as write:
        write(frame.drop(columns="reasons"))
    assert pd.read_parquet(tmp_path / "out.parquet")["household_id"].tolist() == ["=cmd()", "h2"]
