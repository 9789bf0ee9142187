"""An updated export brings the records up to date, and no score of a past day changes."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.support import exports
from tests.support.small import Small, pairs

from relapse_risk import build_features, cohort, load_model
from relapse_risk.datasets.county.simulate import write_county
from relapse_risk.datasets.exports import CountyMapping, Imported, import_county
from relapse_risk.datasets.exports.merge import Counts
from relapse_risk.errors import ImportRefused, OutputExists
from relapse_risk.model.bundle import Bundle
from relapse_risk.records.folder import load_records
from relapse_risk.settings import Settings

LATER = dt.date(2023, 8, 31)
H1, H2, H3 = (f"5002360000000000{n}{n}" for n in (1, 2, 3))


def reimport(
    tmp_path: Path, files: dict[str, exports.Sheet], on: dt.date = LATER, same_key: dict[str, str] | None = None
) -> Imported:
    """Import the county, then the files on top of it."""
    if not (tmp_path / "out").exists():
        exports.run(exports.write_csv(tmp_path / "first", exports.county()), tmp_path / "out")
    data = exports.mapping(export={"date": on})
    for table, rule in (same_key or {}).items():
        data["tables"][table]["same_key"] = rule
    return exports.run(exports.write_csv(tmp_path / f"{on}", files), tmp_path / "out", data)


def versions(done: Imported, table: str, column: str) -> list[tuple[str, str, Any]]:
    """Return what is held: household, day known and one value."""
    rows = done.records.table(table).to_pylist()
    return [(row["household_id"][-2:], str(row["known_on"]), row[column]) for row in rows]


@pytest.mark.parametrize("foreign", ["notes.txt", "models/a/bundle.json", ".git/config"])
def test_files_that_others_put_beside_the_records_are_never_lost(tmp_path: Path, foreign: str) -> None:
    reimport(tmp_path, exports.county())
    file = tmp_path / "out" / foreign
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    named = re.escape(foreign.split("/", 1)[0])
    with pytest.raises(OutputExists, match=rf"not its own: {named}\. Move it elsewhere"):
        reimport(tmp_path, exports.county(), LATER + dt.timedelta(days=30))
    assert file.read_text() == "mine"


def test_real_households_do_not_join_simulated_ones(tmp_path: Path) -> None:
    write_county(tmp_path / "out", tmp_path / "truth", 20, 6)
    before = {path.name for path in (tmp_path / "out").iterdir()}
    with pytest.raises(ImportRefused, match="holds a simulated county"):
        reimport(tmp_path, exports.county())
    assert {path.name for path in (tmp_path / "out").iterdir()} == before


def test_the_same_export_again_adds_nothing(tmp_path: Path) -> None:
    first = exports.run(exports.write_csv(tmp_path / "first", exports.county()), tmp_path / "out").records
    for on in (exports.EXPORTED_ON, LATER):
        again = reimport(tmp_path, exports.county(), on)
        assert exports.same(again.records, first)
        assert again.counts["visits"] == Counts(new=0, unchanged=3)
        assert again.records.end == on + dt.timedelta(days=1)


def test_a_changed_value_is_a_new_version_known_from_the_export_on(tmp_path: Path) -> None:
    files = exports.county()
    files["收入"][1][4] = "2700"
    done = reimport(tmp_path, files)
    assert versions(done, "incomes", "amount_yuan") == [
        ("11", "2023-05-10", 2500.5),
        ("11", "2023-08-31", 2700.0),
        ("22", "2023-06-05", 380.0),
        ("33", "2023-06-05", 12000.0),
    ]
    assert done.counts["incomes"] == Counts(new=0, corrected=1, unchanged=2)
    # and back again, which is a third version
    back = reimport(tmp_path, exports.county(), dt.date(2023, 10, 31))
    assert [row[1:] for row in versions(back, "incomes", "amount_yuan")[:3]] == [
        ("2023-05-10", 2500.5),
        ("2023-08-31", 2700.0),
        ("2023-10-31", 2500.5),
    ]


def test_what_the_export_lacks_is_kept_and_what_it_adds_was_not_known_before(tmp_path: Path) -> None:
    files = exports.county(
        走访=[
            ["v04", H1, "2023-07-05", "2023-07-06", "正常", "否"],
            ["v05", H1, "2023-06-20", "2023-06-21", "正常", "否"],  # entered then, but not exported then
        ]
    )
    del files["走访"][1]
    done = reimport(tmp_path, files)
    assert versions(done, "visits", "visit_id") == [
        ("11", "2023-05-02", "v01"),
        ("11", "2023-07-01", "v05"),
        ("11", "2023-07-06", "v04"),
        ("22", "2023-05-03", "v02"),
        ("33", "2023-06-01", "v03"),
    ]
    assert done.counts["visits"] == Counts(new=2, late=1, unchanged=2, kept=1)


def test_of_several_late_versions_the_last_is_kept(tmp_path: Path) -> None:
    row = ["500236000000000011", "2023-05-15", "2023-05-16", "财产性收入", "1"]
    files = exports.county(收入=[[*row[:2], "2023-05-18", row[3], "3"], row, [*row[:2], "2023-05-17", row[3], "2"]])
    done = reimport(tmp_path, files, same_key={"incomes": "latest"})
    assert ("11", "2023-07-01", 3.0) in versions(done, "incomes", "amount_yuan")
    assert done.counts["incomes"] == Counts(new=1, late=1, unchanged=5)


def test_a_correction_on_the_day_of_what_it_corrects_is_set_aside(tmp_path: Path) -> None:
    files = exports.county(收入=[[H1, "2023-06-30", "2023-06-30", "工资性收入", "10"]])
    exports.run(exports.write_csv(tmp_path / "first", files), tmp_path / "out")
    files["收入"][-1][4] = "20"
    done = reimport(tmp_path, files, exports.EXPORTED_ON)
    assert exports.codes(done) == [("incomes", "RR108", [5])]
    assert ("11", "2023-06-30", 10.0) in versions(done, "incomes", "amount_yuan")
    later = reimport(tmp_path, files, dt.date(2023, 7, 1))
    assert ("11", "2023-07-01", 20.0) in versions(later, "incomes", "amount_yuan")


def test_corrected_rejects_are_imported_on_the_same_day(tmp_path: Path) -> None:
    files = exports.county(走访=[["v04", H1, "6月1日", "2023-06-02", "正常", "否"]])
    exports.run(exports.write_csv(tmp_path / "first", files), tmp_path / "out")
    assert (tmp_path / "out" / "rejects" / "visits.csv").is_file()
    files["走访"][-1][2] = "2023年6月1日"
    done = reimport(tmp_path, files, exports.EXPORTED_ON)
    assert ("11", "2023-06-30", "v04") in versions(done, "visits", "visit_id")
    assert not (tmp_path / "out" / "rejects").exists(), "the rejects are this import's"


def test_an_older_export_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    reimport(tmp_path, exports.county())
    held = {p: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    with pytest.raises(
        ImportRefused, match="already covers the days before 2023-09-01; import exports in the order"
    ):
        reimport(tmp_path, exports.county(), dt.date(2023, 7, 31))
    assert held == {p: p.read_bytes() for p in (tmp_path / "out").iterdir()}


def test_profiles_held_vouch_for_new_rows_and_tables_not_exported_stay(tmp_path: Path) -> None:
    files = exports.county()
    del files["农户"][1:3]
    files["农户"][1][5] = "5"
    done = reimport(tmp_path, files)
    assert done.rejects == []
    assert done.counts["households"] == Counts(new=0, corrected=1, kept=2)
    grids = {**files, "网格": [["网格编号", "启用日期"], ["g1", "2020-01-01"]]}
    columns = {"grid_id": "网格编号", "occurred_on": "启用日期"}
    data = exports.mapping(grids={"file": "网格.csv", "columns": columns}, export={"date": dt.date(2023, 9, 30)})
    src = exports.write_csv(tmp_path / "grids", grids)
    with pytest.raises(ImportRefused, match=r"rows already held would break a rule: \[RR012\] households.grid_id"):
        exports.run(src, tmp_path / "out", data)
    grids["网格"].append(["g2", "2020-01-01"])
    exports.run(exports.write_csv(tmp_path / "both", grids), tmp_path / "out", data)
    done = reimport(tmp_path, files, dt.date(2023, 10, 31))
    assert done.records.table("grids").num_rows == 2
    assert "grids" not in done.counts


def test_settings_edited_in_the_folder_stay(tmp_path: Path) -> None:
    reimport(tmp_path, exports.county())
    file = tmp_path / "out" / "relapse.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("horizon_months = 6", "horizon_months = 4"), "utf-8")
    done = reimport(tmp_path, exports.county(), dt.date(2023, 9, 30))
    assert (done.records.settings.outcome.horizon_months, done.kept_settings) == (4, False)
    data = exports.mapping(
        export={"date": dt.date(2023, 10, 31)}, settings=Settings().model_dump(exclude_none=True)
    )
    done = exports.run(tmp_path / str(LATER), tmp_path / "out", data)
    assert (done.records.settings.outcome.horizon_months, done.kept_settings) == (4, True)
    assert str(done.records.settings.data.end) == "2023-11-01"


def _features(out: Path, days: list[str]) -> pd.DataFrame:
    records = load_records(out)
    return build_features(records, cohort(records, days, purpose="train"))


def _scores(out: Path, bundle: Bundle, days: list[str]) -> pd.DataFrame:
    records = load_records(out)
    return pd.concat([bundle.score(records, as_of=day) for day in days])


def test_no_feature_nor_score_of_a_past_day_changes_with_an_updated_export(small: Small, tmp_path: Path) -> None:
    """Every row of the first export is changed, some go, some come late: what was known before stays byte-equal."""
    county = Path(__file__).resolve().parents[2] / "data" / "sample"
    later = shutil.copytree(county, tmp_path / "later")
    mapping = CountyMapping.load(county / "mapping.toml")
    import_county(str(county), mapping, tmp_path / "out")
    days = ["2021-03-01", "2022-01-01", "2022-06-30", "2022-07-01"]
    before = _features(tmp_path / "out", days)
    bundle = load_model(small.folder)
    scored = _scores(tmp_path / "out", bundle, days)

    visits = (later / "入户走访.csv").read_text("gb18030").splitlines()
    visits = [visits[0], *(line.replace("正常", "严重") for line in visits[1::2])]
    visits.append(visits[9].replace(visits[9].split(",")[0], "late"))
    (later / "入户走访.csv").write_text("\n".join(visits), "gb18030")
    profiles = (later / "农户基本信息.csv").read_text("gb18030").replace("A级", "D级")
    (later / "农户基本信息.csv").write_text(profiles, "gb18030")
    statuses = (later / "监测对象.csv").read_text("gb18030").replace("因病", "因残")
    (later / "监测对象.csv").write_text(statuses, "gb18030")
    done = import_county(str(later), mapping, tmp_path / "out", exported_on=dt.date(2022, 8, 31))
    counts = done.counts
    assert min(counts["visits"].corrected, counts["visits"].kept, counts["visits"].late) > 0
    assert min(counts["households"].corrected, counts["statuses"].corrected) > 0

    after = _features(tmp_path / "out", days)
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    assert before.select_dtypes("number").to_numpy().tobytes() == after.select_dtypes("number").to_numpy().tobytes()
    pd.testing.assert_frame_equal(scored, _scores(tmp_path / "out", bundle, days), check_exact=True)
    assert len(scored) > 100
    assert not _features(tmp_path / "out", ["2022-09-01"]).empty
    ids = cohort(load_records(tmp_path / "out"), ["2022-07-01"], purpose="train").get_level_values("household_id")
    now = build_features(load_records(tmp_path / "out"), pairs(ids.tolist(), dt.date(2022, 9, 1)))
    old = before.xs(pd.Timestamp("2022-07-01"), level="as_of")
    assert (now.droplevel("as_of")["housing_grade"].astype(str) != old["housing_grade"].astype(str)).any()
