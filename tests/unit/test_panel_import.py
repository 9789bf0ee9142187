"""The panel's answers become records: what is unknown stays unknown, and money counts only against the line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support.panel import panel_file, quarters

from relapse_risk import Records, build_features, cohort
from relapse_risk.cli import main
from relapse_risk.datasets.eph import import_eph
from relapse_risk.errors import ImportRefused, NotFoundError
from relapse_risk.records.folder import load_records


def records_of(folder: Path, *differing: dict[str, object]) -> Records:
    panel = import_eph([panel_file(folder, *differing)])
    return Records.from_tables(panel.tables, panel.settings)


def test_an_unanswered_income_is_unknown_and_an_answered_zero_is_zero(tmp_path: Path) -> None:
    money = dict.fromkeys(("ITF", "labour_income_main", "pension_income", "non_labour_income"), 0.0)
    records = records_of(tmp_path, {"CODUSU": "unanswered", "PONDIH": 0}, {"CODUSU": "nothing", **money})
    assert set(records.frame("incomes")["household_id"]) == {"nothing-1"}
    assert records.frame("incomes")["amount_yuan"].eq(0.0).all()
    assert records.frame("statuses").set_index("household_id")["poor"].to_dict() == {"nothing-1": True}
    assert records.table("visits").num_rows == 2, "what was seen is kept, income answered or not"


def test_income_is_split_by_source(tmp_path: Path) -> None:
    found = records_of(tmp_path, {"labour_income_other": 1_000.0, "aid_income": 2_000.0}).frame("incomes")
    amounts = {(row.source, row.part): row.amount_yuan for row in found.itertuples()}
    assert amounts == {
        ("wage", "migrant_work"): 20_000.0,
        ("wage", "other"): 1_000.0,
        ("transfer", "pension"): 5_000.0,
        ("transfer", "social_relief"): 2_000.0,
        ("property", "other"): 3_000.0,  # of 10,000 that is not from work
    }


@pytest.mark.parametrize(("income", "poor"), [(11_999.99, True), (12_000.0, False)])
def test_poor_is_below_the_basket_of_all_adult_equivalents(tmp_path: Path, income: float, poor: bool) -> None:
    assert records_of(tmp_path, {"ITF": income}).frame("statuses")["poor"].tolist() == [poor]


def test_a_visit_is_known_after_its_quarter(tmp_path: Path) -> None:
    records = records_of(tmp_path, {"ANO4": 2017, "TRIMESTRE": 1})
    assert records.end == dt.date(2017, 4, 1)
    assert records.visible("2017-03-31").table("visits").num_rows == 0
    assert records.visible("2017-04-01").table("visits").num_rows == 1


def test_aid_becomes_supports(tmp_path: Path) -> None:
    records = records_of(tmp_path, {"V5": 1, "aid_income": 900.0}, {"CODUSU": "goods", "V6": 1})
    found = records.frame("supports").set_index("household_id")
    assert found["kind"].to_dict() == {"AB-1": "comprehensive_security", "goods-1": "social_assistance"}
    assert found["amount_yuan"].fillna(-1.0).to_dict() == {"AB-1": 900.0, "goods-1": -1.0}


def test_looks_take_the_worst_answer_and_leave_out_what_was_not_asked(tmp_path: Path) -> None:
    records = records_of(
        tmp_path,
        {"CODUSU": "a", "IV3": 3, "IV6": 2, "V17": 1},
        {"CODUSU": "b", "n_under_15": 0, "head_health_cover": 9, "IV1": 9, "IV3": 9, "IV4": 9, "IV5": 9},
    )
    looks = ["house", "tap", "cupboard", "children", "health"]
    found = records.frame("visits").set_index("household_id")[looks].astype("float").fillna(-1)
    assert found.T["a-1"].tolist() == [2, 1, 2, 0, 0]
    assert found.T["b-1"].tolist() == [-1, 0, 0, -1, -1]


def test_later_quarters_join_whatever_file_they_come_in(tmp_path: Path) -> None:
    first: dict[str, object] = {"ANO4": 2019, "TRIMESTRE": 1}
    later: dict[str, object] = {"ANO4": 2020, "TRIMESTRE": 4, "basic_total_basket": 9_000.0}
    both = import_eph([panel_file(tmp_path, first, later)])
    apart = import_eph(
        [panel_file(tmp_path, later, name="b.parquet"), panel_file(tmp_path, first, later, name="a.parquet")]
    )
    assert apart.counts["rows repeated"] == 1
    assert all(both.tables[name].equals(apart.tables[name]) for name in both.tables)
    assert apart.settings == both.settings
    assert [(s.since.isoformat(), s.yuan) for s in both.settings.line.steps] == [
        ("2019-01-01", 4_000.0),
        ("2020-10-01", 9_000.0),
    ]


def test_the_settings_fit_the_panel(tmp_path: Path) -> None:
    settings = import_eph([panel_file(tmp_path, {})], 13).settings
    assert settings.cycle.months == 3
    assert settings.outcome.horizon_months == 13
    assert settings.outcome.kind == "panel"
    assert settings.cohort.status_within_months == 3
    assert import_eph([panel_file(tmp_path, {})]).settings.outcome.horizon_months == 4


def test_only_the_ratio_to_the_line_enters_features(tmp_path: Path) -> None:
    money = ["ITF", "basic_total_basket", "labour_income_main", "pension_income", "non_labour_income"]
    visits: list[dict[str, object]] = [
        {"TRIMESTRE": 1},
        {"TRIMESTRE": 2, "labour_income_main": 9_000.0, "ITF": 19_000.0},
    ]
    index = pd.MultiIndex.from_tuples([("AB-1", pd.Timestamp("2017-07-01"))], names=["household_id", "as_of"])
    built = []
    for factor in (1.0, 8.0):
        frame = quarters(*visits)
        frame[money] *= factor
        frame.to_parquet(tmp_path / "p.parquet")
        panel = import_eph([tmp_path / "p.parquet"])
        records = Records.from_tables(panel.tables, panel.settings)
        built.append(build_features(records, index))
    pd.testing.assert_frame_equal(built[0], built[1])
    assert built[0]["net_last"].item() == pytest.approx(19_000 / 12_000)


def test_what_is_wrong_with_a_file_is_stated(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no panel file .*none\.parquet"):
        import_eph([tmp_path / "none.parquet"])
    (tmp_path / "text.parquet").write_text("CODUSU;ANO4")
    with pytest.raises(ImportRefused, match="is not a Parquet file"):
        import_eph([tmp_path / "text.parquet"])
    quarters({}).drop(columns=["ITF", "IV3"]).to_parquet(tmp_path / "short.parquet")
    with pytest.raises(ImportRefused, match=r"lacks ITF, IV3"):
        import_eph([tmp_path / "short.parquet"])
    quarters({"CODUSU": 123}).to_parquet(tmp_path / "number.parquet")
    with pytest.raises(ImportRefused, match="an id is text"):
        import_eph([tmp_path / "number.parquet"])
    with pytest.raises(ImportRefused, match=r"1 household-quarter\(s\) occur again with different answers"):
        import_eph([panel_file(tmp_path, {}, {"ITF": 1.0})])


def test_households_not_interviewed_are_counted_and_left_out(tmp_path: Path) -> None:
    panel = import_eph([panel_file(tmp_path, {}, {"CODUSU": "away", "REALIZADA": 0})])
    assert panel.counts["not interviewed"] == 1
    assert panel.tables["visits"].num_rows == 1


def test_the_cohort_needs_a_status_of_the_last_three_months(tmp_path: Path) -> None:
    poor, fine = {"ITF": 1_000.0}, {"ITF": 50_000.0}
    records = records_of(
        tmp_path,
        {"CODUSU": "left", "TRIMESTRE": 1, **poor},
        {"CODUSU": "left", "TRIMESTRE": 2, **fine},
        {"CODUSU": "silent", "TRIMESTRE": 1, **poor},
        {"CODUSU": "silent", "TRIMESTRE": 2, "PONDIH": 0},
    )
    found = cohort(records, "2017-07-01").get_level_values("household_id")
    assert np.array_equal(found, ["left-1"])


def test_the_command_writes_what_the_import_returns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = panel_file(tmp_path, {"TRIMESTRE": 1}, {"TRIMESTRE": 2}, {"CODUSU": "other"})
    with pytest.raises(SystemExit) as ended:
        main(["import", "eph", str(file), "--out", str(tmp_path / "out"), "--horizon", "13", "--json"])
    assert not ended.value.code
    panel = import_eph([file], 13)
    records = load_records(tmp_path / "out")
    assert records.settings == panel.settings
    assert all(records.table(name).num_rows == table.num_rows for name, table in panel.tables.items())
    found = json.loads(capsys.readouterr().out)
    assert found["end"] == records.end.isoformat()
    assert found["counts"] == panel.counts
    assert found["tables"]["visits"] == 3
