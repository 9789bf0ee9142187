"""A tiny county's export, written as each kind of file, and its mapping."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from relapse_risk.datasets.exports import CountyMapping, Imported, import_county
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

Sheet = list[list[Any]]
EXPORTED_ON = dt.date(2023, 6, 30)

#: Header and rows of each file, as a county has them.
COUNTY: dict[str, Sheet] = {
    "农户": [
        ["户编号", "信息日期", "录入日期", "网格编号", "户类型", "人口数", "劳动力", "是否低保"],
        ["500236000000000011", "2022-01-01", "2022-01-05", "g1", "一般脱贫户", "4", "2", "否"],
        ["500236000000000022", "2022-01-01", "2022-01-05", "g1", "边缘易致贫户", "3", "1", "是"],
        ["500236000000000033", "2022-01-01", "2022-01-05", "g2", "一般农户", "2", "", ""],
    ],
    "走访": [
        ["走访编号", "户编号", "走访日期", "录入日期", "看院子", "发现线索"],
        ["v01", "500236000000000011", "2023-05-01", "2023-05-02", "正常", "否"],
        ["v02", "500236000000000022", "2023-05-03", "2023-05-03", "严重", "是"],
        ["v03", "500236000000000033", "2023-05-04", "2023-06-01", "未查看", "否"],
    ],
    "收入": [
        ["户编号", "收入日期", "录入日期", "收入类型", "金额"],
        ["500236000000000011", "2023-04-30", "2023-05-10", "工资性收入", "2500.5"],
        ["500236000000000022", "2023-05-31", "2023-06-05", "转移性收入", "380"],
        ["500236000000000033", "2023-05-31", "2023-06-05", "生产经营性收入", "12000"],
    ],
    "监测": [
        ["户编号", "认定日期", "录入日期", "是否监测对象", "致贫返贫风险"],
        ["500236000000000022", "2022-03-01", "2022-03-10", "是", "因病、缺劳动力"],
        ["500236000000000022", "2023-03-01", "2023-03-10", "否", "因病"],
    ],
}

MAPPING: dict[str, Any] = {
    "export": {"date": EXPORTED_ON, "max_reject_share": 0.5},
    "tables": {
        "households": {
            "file": "农户.csv",
            "columns": {
                "household_id": "户编号",
                "occurred_on": "信息日期",
                "known_on": "录入日期",
                "grid_id": "网格编号",
                "household_type": "户类型",
                "n_members": "人口数",
                "n_labour": "劳动力",
                "dibao": "是否低保",
            },
        },
        "visits": {
            "file": "走访.csv",
            "columns": {
                "visit_id": "走访编号",
                "household_id": "户编号",
                "occurred_on": "走访日期",
                "known_on": "录入日期",
                "yard": "看院子",
                "clue_raised": "发现线索",
            },
        },
        "incomes": {
            "file": "收入.csv",
            "columns": {
                "household_id": "户编号",
                "occurred_on": "收入日期",
                "known_on": "录入日期",
                "source": "收入类型",
                "amount_yuan": "金额",
            },
        },
        "statuses": {
            "file": "监测.csv",
            "columns": {
                "household_id": "户编号",
                "occurred_on": "认定日期",
                "known_on": "录入日期",
                "poor": "是否监测对象",
                "origin": {"value": "registry"},
                "risk_types": "致贫返贫风险",
            },
        },
    },
}
FILES = {"households": "农户", "visits": "走访", "incomes": "收入", "statuses": "监测"}


def county(**files: Sheet) -> dict[str, Sheet]:
    """Return the county's files, some with further rows."""
    whole = copy.deepcopy(COUNTY)
    for name, rows in files.items():
        whole[name] += copy.deepcopy(rows)
    return whole


def mapping(**changes: Any) -> dict[str, Any]:
    """Return the mapping; ``table__column`` changes a column, ``table`` a whole table, ``export`` and so on."""
    data = copy.deepcopy(MAPPING)
    for name, value in changes.items():
        table, _, column = name.partition("__")
        if column:
            data["tables"][table]["columns"][column] = value
        elif table in TABLES:
            data["tables"][table] = value
        else:
            data[table] = {**data.get(table, {}), **value}
    return data


def as_csv(rows: Sheet, delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def write_csv(folder: Path, files: dict[str, Sheet], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """Write the files as text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        (folder / f"{name}.csv").write_bytes(as_csv(rows, delimiter).encode(encoding))
    return folder


def write_workbook(path: Path, files: dict[str, Sheet]) -> Path:
    """Write the files as sheets of one workbook; whole numbers and days as such, ids as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        day = book.add_format({"num_format": "yyyy/m/d"})
        for name, rows in files.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, dt.date):
                        sheet.write_datetime(number, column, cell, day)
                    elif isinstance(cell, (int, float)):
                        sheet.write_number(number, column, cell)
                    elif cell:
                        sheet.write_string(number, column, cell)
    return path


def write_parquet(folder: Path, files: dict[str, Sheet]) -> Path:
    """Write the files as Parquet, every column text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (header, *rows) in files.items():
        columns = {title: [row[at] or None for row in rows] for at, title in enumerate(header)}
        pq.write_table(
            pa.table({t: pa.array(v, pa.string()) for t, v in columns.items()}), folder / f"{name}.parquet"
        )
    return folder


def run(src: Path | str, out: Path, data: dict[str, Any] | None = None, **options: Any) -> Imported:
    """Import with a mapping given as data."""
    return import_county(str(src), CountyMapping.model_validate(data or mapping()), out, **options)


def rows(done: Imported, table: str) -> list[dict[str, Any]]:
    """Return a table's rows by key, day and day known, missing values first, however the folder orders them."""
    first, *rest = TABLES[table].key
    by = (first, "occurred_on", *(name for name in rest if name != "occurred_on"), "known_on")
    found: list[dict[str, Any]] = done.records.table(table).to_pylist()
    return sorted(found, key=lambda row: [(row[name] is not None, row[name]) for name in by])


def same(one: Records, other: Records) -> bool:
    """Return whether two imports hold the same rows."""
    return one.present == other.present and all(one.table(n).equals(other.table(n)) for n in one.present)


def codes(done: Imported) -> list[tuple[str, str, list[int]]]:
    """Return what was set aside: table, reason code, row numbers."""
    return [(r.table, r.code, r.rows.tolist()) for r in done.rejects]
