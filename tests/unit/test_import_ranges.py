"""An import by batches of rows and ranges of households holds what an import of everything at once holds."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support import exports

from relapse_risk.datasets.exports import Imported
from relapse_risk.errors import ImportRefused, RecordsInvalid
from relapse_risk.records.blocks import load_records, open_records

LATER = dt.date(2023, 8, 31)
#: As small as it gets, and neither a divisor of the other.
SMALL: dict[str, Any] = {"households_of_a_range": 1, "rows_of_a_batch": 2}
SIZES = [SMALL, {"households_of_a_range": 2, "rows_of_a_batch": 3}, {}]
HOMES = [f"h{number}" for number in range(1, 8)]


def profiles(homes: list[str] = HOMES) -> exports.Sheet:
    return [[home, "2022-01-01", "2022-01-05", "g1", "一般农户", "3", "1", "否"] for home in homes]


def visit(
    home: str, number: str, day: str = "2023-05-01", known: str = "2023-05-02", yard: str = "正常"
) -> list[str]:
    return [number, home, day, known, yard, "否"]


def income(home: str, yuan: str, known: str = "2023-05-10", source: str = "工资性收入") -> list[str]:
    return [home, "2023-04-30", known, source, yuan]


def messy() -> dict[str, exports.Sheet]:
    """Return rows in no order, with everything that rows of a table can have to do with each other."""
    return exports.county(
        农户=[
            *profiles(HOMES[::-1]),
            *profiles(["h2"]),
            ["h3", "2022-01-01", "2022-01-05", "g1", "外星人", "3", "1", "否"],
        ],
        走访=[
            visit("h7", "v10"),
            visit("h1", "v11"),
            visit("h4", "v12"),
            visit("h1", "v11"),  # repeats
            visit("h4", "v12", yard="严重"),  # contradicts
            visit("h2", "v13", known="2023-05-04"),
            visit("h2", "v13", known="2023-05-09", yard="严重"),  # another version
            visit("nobody", "v14"),
            ["v15", "h5"],  # too few fields
            [],
            visit("h6", "v16", yard="王建国"),
            visit("h6", "v17", day="2023-05-09", known="2023-05-02"),
        ],
        收入=[
            income("h5", "0.1"),
            income("h1", "100"),
            income("h5", "0.2", known="2023-06-01"),
            income("h3", "x"),
            income("h1", "50"),
            income("h5", "0.3"),
            income("h7", "9e11"),
            income("h7", "8e11"),  # together too large
        ],
        监测=[["h6", "2022-05-01", "2022-05-02", "是", "因病"], ["h6", "2022-05-01", "2022-05-02", "否", "因病"]],
    )


def corrected() -> dict[str, exports.Sheet]:
    """Return the same, two months later."""
    files = messy()
    files["走访"].append(visit("h3", "v20", day="2023-07-01", known="2023-07-02"))
    files["走访"][1][4] = "严重"
    files["收入"].append(income("h5", "7", known="2023-07-10"))
    files["收入"] = [row for row in files["收入"] if row[0] != "500236000000000022"]
    files["农户"] += profiles(["a0", "h9"])
    return files


def said(done: Imported) -> dict[str, Any]:
    """Return all that an import says of itself, but its folder."""
    rejects = [
        (r.table, r.source, r.column, r.code, r.rows.tolist(), r.valid, r.hint, r.texts) for r in done.rejects
    ]
    return {"rows": done.rows, "sources": done.sources, "counts": done.counts, "rejects": rejects}


def texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in sorted((folder / "rejects").iterdir())}


@pytest.mark.parametrize("write", [exports.write_csv, exports.write_parquet, exports.write_workbook])
def test_batches_and_ranges_change_nothing(tmp_path: Path, write: Any) -> None:
    data = exports.mapping(export={"max_reject_share": 1.0})
    if write is not exports.write_csv:
        for table, file in exports.FILES.items():
            is_book = write is exports.write_workbook
            data["tables"][table] |= (
                {"file": "book.xlsx", "sheet": file} if is_book else {"file": f"{file}.parquet"}
            )
    first, second = messy(), corrected()
    if write is exports.write_parquet:
        first, second = (
            {n: [r for r in rows if len(r) == len(rows[0])] for n, rows in f.items()} for f in (first, second)
        )
    name = "book.xlsx" if write is exports.write_workbook else ""
    one, other = write(tmp_path / "one" / name, first), write(tmp_path / "other" / name, second)
    one, other = (path.parent if name else path for path in (one, other))
    found = []
    for number, sizes in enumerate(SIZES):
        out = tmp_path / f"out{number}"
        now = exports.run(one, out, data, **sizes)
        before = said(now), now.records, texts(out)
        later = exports.run(other, out, data, exported_on=LATER, **sizes)
        found.append((before, (said(later), later.records, texts(out))))
    assert len(open_records(tmp_path / "out0")) > len(open_records(tmp_path / "out2")) == 1
    for of in found[:-1]:
        for (words, records, files), (expected, whole, listed) in zip(of, found[-1], strict=True):
            assert words == expected
            assert files == listed
            assert exports.same(records, whole)
    first_counts = found[-1][0][0]["counts"]
    assert first_counts["visits"].repeated == 1
    assert first_counts["incomes"].added > first_counts["incomes"].sums > 0
    codes = {(reject[0], reject[3]) for reject in found[-1][0][0]["rejects"]}
    assert {("visits", "RR011"), ("visits", "RR017"), ("incomes", "RR008"), ("statuses", "RR011")} <= codes


def test_records_held_in_no_order_of_households_are_merged_as_any_other(tmp_path: Path) -> None:
    src, later = (exports.write_csv(tmp_path / name, files) for name, files in (("a", messy()), ("b", corrected())))
    data = exports.mapping(export={"max_reject_share": 1.0})
    for out in ("in order", "shuffled"):
        exports.run(src, tmp_path / out, data)
    for file in (tmp_path / "shuffled").glob("*.parquet"):
        rows = pq.read_table(file)
        pq.write_table(rows.take(pa.array(range(rows.num_rows)[::-1])), file)
    done = [
        exports.run(later, tmp_path / out, data, exported_on=LATER, **SMALL) for out in ("in order", "shuffled")
    ]
    assert said(done[0]) == said(done[1])
    assert exports.same(done[0].records, done[1].records)


def test_records_held_that_break_a_rule_are_named_by_the_rows_of_their_files(tmp_path: Path) -> None:
    src = exports.write_csv(tmp_path / "src", messy())
    data = exports.mapping(export={"max_reject_share": 1.0})
    for number, scramble in enumerate(
        (lambda rows: rows, lambda rows: rows.take(pa.array(range(rows.num_rows)[::-1])))
    ):
        out = tmp_path / f"out{number}"
        exports.run(src, out, data)
        rows = scramble(pq.read_table(out / "visits.parquet"))
        yard = pa.array([9 if home == "h2" else None for home in rows["household_id"].to_pylist()], pa.int64())
        pq.write_table(rows.set_column(rows.column_names.index("yard"), "yard", yard), out / "visits.parquet")
        with pytest.raises(RecordsInvalid) as whole:
            load_records(out)
        with pytest.raises(RecordsInvalid) as ranged:
            exports.run(src, out, data, exported_on=LATER, **SMALL)
        assert str(ranged.value) == str(whole.value)


def test_grids_that_leave_out_those_of_profiles_held_end_the_import_with_all_of_them(tmp_path: Path) -> None:
    exports.run(exports.write_csv(tmp_path / "src", exports.county(农户=profiles())), tmp_path / "out")
    files = exports.county()
    files["网格"] = [["网格编号", "起始日期"], ["g2", "2023-07-01"]]
    for name in files:
        files[name] = files[name] if name == "网格" else files[name][:1]
    grids = {"file": "网格.csv", "columns": {"grid_id": "网格编号", "occurred_on": "起始日期"}}
    data = exports.mapping(grids=grids)
    with pytest.raises(ImportRefused, match=r"rows already held would break a rule: \[RR012\]") as refused:
        exports.run(exports.write_csv(tmp_path / "new", files), tmp_path / "out", data, exported_on=LATER, **SMALL)
    assert "9 row(s): 1, 2, 4, 5, 6, ..." in str(refused.value)


def by_chance(n_right: int, n_wrong: int) -> list[str]:
    """Return ids with a date where a citizen id has it, some of which have its check sign."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    ids = []
    for number in range(n_right + n_wrong):
        start = f"5002361990010{1 + number % 9}{number:03d}"
        sign = "10X98765432"[sum(w * int(d) for w, d in zip(weights, start, strict=True)) % 11]
        ids.append(start + (sign if number < n_right else str((int(sign.replace("X", "9")) + 1) % 10)))
    return ids


@pytest.mark.parametrize(("n_right", "n_wrong"), [(2, 5), (5, 2), (1, 1)])
@pytest.mark.parametrize("backwards", [False, True])
def test_whether_ids_are_citizen_ids_is_told_from_all_batches(
    tmp_path: Path, n_right: int, n_wrong: int, *, backwards: bool
) -> None:
    ids = by_chance(n_right, n_wrong)
    visits = [visit("h1", text) for text in (ids[::-1] if backwards else ids)]
    files = exports.county(农户=profiles(), 走访=[*visits, *(visit("h2", f"v2{number}") for number in range(9))])
    src = exports.write_csv(tmp_path / "src", files)
    data = exports.mapping(export={"max_reject_share": 1.0})
    done = [exports.run(src, tmp_path / f"out{n}", data, **sizes) for n, sizes in enumerate((SMALL, {}))]
    aside = n_right if n_right >= n_wrong else 0
    assert done[0].rows["visits"] == 12 + n_right + n_wrong - aside
    assert done[0].counts["visits"].repeated == 0
    assert said(done[0]) == said(done[1])
    assert exports.same(done[0].records, done[1].records)


@pytest.mark.parametrize(("n_right", "n_wrong"), [(2, 5), (5, 2)])
def test_whether_ids_joined_of_parts_are_citizen_ids_is_told_from_all_batches(
    tmp_path: Path, n_right: int, n_wrong: int
) -> None:
    files = exports.county(农户=profiles())
    rows = [["h1", "2022-01-01", text[:8], text[8:]] for text in by_chance(n_right, n_wrong)]
    files["成员"] = [["户编号", "日期", "区", "号"], *rows, ["h2", "2022-01-01", "p", "1"]]
    columns = {"household_id": "户编号", "occurred_on": "日期", "person_id": {"columns": ["区", "号"]}}
    data = exports.mapping(members={"file": "成员.csv", "columns": columns}, export={"max_reject_share": 1.0})
    src = exports.write_csv(tmp_path / "src", files)
    done = [exports.run(src, tmp_path / f"out{n}", data, **sizes) for n, sizes in enumerate((SMALL, {}))]
    aside = n_right if n_right >= n_wrong else 0
    found = [reject for reject in done[0].rejects if reject.table == "members"]
    assert [(reject.code, len(reject.rows)) for reject in found] == ([("RR020", aside)] if aside else [])
    assert done[0].rows["members"] == n_right + n_wrong + 1 - aside
    assert said(done[0]) == said(done[1])


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        pytest.param("走访", [visit("h1", f"50023600000000{n}000") for n in (1, 2, 3)], id="cut ids"),
        pytest.param("走访", [visit("h1", f"v{n}", yard=n) for n in ("»§±àºÅ", "ÕýÈ·", "好")], id="garbled texts"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_from_all_batches(
    tmp_path: Path, table: str, rows: exports.Sheet
) -> None:
    src = exports.write_csv(tmp_path / "src", exports.county(**{"农户": profiles(), table: rows}))
    words = []
    for sizes in (SMALL, dict[str, Any](rows_of_a_batch=1), dict[str, Any]()):
        with pytest.raises(ImportRefused) as refused:
            exports.run(src, tmp_path / "out", **sizes)
        words.append(str(refused.value))
    assert len(set(words)) == 1
    assert not (tmp_path / "out").exists()


def test_names_are_withheld_however_few_of_them_a_batch_has(tmp_path: Path) -> None:
    names = ["王建国", "李建国", "张建国", "刘建国", "陈建国"]
    rows = [visit("h1", f"v{name}", yard=name) for name in names]
    src = exports.write_csv(tmp_path / "src", exports.county(农户=profiles(), 走访=rows))
    exports.run(src, tmp_path / "out", exports.mapping(export={"max_reject_share": 1.0}), rows_of_a_batch=1)
    listed = texts(tmp_path / "out")["visits.csv"]
    assert listed.count("text withheld") == 5
    assert "建国" not in listed


def test_a_source_whose_columns_are_households_is_one_account_a_row(tmp_path: Path) -> None:
    files = exports.county(农户=profiles())
    accounts = [["2023-04-30", "100", "200"], ["2023-04-30", "100", "300"], ["2023-05-31", "1", "x"]]
    files["账"] = [["月", "甲", "乙"], *accounts]
    spread = {"into": "amount_yuan", "columns": {"甲": {"household_id": "h1"}, "乙": {"household_id": "h7"}}}
    columns = {"occurred_on": "月", "source": {"value": "wage"}}
    data = exports.mapping(
        incomes={"file": "账.csv", "columns": columns, "spread": spread}, export={"max_reject_share": 1.0}
    )
    src = exports.write_csv(tmp_path / "src", files)
    done = exports.run(src, tmp_path / "out", data, **SMALL)
    rows = [(row["household_id"], row["amount_yuan"]) for row in done.records.table("incomes").to_pylist()]
    assert rows == [("h1", 200.0), ("h7", 500.0)], "no account repeats the other, and of the third nothing is taken"


def test_of_rows_that_repeat_each_other_the_first_blocks_stays_whichever_batch_has_it(tmp_path: Path) -> None:
    files = exports.county(农户=profiles())
    files["走访"][0] += ["甲", "乙"]
    files["走访"] = [
        files["走访"][0],
        [*visit("nobody", "v1"), "", "x"],
        *([*visit("h1", f"v{number}"), "x", ""] for number in range(2, 8)),
        [*visit("nobody", "v1"), "x", ""],
    ]
    columns = exports.MAPPING["tables"]["visits"]["columns"]
    blocks = [{"file": "走访.csv", "columns": columns, "only_if": [flag]} for flag in ("甲", "乙")]
    data = exports.mapping(visits=blocks, export={"max_reject_share": 1.0})
    src = exports.write_csv(tmp_path / "src", files)
    for number, sizes in enumerate(SIZES):
        done = exports.run(src, tmp_path / f"out{number}", data, **sizes)
        assert exports.codes(done) == [("visits", "RR017", [9])]
        assert done.counts["visits"].repeated == 1


def test_how_far_an_import_is_can_be_shown(tmp_path: Path) -> None:
    shown: list[tuple[str, int, int, str]] = []
    step = ""

    def report(text: str) -> None:
        nonlocal step
        step = text

    src = exports.write_parquet(tmp_path / "src", exports.county(农户=profiles()))
    data = copy.deepcopy(exports.MAPPING)
    for table, file in exports.FILES.items():
        data["tables"][table]["file"] = f"{file}.parquet"
    exports.run(
        src, tmp_path / "out", data, report=report, advance=lambda *done: shown.append((step, *done)), **SMALL
    )
    assert [of for of in shown if "农户" in of[0]][-1][1:] == (10, 10, "rows")
    assert shown[-1] == ("merging and writing the records", 10, 10, "blocks of households")
