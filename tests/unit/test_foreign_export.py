"""An export as another county might have it: messy but legal, every count worked out by hand.

Three files: a roster as GBK text, a log of visits as tab-separated text with a title above it, and a workbook of
half-year accounts, cases, bills and measures, all of it re-imported a month later with a few changes.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from tests.support import exports

from relapse_risk.datasets.exports import Imported
from relapse_risk.datasets.exports.merge import Counts
from relapse_risk.records.folder import load_records

TAKEN = dt.date(2024, 7, 5)
LATER = dt.date(2024, 8, 5)
A, B, C, D = "0431-A", "0431-B", "0431-C", "0431-D"

ROSTER: exports.Sheet = [
    ["户号", "建档日", "登记日", "网格", "类别", "人数", "能干活的"],
    [A, "2023/1/1", "2023/1/9", "三组", "脱贫户", "4", "2"],
    [B, "2023/1/1", "2023/1/9", "三组", "边缘易致贫户", "3", "1"],
    [C, "2023/1/1", "2023/1/9", "四组", "一般户", "5", "3"],
    [C, "2023/1/1", "2023/1/9", "四组", "一般户", "5", "3"],  # repeated
    [D, "2023/1/1", "2023/1/9", "四组", "一般户", "2", "1"],
    [D, "2023/1/1", "2023/1/9", "四组", "一般户", "2", "7"],  # seven of two: its sound twin stays
    ["0431\u200b-E", "2023/1/1", "2023/1/9", "四组", "一般户", "2", "1"],  # an invisible character
]
VISITS: exports.Sheet = [
    ["走访台账(上半年)"],
    ["序号", "户号", "哪天去的", "哪天录的", "柜子里", "谁去的"],
    ["1", A, "2024年3月2日", "2024-03-02 18:20", "够吃", "=张"],  # a worker written as a formula
    ["2", A, "2024年5月8日", "2024-05-09 08:00", "够吃", "张"],
    ["3", B, "2024年5月8日", "2024-05-09 08:01", "不够", "李"],
    ["4", C, "2024年5月9日", "2024-05-09 08:02", "凑合", "李"],  # no word of the mapping
    ["", "", "", "", "", ""],
    ["5", D, "2024年5月10日", "2024-05-11 09:00", "", "李"],
]
ACCOUNTS: exports.Sheet = [
    ["户号", "截至", "填报日", "打工(百元)", "种养(百元)", "补贴(百元)", "成本(百元)"],
    [A, "2023-12-31", dt.date(2024, 1, 20), 120, 30, 12, 10],
    [A, "2024-06-30", dt.date(2024, 7, 2), 100, "", "", ""],  # zero is left blank
    [B, "2023-12-31", dt.date(2024, 1, 20), 60, 0, 24, 0],
    [B, "2023-12-31", dt.date(2024, 2, 15), 15, "", 24, ""],  # the son's account, filled in later
    [C, "2023-12-31", dt.date(2024, 1, 20), "约200", 45, 6, 20],  # the whole account goes
    [D, "2023-12-31", dt.date(2024, 1, 20), "", "", "", ""],  # nobody filled it in
]
CASES: exports.Sheet = [
    ["户号", "认定", "填报日", "解除", "原因"],
    [B, "2023-05-06", dt.date(2023, 5, 16), "2024-03-20", "因病"],
    [A, "2024-06-03", dt.date(2024, 6, 12), "", "因学、缺劳力"],
]
BILLS: exports.Sheet = [
    ["户号", "看病日", "填报日", "票号", "花了", "报了"],
    [B, "2024-02-01", dt.date(2024, 2, 20), "", 800, 500],
    [B, "2024-02-01", dt.date(2024, 2, 20), "", 120.5, ""],
    [B, "2024-02-01", dt.date(2024, 3, 4), "", 79.5, ""],
    [B, "2024-02-01", dt.date(2024, 2, 20), "No.7", 300, 200],
    [B, "2024-02-01", dt.date(2024, 2, 28), "No.7", 300, 260],  # No.7 corrected
    [A, "2024-04-11", dt.date(2024, 4, 12), "", 40, ""],
    [A, "2024-04-11", dt.date(2024, 4, 12), "", 40, ""],  # repeated
    [A, "2024-04-12", dt.date(2024, 4, 13), "", -3, ""],
]
MEASURES: exports.Sheet = [
    ["户号", "啥措施", "起", "止", "填报日"],
    [B, "健康帮扶", "2023-06-01", "2024-03-31", dt.date(2023, 6, 5)],
    [A, "义务教育保障", "2024-06-10", "2025-06-30", dt.date(2024, 6, 12)],
]


def write(folder: Path, **sheets: exports.Sheet) -> Path:
    exports.write_csv(folder, {"花名册": ROSTER}, "gb18030")
    exports.write_csv(folder, {"走访": VISITS}, "utf-8-sig", "\t")
    book = {"账": ACCOUNTS, "对象": CASES, "看病": BILLS, "措施": MEASURES, **sheets}
    exports.write_workbook(folder / "一本账.xlsx", book)
    return folder


def mapping(day: dt.date) -> dict[str, Any]:
    book = {"file": "一本账.xlsx"}
    known = {"household_id": "户号", "known_on": "填报日"}
    case = {**known, "origin": {"value": "registry"}, "risk_types": "原因"}
    return {
        "export": {"date": day, "max_reject_share": 0.4},
        "settings": {"training": {"capacity": 0.2}},
        "tables": {
            "households": {
                "file": "花名册.csv",
                "columns": {
                    "household_id": "户号",
                    "occurred_on": "建档日",
                    "known_on": "登记日",
                    "grid_id": "网格",
                    "household_type": "类别",
                    "n_members": "人数",
                    "n_labour": "能干活的",
                },
            },
            "visits": {
                "file": "走访.csv",
                "header_row": 2,
                "columns": {
                    "visit_id": {"columns": ["户号", "序号"]},
                    "household_id": "户号",
                    "occurred_on": "哪天去的",
                    "known_on": "哪天录的",
                    "worker_id": "谁去的",
                    "cupboard": {"column": "柜子里", "texts": {"够吃": 0, "不够": 2}},
                },
            },
            "incomes": {
                **book,
                "sheet": "账",
                "row_months": 6,
                "columns": {**known, "occurred_on": "截至"},
                "spread": {
                    "into": "amount_yuan",
                    "unit": "百元",
                    "blank": 0,
                    "columns": {
                        "打工(百元)": {"source": "wage"},
                        "种养(百元)": {"source": "business"},
                        "补贴(百元)": {"source": "transfer"},
                        "成本(百元)": {"source": "production_cost"},
                    },
                },
            },
            "statuses": [
                {**book, "sheet": "对象", "columns": {**case, "occurred_on": "认定", "poor": {"value": True}}},
                {
                    **book,
                    "sheet": "对象",
                    "only_if": ["解除"],
                    "columns": {**case, "occurred_on": "解除", "poor": {"value": False}},
                },
            ],
            "expenses": {
                **book,
                "sheet": "看病",
                "columns": {
                    **known,
                    "occurred_on": "看病日",
                    "kind": {"value": "medical"},
                    "bill_id": "票号",
                    "total_yuan": "花了",
                    "reimbursed_yuan": "报了",
                },
            },
            "supports": {
                **book,
                "sheet": "措施",
                "columns": {**known, "kind": "啥措施", "occurred_on": "起", "ended_on": "止"},
            },
        },
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Imported, Path]:
    folder = tmp_path_factory.mktemp("foreign")
    return exports.run(write(folder / "july"), folder / "out", mapping(TAKEN)), folder


def rows(done: Imported, table: str, *columns: str) -> list[tuple[Any, ...]]:
    def plain(value: Any) -> Any:
        return str(value) if isinstance(value, dt.date) else value

    return [tuple(plain(row[name]) for name in columns) for row in exports.rows(done, table)]


def test_every_row_is_accounted_for(first: tuple[Imported, Path]) -> None:
    done, _ = first
    assert {s.table: (s.read, s.set_aside, s.blank, s.made) for s in done.sources} == {
        "households": (7, 2, 0, 5),
        "visits": (5, 2, 1, 3),
        "incomes": (5, 1, 1, 16),  # four accounts of four columns
        "statuses": (2, 0, 0, 3),  # one case was closed
        "expenses": (8, 1, 0, 7),
        "supports": (2, 0, 0, 2),
    }
    assert exports.codes(done) == [
        ("households", "RR018", [8]),
        ("households", "RR014", [7]),
        ("visits", "RR104", [6]),
        ("visits", "RR018", [3]),
        ("incomes", "RR102", [6]),
        ("expenses", "RR008", [9]),
    ]
    assert done.counts == {
        "households": Counts(new=4, repeated=1),
        "visits": Counts(new=3),
        "incomes": Counts(new=16, added=8, sums=8),  # two accounts of B, the later one a month after
        "statuses": Counts(new=3),
        "expenses": Counts(new=5, repeated=1, added=3, sums=2),
        "supports": Counts(new=3, ends=1),
    }
    for table, c in done.counts.items():
        made = sum(s.made for s in done.sources if s.table == table)
        assert made == c.repeated + c.added - c.sums + c.new + c.corrected + c.unchanged - c.ends, table


def test_the_records_say_what_the_county_knew_and_when(first: tuple[Imported, Path]) -> None:
    done, folder = first
    assert rows(done, "incomes", "household_id", "occurred_on", "known_on", "source", "amount_yuan", "months")[
        :4
    ] == [
        (A, "2023-12-31", "2024-01-20", "business", 3000.0, 6),
        (A, "2023-12-31", "2024-01-20", "production_cost", 1000.0, 6),
        (A, "2023-12-31", "2024-01-20", "transfer", 1200.0, 6),
        (A, "2023-12-31", "2024-01-20", "wage", 12000.0, 6),
    ]
    of_b = [r for r in rows(done, "incomes", "household_id", "source", "known_on", "amount_yuan") if r[0] == B]
    assert of_b == [
        (B, "business", "2024-01-20", 0.0),
        (B, "business", "2024-02-15", 0.0),
        (B, "production_cost", "2024-01-20", 0.0),
        (B, "production_cost", "2024-02-15", 0.0),
        (B, "transfer", "2024-01-20", 2400.0),
        (B, "transfer", "2024-02-15", 4800.0),
        (B, "wage", "2024-01-20", 6000.0),
        (B, "wage", "2024-02-15", 7500.0),
    ]
    assert rows(done, "statuses", "household_id", "occurred_on", "known_on", "poor") == [
        (A, "2024-06-03", "2024-06-12", True),
        (B, "2023-05-06", "2023-05-16", True),
        (B, "2024-03-20", "2024-03-20", False),
    ]
    assert rows(done, "expenses", "household_id", "bill_id", "known_on", "total_yuan", "reimbursed_yuan") == [
        (A, None, "2024-04-12", 40.0, None),
        (B, None, "2024-02-20", 920.5, 500.0),
        (B, None, "2024-03-04", 1000.0, 500.0),
        (B, "No.7", "2024-02-20", 300.0, 200.0),
        (B, "No.7", "2024-02-28", 300.0, 260.0),
    ]
    assert rows(done, "supports", "household_id", "known_on", "ended_on") == [
        (A, "2024-06-12", None),
        (B, "2023-06-05", None),
        (B, "2024-03-31", "2024-03-31"),
    ]
    settings = load_records(folder / "out").settings
    assert (settings.outcome.reporting_lag_days, settings.training.capacity) == (15, 0.2)
    assert settings.line.steps


def test_the_same_export_a_month_later_changes_only_what_it_changes(first: tuple[Imported, Path]) -> None:
    _, folder = first
    accounts = [*ACCOUNTS, [C, "2024-06-30", dt.date(2024, 7, 20), 180, 40, 6, 18]]
    accounts[5] = [C, "2023-12-31", dt.date(2024, 1, 20), 200, 45, 6, 20]  # corrected: was not known here before
    bills = [*BILLS, [B, "2024-02-01", dt.date(2024, 7, 30), "", 10, ""]]
    src = write(folder / "august", 账=accounts, 看病=bills)
    done = exports.run(src, folder / "out", mapping(LATER))
    assert done.counts == {
        "households": Counts(new=0, unchanged=4, repeated=1),
        "visits": Counts(new=0, unchanged=3),
        "incomes": Counts(new=8, late=4, unchanged=16, added=8, sums=8),
        "statuses": Counts(new=0, unchanged=3),
        "expenses": Counts(new=0, corrected=1, unchanged=5, repeated=1, added=4, sums=3),
        "supports": Counts(new=0, unchanged=3, ends=1),
    }
    of_c = {r[1:] for r in rows(done, "incomes", "household_id", "occurred_on", "known_on") if r[0] == C}
    assert of_c == {("2023-12-31", "2024-07-06"), ("2024-06-30", "2024-07-20")}
    assert rows(done, "expenses", "known_on", "total_yuan")[3] == ("2024-08-05", 1010.0)
