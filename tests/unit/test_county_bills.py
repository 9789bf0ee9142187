"""Rows of one export that share a key: bills add up, versions replace each other, contradictions are set aside."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from tests.support import exports

from relapse_risk.cli import main
from relapse_risk.datasets.exports import CountyMapping, Imported
from relapse_risk.datasets.exports.merge import Counts
from relapse_risk.datasets.exports.same_key import SUMS
from relapse_risk.errors import SettingsInvalid
from relapse_risk.records.tables import TABLES

H1, H2 = "500236000000000011", "500236000000000022"
BILLS = ["户编号", "就诊日期", "录入日期", "类别", "单号", "总额", "报销", "自付"]
EXPENSES = {
    "household_id": "户编号",
    "occurred_on": "就诊日期",
    "known_on": "录入日期",
    "kind": "类别",
    "total_yuan": "总额",
    "reimbursed_yuan": "报销",
    "self_paid_yuan": "自付",
}
WORK = ["户编号", "人", "月份", "录入日期", "是否务工", "地点", "工资"]
EMPLOYMENT = {
    "household_id": "户编号",
    "person_id": "人",
    "occurred_on": "月份",
    "known_on": "录入日期",
    "employed": "是否务工",
    "workplace": "地点",
    "wage_yuan": "工资",
}
LATER = dt.date(2023, 8, 31)


def bill(total: str, reimbursed: str = "", paid: str = "", *, known: str = "2023-05-10", no: str = "") -> list[str]:
    return [H1, "2023-05-04", known, "医疗", no, total, reimbursed, paid]


def take(
    tmp_path: Path, rows: exports.Sheet, on: dt.date = exports.EXPORTED_ON, table: str = "expenses", **block: Any
) -> Imported:
    """Import the county with a table of bills (or of the employment ledger) added."""
    header, columns = (BILLS, EXPENSES) if table == "expenses" else (WORK, EMPLOYMENT)
    files = {**exports.county(), "单据": [header, *rows]}
    columns = {**columns, **block.pop("columns", {})}
    data = exports.mapping(
        export={"date": on, "max_reject_share": 1}, **{table: {"file": "单据.csv", "columns": columns, **block}}
    )
    return exports.run(exports.write_csv(tmp_path / f"src-{on}", files), tmp_path / "out", data)


def amounts(done: Imported) -> list[tuple[str, float | None, float | None, float | None]]:
    rows = exports.rows(done, "expenses")
    return [(str(r["known_on"]), r["total_yuan"], r["reimbursed_yuan"], r["self_paid_yuan"]) for r in rows]


def test_two_bills_of_one_day_and_kind_add_up(tmp_path: Path) -> None:
    """Missing amounts add nothing; a column that no bill has stays missing; a repeated row counts once."""
    rows = [bill("300", "200"), bill("50.5"), bill("50.5")]
    done = take(tmp_path, rows)
    assert amounts(done) == [("2023-05-10", 350.5, 200.0, None)]
    assert done.rejects == []
    assert done.counts["expenses"] == Counts(new=1, repeated=1, added=2, sums=1)
    read = next(source for source in done.sources if source.table == "expenses")
    assert (read.read, read.set_aside, read.made) == (3, 0, 3)


def test_a_bill_that_came_in_later_raises_the_total_from_its_own_day_on(tmp_path: Path) -> None:
    rows = [bill("20", known="2023-06-20"), bill("300"), bill("1", known="2023-05-31")]
    done = take(tmp_path, rows)
    assert [row[:2] for row in amounts(done)] == [
        ("2023-05-10", 300.0),
        ("2023-05-31", 301.0),
        ("2023-06-20", 321.0),
    ]
    assert done.counts["expenses"] == Counts(new=3, added=3, sums=3)


def test_a_re_import_compares_the_sums(tmp_path: Path) -> None:
    first = [bill("0.1"), bill("0.2"), bill("0.3")]
    take(tmp_path, first)
    same = take(tmp_path, first[::-1], LATER)
    assert same.counts["expenses"] == Counts(new=0, unchanged=1, added=3, sums=1), "order changes no sum"
    more = take(tmp_path, [*first, bill("5")], dt.date(2023, 9, 30))
    assert more.counts["expenses"] == Counts(new=0, corrected=1, added=4, sums=1)
    assert [row[:2] for row in amounts(more)] == [("2023-05-10", 0.6), ("2023-09-30", 5.6)]


def test_a_bills_number_names_one_bill_and_those_without_add_up_among_themselves(tmp_path: Path) -> None:
    rows = [
        bill("300", no="A1"),
        bill("320", no="A1", known="2023-06-01"),  # corrected
        bill("70", no="A2"),
        bill("9", no="A3"),
        bill("8", no="A3"),  # contradicts
        bill("1"),
        bill("2"),
    ]
    done = take(tmp_path, rows, columns={"bill_id": "单号"})
    held = [(r["bill_id"], str(r["known_on"]), r["total_yuan"]) for r in exports.rows(done, "expenses")]
    assert held == [
        (None, "2023-05-10", 3.0),
        ("A1", "2023-05-10", 300.0),
        ("A1", "2023-06-01", 320.0),
        ("A2", "2023-05-10", 70.0),
    ]
    assert exports.codes(done) == [("expenses", "RR011", [5, 6])]
    assert done.counts["expenses"] == Counts(new=4, added=2, sums=1)


@pytest.mark.parametrize(
    ("rule", "held", "aside"),
    [
        ("sum", [("2023-05-10", 3.0), ("2023-06-01", 7.0)], []),
        ("latest", [("2023-06-01", 4.0)], [("expenses", "RR011", [2, 3])]),
        ("refuse", [], [("expenses", "RR011", [2, 3, 4])]),
    ],
)
def test_the_mapping_says_what_rows_of_one_key_are(
    tmp_path: Path, rule: str, held: list[Any], aside: list[Any]
) -> None:
    done = take(tmp_path, [bill("1"), bill("2"), bill("4", known="2023-06-01")], same_key=rule)
    assert [row[:2] for row in amounts(done)] == held
    assert exports.codes(done) == aside


def test_a_bad_row_does_not_take_its_sound_twin_with_it(tmp_path: Path) -> None:
    """Both were once refused as a key used twice; on the next import the sound one came in as known late."""
    files = exports.county(
        走访=[["v04", H1, "2023-05-09", known, "正常", "否"] for known in ("2023-05-10", "2023-05-08")]
    )
    files["农户"] += [
        ["500236000000000044", "2022-01-01", "2022-01-05", "g1", "一般农户", n, "3", ""] for n in "24"
    ]
    files["监测"] += [[H1, "2023-04-01", "2023-04-02", "是", cause] for cause in ("因病", "因懒")]
    src = exports.write_csv(tmp_path / "src", files)
    done = exports.run(src, tmp_path / "out")
    assert exports.codes(done) == [
        ("households", "RR014", [5]),
        ("visits", "RR009", [6]),  # entered before it took place
        ("statuses", "RR104", [5]),
    ]
    for table in ("households", "visits"):
        assert done.counts[table] == Counts(new=4)
    again = exports.run(src, tmp_path / "out", exports.mapping(export={"date": LATER}))
    assert again.counts["households"] == Counts(new=0, unchanged=4)
    assert sum(c.late for c in again.counts.values()) == 0


def test_a_row_of_nobody_does_not_make_a_sound_profile_a_contradiction(tmp_path: Path) -> None:
    """A profile in a grid that does not exist is no rival of the one in a grid that does."""
    files = exports.county()
    files["农户"].append([*files["农户"][1][:3], "g9", *files["农户"][1][4:]])
    files["网格"] = [["网格编号", "启用日期"], ["g1", "2020-01-01"], ["g2", "2020-01-01"]]
    data = exports.mapping(
        grids={"file": "网格.csv", "columns": {"grid_id": "网格编号", "occurred_on": "启用日期"}}
    )
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)
    assert exports.codes(done) == [("households", "RR012", [5])]
    assert done.records.table("visits").num_rows == 3


def test_contradicting_profiles_set_all_rows_of_the_household_aside(tmp_path: Path) -> None:
    files = exports.county()
    files["农户"].append([*files["农户"][3][:5], "9", "", ""])
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out")
    assert exports.codes(done) == [
        ("households", "RR011", [4, 5]),
        ("visits", "RR017", [4]),
        ("incomes", "RR017", [4]),
    ]


def test_wages_entered_together_add_up_and_a_later_entry_replaces_them(tmp_path: Path) -> None:
    rows = [
        [H1, "p1", "2023年4月", "2023-05-05", "是", "省外", "1200"],
        [H1, "p1", "2023年4月", "2023-05-05", "是", "乡镇内", "2400"],
        [H1, "p1", "2023年4月", "2023-06-05", "是", "省外", "2466"],
        [H1, "p2", "2023年4月", "2023-05-05", "否", "", ""],
    ]
    done = take(tmp_path, rows, table="employment")
    held = [
        (r["person_id"], str(r["known_on"]), r["employed"], r["workplace"], r["wage_yuan"])
        for r in exports.rows(done, "employment")
    ]
    assert held == [
        ("p1", "2023-05-05", True, "township", 3600.0),
        ("p1", "2023-06-05", True, "other_province", 2466.0),
        ("p2", "2023-05-05", False, None, None),
    ]


def test_members_incomes_add_up_unless_they_cover_different_periods(tmp_path: Path) -> None:
    header = [*exports.COUNTY["收入"][0], "核算月数"]
    rows = [
        [H1, "2023-05-31", "2023-06-05", "工资性收入", "1000", ""],
        [H1, "2023-05-31", "2023-06-05", "工资性收入", "2000", "1"],
        [H2, "2023-05-31", "2023-06-05", "工资性收入", "1000", "月"],
        [H2, "2023-05-31", "2023-06-05", "工资性收入", "9000", "年"],
    ]
    files = {**exports.county(), "收入": [header, *rows]}
    data = exports.mapping(incomes__months="核算月数")
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)
    held = exports.rows(done, "incomes")
    assert [(r["household_id"], r["amount_yuan"], r["months"] or 1) for r in held] == [(H1, 3000.0, 1)]
    assert exports.codes(done) == [("incomes", "RR109", [4, 5])]
    assert done.rejects[0].column == "核算月数"


def test_a_sum_too_large_is_set_aside_with_all_of_its_parts(tmp_path: Path) -> None:
    done = take(tmp_path, [bill("6e11"), bill("5e11"), bill("1", known="2023-06-01")])
    assert exports.codes(done) == [("expenses", "RR008", [2, 3, 4])]


def test_a_corrected_sum_that_cannot_be_dated_sets_all_of_its_parts_aside(tmp_path: Path) -> None:
    known = str(exports.EXPORTED_ON)
    rows = [bill("1", known=known), bill("2", known=known)]
    take(tmp_path, rows)
    done = take(tmp_path, [*rows, bill("4")])
    assert exports.codes(done) == [("expenses", "RR108", [2, 3, 4])]
    assert done.counts["expenses"] == Counts(new=0, kept=1)
    assert amounts(done) == [(known, 3.0, None, None)]


def test_the_summary_counts_rows_added_up_and_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {**exports.county(), "单据": [BILLS, bill("1"), bill("2"), bill("2"), bill("x")]}
    src = exports.write_csv(tmp_path / "src", files)
    data = exports.mapping(expenses={"file": "单据.csv", "columns": EXPENSES})
    file = tmp_path / "mapping.toml"
    file.write_text(tomli_w.dumps(data), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["import", "county", str(src), "--mapping", str(file), "--out", str(tmp_path / "out"), "--json"])
    assert ended.value.code == 0
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    table = summary["tables"]["expenses"]
    assert {k: table[k] for k in ("repeated", "added", "sums", "new", "rows")} == {
        "repeated": 1,
        "added": 2,
        "sums": 1,
        "new": 1,
        "rows": 1,
    }
    source = next(s for s in summary["sources"] if s["table"] == "expenses")
    assert (source["read"], source["set_aside"], source["made"]) == (4, 1, 3)
    assert "2 → 1" in printed.err
    assert "repeated 重复" in printed.err


def test_unknown_codes_are_reported_with_what_is_valid_and_their_texts_in_the_rejects_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visits = [[f"v1{n}", H1, "2023-05-09", "2023-05-10", text, "否"] for n, text in enumerate(["还行", "=还行"])]
    visits.append(["v19", H1, "2023-05-09", "2023-05-10", "正常", "说不清"])
    src = exports.write_csv(tmp_path / "src", exports.county(走访=visits))
    file = tmp_path / "mapping.toml"
    file.write_text(tomli_w.dumps(exports.mapping()), encoding="utf-8")
    arguments = ["import", "county", str(src), "--mapping", str(file), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit):
        main(arguments)
    printed = capsys.readouterr()
    output = printed.out + printed.err
    assert "走访.csv, column 看院子: 2 row(s) hold a text that stands for no code. Valid: 0, 1, 2." in printed.err
    assert (
        "走访.csv, column 发现线索: 1 row(s) hold a text that stands for no code. Valid: true, false."
        in printed.err
    )
    assert "还行" not in output
    assert "说不清" not in output
    text = (tmp_path / "out" / "rejects" / "visits.csv").read_text(encoding="utf-8-sig")
    assert [(row["row"], row["text"]) for row in csv.DictReader(text.splitlines())] == [
        ("5", "还行"),
        ("6", "'=还行"),
        ("7", "说不清"),
    ]
    with pytest.raises(SystemExit):
        main([*arguments[:-1], str(tmp_path / "none"), "--max-rejects", "0.1"])
    printed = capsys.readouterr()
    assert "看院子: RR104" in printed.err
    assert "Valid: 0, 1, 2" in printed.err
    assert "还行" not in printed.err


def test_ids_and_other_cells_are_not_in_the_rejects(tmp_path: Path) -> None:
    rows = [["v=1", H1, "五月", "2023-05-10", "正常", "否"], ["@1", H1, "2023-05-09", "2023-05-10", "正常", "否"]]
    exports.run(exports.write_csv(tmp_path / "src", exports.county(走访=rows)), tmp_path / "out")
    text = (tmp_path / "out" / "rejects" / "visits.csv").read_text(encoding="utf-8-sig")
    assert [(row["code"], row["text"]) for row in csv.DictReader(text.splitlines())] == [
        ("RR101", ""),
        ("RR018", ""),
    ]


def test_a_table_that_adds_up_says_how_for_each_of_its_columns() -> None:
    """A column that is of none of these would be one part's by chance."""
    of_the_main_job = {
        *("workplace", "industry", "work_status", "contract", "channel", "distance_km", "started_on", "ended_on"),
        *("months_worked", "hours_week", "seeking_since"),
    }
    main_job = {"employment": of_the_main_job}
    for name, how in SUMS.items():
        columns = {
            *TABLES[name].key,
            "known_on",
            *how.added,
            *how.agree,
            *how.any_of,
            *main_job.get(name, set()),
        }
        assert columns == set(TABLES[name].columns), name


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("visits", {"same_key": "sum"}, "tables.visits.same_key: rows of visits hold nothing that adds up"),
        ("visits", {"same_key": "first"}, "same_key: Input should be 'sum', 'sum_of_day', 'latest' or 'refuse'"),
        ("visits", {"row_months": 1}, "tables.visits.row_months: no unit here is per month or year, and visits"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(tmp_path: Path, table: str, change: dict[str, Any], said: str) -> None:
    data = exports.mapping()
    data["tables"][table] |= change
    file = tmp_path / "mapping.toml"
    file.write_text(tomli_w.dumps(data), encoding="utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        CountyMapping.load(file)
    assert said in str(caught.value)
