"""Wide rows are whole accounts, of whatever period; what ended later was not known before."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from tests.support import ascii as drawn
from tests.support import exports

from relapse_risk import build_features
from relapse_risk.datasets.exports import CountyMapping, Imported
from relapse_risk.datasets.exports.merge import Counts
from relapse_risk.errors import SettingsInvalid

H1, H2, H3 = (f"5002360000000000{n}{n}" for n in (1, 2, 3))
FORM = ["户编号", "截止日期", "工资", "转移", "成本"]
SOURCES = {"工资": {"source": "wage"}, "转移": {"source": "transfer"}, "成本": {"source": "production_cost"}}


def form(*rows: list[str], spread: dict[str, Any] | None = None, **block: Any) -> tuple[dict[str, Any], Any]:
    """Return the county's files and mapping with incomes as wide rows."""
    files = {**exports.county(), "收入": [[*FORM], *rows]}
    columns = {"household_id": "户编号", "occurred_on": "截止日期", **block.pop("columns", {})}
    how = {"into": "amount_yuan", "columns": SOURCES, **(spread or {})}
    data = exports.mapping(
        export={"max_reject_share": 1},
        incomes={"file": "收入.csv", "columns": columns, "spread": how, **block},
    )
    return files, data


def take(tmp_path: Path, files: dict[str, Any], data: dict[str, Any]) -> Imported:
    return exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)


def incomes(done: Imported) -> list[tuple[str, str, float, int | None]]:
    rows = exports.rows(done, "incomes")
    return [(r["household_id"][-2:], r["source"], r["amount_yuan"], r["months"]) for r in rows]


GOOD = [H1, "2023-05-31", "2000", "300", "50"]


@pytest.mark.parametrize(
    ("bad", "code", "column"),
    [
        ([H2, "2023-05-31", "约两千", "300", "50"], "RR102", "工资"),  # the wage cannot be read
        ([H2, "2023-05-31", "2000斤", "300", "50"], "RR103", "工资"),  # nor its unit
        ([H2, "五月", "2000", "300", ""], "RR101", "截止日期"),  # nor the date
        ([H2, "2023-05-31", "2000", "300", "-50"], "RR008", "成本"),  # a cost below nothing
        ([H2, "2023-05-31", "2e12", "300", "50"], "RR008", "工资"),
        ([f"{H2}9", "2023-05-31", "2000", "300", "50"], "RR017", "户编号"),
        ([H2, "1999-05-31", "2000", "300", "50"], "RR015", "截止日期"),
    ],
)
def test_a_wide_row_is_one_account(tmp_path: Path, bad: list[str], code: str, column: str) -> None:
    """What is left of an account without a cell would make the household look poor, or rich."""
    done = take(tmp_path, *form(GOOD, bad))
    assert exports.codes(done) == [("incomes", code, [3])]
    assert done.rejects[0].column == column
    assert [row[:3] for row in incomes(done)] == [
        ("11", "production_cost", 50.0),
        ("11", "transfer", 300.0),
        ("11", "wage", 2000.0),
    ]
    read = next(s for s in done.sources if s.table == "incomes")
    assert (read.read, read.set_aside, read.made) == (2, 1, 3)


def test_an_account_that_two_blocks_read_is_set_aside_whole(tmp_path: Path) -> None:
    """Costs are in another unit, so in a block of their own: they belong to the same account."""
    files, data = form(GOOD, [H2, "2023-05-31", "2000", "300", "多"])
    block = data["tables"]["incomes"]
    costs = {**block["spread"], "columns": {"成本": {"source": "production_cost"}}, "unit": "百元"}
    rest = {**block["spread"], "columns": {name: SOURCES[name] for name in ("工资", "转移")}}
    data["tables"]["incomes"] = [{**block, "spread": rest}, {**block, "spread": costs}]
    done = take(tmp_path, files, data)
    assert exports.codes(done) == [("incomes", "RR102", [3])]
    assert [row[1:3] for row in incomes(done)] == [
        ("production_cost", 5000.0),
        ("transfer", 300.0),
        ("wage", 2000.0),
    ]


def test_an_account_that_two_blocks_date_is_set_aside_whole(tmp_path: Path) -> None:
    """Costs are dated by themselves, before any monitoring line held."""
    files, data = form([*GOOD], [H2, "2023-05-31", "2000", "300", "50"])
    for row, day in zip(files["收入"], ("成本日期", "2023-03-31", "1999-03-31"), strict=True):
        row.append(day)
    block = data["tables"]["incomes"]
    costs = {**block["spread"], "columns": {"成本": SOURCES["成本"]}}
    rest = {**block["spread"], "columns": {name: SOURCES[name] for name in ("工资", "转移")}}
    dated = {**block["columns"], "occurred_on": "成本日期"}
    data["tables"]["incomes"] = [{**block, "spread": rest}, {**block, "columns": dated, "spread": costs}]
    done = take(tmp_path, files, data)
    assert exports.codes(done) == [("incomes", "RR015", [3])]
    assert {row[0] for row in incomes(done)} == {"11"}


def test_contradicting_accounts_are_set_aside_whole_where_the_mapping_asks_for_the_latest(tmp_path: Path) -> None:
    other = [H1, "2023-05-31", "2100", "300", "50"]
    files, data = form(GOOD, other, same_key="latest")
    done = take(tmp_path, files, data)
    assert exports.codes(done) == [("incomes", "RR011", [2, 3])]
    assert incomes(done) == []
    part = [H1, "2023-05-31", "2000", "", ""]  # says less, and nothing else
    files, data = form(GOOD, part, same_key="latest")
    done = take(tmp_path / "part", files, data)
    assert done.rejects == []
    assert done.counts["incomes"] == Counts(new=3, repeated=1)


def test_accounts_of_one_household_add_up_and_a_repeated_one_counts_once(tmp_path: Path) -> None:
    """Two members' accounts have the same transfer: the second is not a repetition of the first."""
    other = [H1, "2023-05-31", "2100", "300", ""]
    done = take(tmp_path, *form(GOOD, other, other))
    assert [row[:3] for row in incomes(done)] == [
        ("11", "production_cost", 50.0),
        ("11", "transfer", 600.0),
        ("11", "wage", 4100.0),
    ]
    assert done.counts["incomes"] == Counts(new=3, repeated=2, added=4, sums=2)


def test_a_form_that_leaves_zero_blank_says_so(tmp_path: Path) -> None:
    rows = [[H1, "2023-05-31", "2000", "", ""], [H2, "2023-05-31", "", "", ""]]
    done = take(tmp_path, *form(*rows))
    assert [row[:3] for row in incomes(done)] == [("11", "wage", 2000.0)]
    read = next(s for s in done.sources if s.table == "incomes")
    assert (read.read, read.blank, read.made) == (1, 1, 1)
    done = take(tmp_path / "zero", *form(*rows, spread={"blank": 0}))
    assert [row[:3] for row in incomes(done)] == [
        ("11", "production_cost", 0.0),
        ("11", "transfer", 0.0),
        ("11", "wage", 2000.0),
    ]
    read = next(s for s in done.sources if s.table == "incomes")
    assert (read.read, read.blank, read.made) == (1, 1, 3), "a form that nobody filled in is no account of nothing"


def test_an_account_covers_its_period(tmp_path: Path) -> None:
    """A rate of 12 months is their amount, and the 12 months are kept; an amount in yuan is the period's."""
    done = take(tmp_path, *form(GOOD, spread={"unit": "元/月"}, row_months=12))
    assert incomes(done)[2] == ("11", "wage", 24000.0, 12)
    done = take(tmp_path / "half", *form(GOOD, spread={"unit": "元"}, row_months=6))
    assert incomes(done)[2] == ("11", "wage", 2000.0, 6)
    done = take(tmp_path / "none", *form(GOOD))
    assert incomes(done)[2] == ("11", "wage", 2000.0, None)


def test_a_row_can_state_its_own_period(tmp_path: Path) -> None:
    header = [*exports.COUNTY["收入"][0], "周期"]
    day = ["2023-05-31", "2023-06-05", "工资性收入", "100"]
    cells = ["季度", "12个月", "半年", "", "两个月"]
    rows = [[H1, f"2023-0{n}-01", *day[1:], cell] for n, cell in enumerate(cells, 1)]
    files = {**exports.county(), "收入": [header, *rows]}
    unit = {"column": "金额", "unit": "元/月"}
    data = exports.mapping(export={"max_reject_share": 1}, incomes__months="周期", incomes__amount_yuan=unit)
    done = take(tmp_path, files, data)
    assert [row[2:] for row in incomes(done)] == [(300.0, 3), (1200.0, 12), (600.0, 6), (100.0, None)]
    assert exports.codes(done) == [("incomes", "RR102", [6])]
    data["tables"]["incomes"]["row_months"] = 2  # for cells that are blank
    done = take(tmp_path / "blank", files, data)
    assert incomes(done)[3][2:] == (200.0, 2)


def test_each_column_of_a_form_can_have_its_own_period(tmp_path: Path) -> None:
    sources = {"工资": {"source": "wage", "months": "1"}, "转移": {"source": "transfer", "months": "12"}}
    done = take(tmp_path, *form(GOOD, spread={"columns": sources, "unit": "元/年"}))
    amounts = [(source, round(yuan, 3), months) for _, source, yuan, months in incomes(done)]
    assert amounts == [("transfer", 300.0, 12), ("wage", 166.667, 1)]


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("visits", {"row_months": 12}, "visits.row_months: no unit here is per month or year"),
        ("statuses", {"row_months": 12}, "statuses.row_months: no unit here"),
        ("incomes", {"row_months": 12, "columns": {"months": {"value": 3}}}, "every row has its own months"),
        ("employment", {"row_months": 12}, "employment.row_months: a row of employment is a month; leave it out"),
        ("employment", {"row_months": 1}, "employment.row_months: no unit here is per month or year"),
        ("expenses", {"row_months": 12}, "expenses.row_months: no unit here is per month or year"),
        ("incomes", {"columns": {"amount_yuan": {"column": "金额", "unit": "元/年"}}}, "is a rate; say row_months"),
        ("incomes", {"spread": {"into": "amount_yuan", "columns": SOURCES, "blank": "无"}}, "'无' is no amount"),
    ],
)
def test_a_period_without_effect_or_missing_is_refused(
    tmp_path: Path, table: str, change: dict[str, Any], said: str
) -> None:
    day = {"household_id": "户编号", "occurred_on": "日", "known_on": "日"}
    data = exports.mapping(
        employment={"file": "工.csv", "columns": {**day, "person_id": "人", "employed": "务工", "wage_yuan": "资"}},
        expenses={"file": "支.csv", "columns": {**day, "kind": "类", "total_yuan": "额"}},
    )
    columns = change.pop("columns", {})
    data["tables"][table] |= change
    data["tables"][table]["columns"] |= columns
    file = tmp_path / "mapping.toml"
    file.write_text(tomli_w.dumps(data), encoding="utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        CountyMapping.load(file)
    assert said in str(caught.value)


def test_a_yearly_wage_in_the_ledger_is_a_twelfth_a_month(tmp_path: Path) -> None:
    files = {
        **exports.county(),
        "工": [["户编号", "日", "人", "务工", "资"], [H1, "2023年5月", "p1", "是", "36000"]],
    }
    columns = {"household_id": "户编号", "occurred_on": "日", "person_id": "人", "employed": "务工"}
    wage = {"column": "资", "unit": "元/年"}
    data = exports.mapping(employment={"file": "工.csv", "columns": {**columns, "wage_yuan": wage}})
    assert take(tmp_path, files, data).records.table("employment")["wage_yuan"].to_pylist() == [3000.0]


#: A measure entered in January whose end came, or was planned, later; the export is of 2023-06-30.
MEASURES = [
    ["户编号", "措施", "开始", "结束", "录入", "金额"],
    [H1, "产业帮扶", "2023-01-01", "2023-04-30", "2023-01-05", "100"],
    [H1, "健康帮扶", "2023-01-01", "2023-02-28", "2023-03-05", ""],
    [H1, "就业帮扶", "2023-01-01", "2023-12-31", "2023-01-05", ""],
    [H2, "产业帮扶", "2023-01-01", "2023-05-31", "2023-01-05", ""],
    [H2, "产业帮扶", "2023-01-01", "2023-03-31", "2023-04-10", ""],  # ended earlier than was planned
]


def supports(done: Imported) -> list[tuple[str, str, str, str | None]]:
    return [
        (r["household_id"][-2:], r["kind"], str(r["known_on"]), r["ended_on"] and str(r["ended_on"]))
        for r in exports.rows(done, "supports")
    ]


def with_measures(on: dt.date = exports.EXPORTED_ON) -> tuple[dict[str, Any], dict[str, Any]]:
    columns = {"household_id": "户编号", "kind": "措施", "occurred_on": "开始", "ended_on": "结束"}
    columns |= {"known_on": "录入", "amount_yuan": "金额"}
    data = exports.mapping(supports={"file": "措施.csv", "columns": columns}, export={"date": on})
    return {**exports.county(), "措施": MEASURES}, data


def test_an_end_is_known_on_its_own_day_and_a_planned_one_not_at_all(tmp_path: Path) -> None:
    done = take(tmp_path, *with_measures())
    assert supports(done) == [
        ("11", "employment", "2023-01-05", None),
        ("11", "health", "2023-03-05", "2023-02-28"),
        ("11", "industry", "2023-01-05", None),
        ("11", "industry", "2023-04-30", "2023-04-30"),
        ("22", "industry", "2023-01-05", None),
        ("22", "industry", "2023-04-10", "2023-03-31"),
    ]
    assert done.counts["supports"] == Counts(new=6, ends=1)
    again = take(tmp_path, *with_measures(dt.date(2023, 8, 31)))
    assert again.counts["supports"] == Counts(new=0, unchanged=6, ends=1)
    after = take(tmp_path, *with_measures(dt.date(2024, 1, 31)))
    assert after.counts["supports"] == Counts(new=0, corrected=1, unchanged=6, ends=2)
    assert supports(after)[1] == ("11", "employment", "2024-01-31", "2023-12-31")


def test_a_past_score_sees_a_measure_run_until_its_end_came(tmp_path: Path) -> None:
    """The same in records that others wrote with the end known from the first day on."""
    imported = take(tmp_path, *with_measures()).records
    rows = "\n".join(
        f"{row[0]} | {row[2]} | {row[4]} | {kind} | {row[3]}"
        for row, kind in zip(MEASURES[1:4], ("industry", "health", "employment"), strict=True)
    )
    written = drawn.records(f"supports\nhousehold_id | occurred_on | known_on | kind | ended_on\n{rows}")
    running = {"2023-02-01": 2, "2023-03-01": 2, "2023-04-30": 2, "2023-05-01": 1, "2023-07-01": 1}
    for records in (imported, written):
        index = drawn.index(*((H1, day) for day in running))
        assert build_features(records, index)["support_open"].tolist() == list(running.values())


CASES = ["户编号", "识别日期", "录入日期", "消除日期"]


def cases(*rows: list[str], **elimination: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    columns = {"household_id": "户编号", "known_on": "录入日期", "origin": {"value": "registry"}}
    found = {"file": "监测.csv", "columns": {**columns, "occurred_on": "识别日期", "poor": {"value": True}}}
    ended = {
        "file": "监测.csv",
        "only_if": ["消除日期"],
        "columns": {**columns, "occurred_on": "消除日期", "poor": {"value": False}},
        **elimination,
    }
    data = exports.mapping(export={"max_reject_share": 1, "date": dt.date(2023, 6, 20)})
    data["tables"]["statuses"] = [found, ended]
    return {**exports.county(), "监测": [[*CASES], *rows]}, data


def test_an_elimination_is_known_on_its_own_day_though_its_case_was_entered_before(tmp_path: Path) -> None:
    files, data = cases(
        [H1, "2022-03-01", "2022-03-10", "2023-02-15"],
        [H2, "2022-03-01", "2023-03-10", "2023-02-15"],  # entered after both
        [H3, "2022-03", "2022-03-20", "202306"],  # the month of the export
    )
    done = take(tmp_path, files, data)
    statuses = [
        (r["household_id"][-2:], r["poor"], str(r["occurred_on"]), str(r["known_on"]))
        for r in exports.rows(done, "statuses")
    ]
    assert statuses == [
        ("11", True, "2022-03-01", "2022-03-10"),
        ("11", False, "2023-02-15", "2023-02-15"),
        ("22", True, "2022-03-01", "2023-03-10"),
        ("22", False, "2023-02-15", "2023-03-10"),
        ("33", True, "2022-03-20", "2022-03-20"),
        ("33", False, "2023-06-20", "2023-06-20"),
    ]
    assert done.rejects == []


def test_a_text_that_two_blocks_read_is_listed_once_with_its_row(tmp_path: Path) -> None:
    files, data = cases(
        [H1, "2022-03-01", "2022-03-10", "2023-02-15"], [H2, "2022-03-01", "2022-03-10", "2023-02-16"]
    )
    for row, cause in zip(files["监测"], ("原因", "因懒", "因穷"), strict=True):
        row.append(cause)
    for block in data["tables"]["statuses"]:
        block["columns"]["risk_types"] = "原因"
    done = take(tmp_path, files, data)
    assert exports.codes(done) == [("statuses", "RR104", [2, 3])]
    assert done.rejects[0].texts == ("因懒", "因穷")


def test_only_a_later_event_of_a_case_is_dated_so(tmp_path: Path) -> None:
    """An identification entered before it took place is a mistake, and so is an elimination after the export."""
    files, data = cases([H1, "2022-03-11", "2022-03-10", ""], [H2, "2022-03-01", "2022-03-10", "2023-07-01"])
    done = take(tmp_path, files, data)
    rejected = [(r.column, r.code, r.other, r.rows.tolist()) for r in done.rejects]
    assert rejected == [
        ("录入日期", "RR009", "消除日期", [3]),
        ("录入日期", "RR009", "识别日期", [2]),
        ("消除日期", "RR010", "", [3]),
    ]
    assert done.records.table("statuses")["household_id"].to_pylist() == [H2]
    del data["tables"]["statuses"][0]
    data["tables"]["statuses"] = data["tables"]["statuses"][:1]
    files["监测"] = [CASES, [H1, "", "2022-03-10", "2022-03-11"]]
    alone = take(tmp_path / "alone", files, data)
    assert exports.codes(alone) == [("statuses", "RR009", [2])]
