"""A records folder read in blocks is the folder read as a whole, whoever wrote it and whatever is wrong with it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support import ascii as drawn
from tests.support.folders import cut, write_raw

from relapse_risk.errors import NotFoundError, RecordsInvalid, StorageError
from relapse_risk.records.blocks import RecordBlocks, each_block, load_records, open_records
from relapse_risk.records.summary import summarise
from relapse_risk.records.tables import TABLES
from relapse_risk.records.violations import RULES, Violation
from relapse_risk.records.writer import write_tables
from relapse_risk.settings import SETTINGS_FILE, Settings

N = 12
IDS = [f"h{n:02d}" for n in range(N)]
ROWS = {
    "households": "| {id} | 2023-01-01 | g1 | t1 | 3 | 2 |",
    "visits": "| {id} | 2023-02-01 | v1 | 1 |\n| {id} | 2023-03-01 | v2 | 0 |",
    "incomes": "| {id} | 2023-02-28 | wage | 2000 |\n| {id} | 2023-03-31 | wage | 2000 |",
    "statuses": "| {id} | 2023-02-28 | no | |",
    "supports": "| {id} | 2023-02-01 | industry | 2023-03-01 |",
    "members": "| {id} | 2023-01-01 | {id}-p | 1990-01-01 | chronic |",
    "employment": "| {id} | 2023-02-28 | {id}-p | yes | 3000 | 3000 | |",
}
HEADERS = {
    "households": "| household_id | occurred_on | grid_id | township_id | n_members | n_labour |",
    "visits": "| household_id | occurred_on | visit_id | yard |",
    "incomes": "| household_id | occurred_on | source | amount_yuan |",
    "statuses": "| household_id | occurred_on | poor | risk_types |",
    "supports": "| household_id | occurred_on | kind | ended_on |",
    "members": "| household_id | occurred_on | person_id | birth_month | health |",
    "employment": "| household_id | occurred_on | person_id | employed | wage_yuan | one_off_yuan | started_on |",
}
SETTINGS = drawn.settings(data={"end": "2024-01-01"})


def sound() -> dict[str, pa.Table]:
    """Return the sound records of some households."""
    drawings = {name: "\n".join([HEADERS[name], *(row.format(id=i) for i in IDS)]) for name, row in ROWS.items()}
    tables = {name: drawn.table(name, drawing) for name, drawing in drawings.items()}
    return tables | {"grids": drawn.table("grids", "| occurred_on | grid_id |\n| 2023-01-01 | g1 |")}


def planted(tables: dict[str, pa.Table], table: str, column: str, values: dict[int, Any]) -> None:
    """Replace some rows' values of a column."""
    data = tables[table]
    at = data.column_names.index(column)
    new = [values.get(row, value) for row, value in enumerate(data[column].to_pylist())]
    tables[table] = data.set_column(at, data.field(at), pa.array(new, data.field(at).type))


def folder_of(tmp_path: Path, tables: dict[str, pa.Table], households: int, settings: Settings = SETTINGS) -> Path:
    return write_raw(
        tmp_path / f"in-{households}", {n: cut(data, households) for n, data in tables.items()}, settings
    )


def violations(read: Callable[[], object]) -> tuple[Violation, ...]:
    with pytest.raises(RecordsInvalid) as caught:
        read()
    return caught.value.violations


def rows_of(blocks: RecordBlocks, name: str) -> list[dict[str, Any]]:
    return [row for block in blocks for row in block.table(name).to_pylist()]


def by_household(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["household_id"]))


def _within() -> dict[str, pa.Table]:
    tables = sound()
    visit_row = dict.fromkeys((1, 7, 13))
    planted(tables, "visits", "visit_id", visit_row | {3: "", 5: "1.0", 9: "=v", 21: "=v"})
    planted(tables, "visits", "yard", dict.fromkeys(range(2, 24, 2), 9))
    planted(
        tables, "visits", "known_on", {0: dt.date(2023, 1, 1), 23: dt.date(2023, 1, 1), 11: dt.date(2030, 1, 1)}
    )
    planted(tables, "incomes", "occurred_on", {0: dt.date(2023, 3, 31), 22: dt.date(2023, 3, 31)})
    planted(tables, "incomes", "known_on", {row: dt.date(2023, 3, 31) for row in (0, 1, 22, 23)})
    planted(tables, "incomes", "source", {4: "tea", 20: "tea"})
    planted(tables, "households", "n_labour", {2: 4, 11: 9})
    planted(tables, "statuses", "risk_types", {6: "illness,illness", 8: "tea"})
    planted(tables, "supports", "ended_on", {10: dt.date(2023, 1, 31)})
    planted(tables, "members", "birth_month", {3: dt.date(2023, 1, 2)})
    planted(tables, "employment", "one_off_yuan", {7: 3001.0})
    planted(
        tables,
        "employment",
        "person_id",
        {0: "11010519491231002X", 1: "110105194912310029", 9: "110105194912310029"},
    )
    tables["grids"] = pa.concat_tables([tables["grids"]] * 2)
    return tables


def _between() -> dict[str, pa.Table]:
    tables = sound()
    planted(tables, "households", "grid_id", {0: "g7", 9: "g8"})
    planted(tables, "households", "township_id", {5: "t2", 6: "t3"})
    planted(tables, "visits", "household_id", {0: "a", 4: "h01x", 23: "z", 22: "z"})
    drawing = "| household_id | occurred_on | item |\n| h03 | 2023-01-05 | tea |\n| h11 | 2023-01-05 | tea |"
    return tables | {"observations": drawn.table("observations", drawing)}


def _of_tables() -> dict[str, pa.Table]:
    tables = sound()
    visits = tables["visits"].append_column("helth", pa.array([1] * 24)).append_column("a", pa.array([1] * 24))
    halves = pa.array([0.5 if row == 14 else 1.0 for row in range(24)])
    tables["visits"] = visits.set_column(visits.column_names.index("yard"), "yard", halves)
    planted(tables, "visits", "known_on", {0: dt.date(2023, 1, 1)})
    tables["incomes"] = tables["incomes"].drop_columns(["source"])
    members = tables["members"]
    tables["members"] = members.set_column(members.column_names.index("person_id"), "person_id", pa.array(range(N)))
    planted(tables, "households", "n_labour", {2: 4, 11: 9})
    del tables["statuses"]
    return tables


LINES = [
    {"since": day, "yuan": 1.0, "area": f"t{k + 1}"}
    for k, day in enumerate(["2000-01-01", "2023-03-15", "2024-01-01"])
]
PLANTED: dict[str, tuple[Callable[[], dict[str, pa.Table]], Settings]] = {
    "within": (_within, SETTINGS),
    "between": (_between, drawn.settings(line={"months": 1, "steps": LINES})),
    "of tables": (_of_tables, SETTINGS),
}


@pytest.mark.parametrize("planted_in", PLANTED)
def test_violations_are_the_same_whatever_the_blocks(tmp_path: Path, planted_in: str) -> None:
    """Codes, places, sentences, counts and the first rows, whichever block is read first."""
    make, settings = PLANTED[planted_in]
    tables = make()
    whole = violations(lambda: load_records(folder_of(tmp_path, tables, N * 9, settings)))
    for households in (1, 2, 7, 100):
        folder = folder_of(tmp_path, tables, households, settings)
        blocks = open_records(folder)
        assert len(blocks) == -(-N // households)
        reads: list[Callable[[], object]] = [
            partial(load_records, folder),
            partial(blocks.__getitem__, 0),
            partial(blocks.__getitem__, -1),
            partial(list, each_block(open_records(folder), id, 2)),
        ]
        assert [violations(read) for read in reads] == [whole] * len(reads)


def test_every_rule_is_planted(tmp_path: Path) -> None:
    codes = {"RR016"}  # damaged and foreign files have a test of their own
    for name, (make, settings) in PLANTED.items():
        folder = folder_of(tmp_path, make(), 3, settings).rename(tmp_path / name)
        codes |= {violation.code for violation in violations(partial(load_records, folder))}
    assert codes == set(RULES)


def _by_pandas(folder: Path, tables: dict[str, pa.Table]) -> None:
    write_raw(folder, {})
    for name, data in tables.items():
        data.to_pandas().to_parquet(folder / f"{name}.parquet", row_group_size=5, index=False)


def _unsorted(folder: Path, tables: dict[str, pa.Table]) -> None:
    write_raw(folder, {n: [data.take(pa.array(range(data.num_rows)[::-1]))] for n, data in tables.items()})


def _unsorted_groups(folder: Path, tables: dict[str, pa.Table]) -> None:
    write_raw(folder, {n: cut(data, 3)[::-1] for n, data in tables.items()})


def _unsorted_visits(folder: Path, tables: dict[str, pa.Table]) -> None:
    write_raw(folder, {n: cut(data, 3)[:: -1 if n == "visits" else 1] for n, data in tables.items()})


def _overlapping(folder: Path, tables: dict[str, pa.Table]) -> None:
    halves = {
        n: [data.filter(pa.array([row % 2 == k for row in range(data.num_rows)])) for k in (0, 1)]
        for n, data in tables.items()
    }
    write_raw(folder, halves)


def _one_giant_row_group(folder: Path, tables: dict[str, pa.Table]) -> None:
    write_raw(folder, {n: [data] for n, data in tables.items()})


def _giant_visits(folder: Path, tables: dict[str, pa.Table]) -> None:
    """One row group of visits for all blocks of the others, its rows in no order."""
    parts = {n: cut(data, 4) for n, data in tables.items()}
    visits = tables["visits"]
    write_raw(folder, parts | {"visits": [visits.take(pa.array(range(visits.num_rows)[::-1]))]})


def _without_statistics(folder: Path, tables: dict[str, pa.Table]) -> None:
    write_raw(folder, {n: cut(data, 3) for n, data in tables.items()}, write_statistics=False)


def _a_household_in_two_groups(folder: Path, tables: dict[str, pa.Table]) -> None:
    write_raw(folder, {n: [data.slice(k, 5) for k in range(0, data.num_rows, 5)] for n, data in tables.items()})


def _as_dictionaries(folder: Path, tables: dict[str, pa.Table]) -> None:
    def encoded(data: pa.Table) -> pa.Table:
        columns = [c.dictionary_encode() if c.type == pa.string() else c for c in data.columns]
        return pa.table(columns, data.column_names)

    write_raw(folder, {n: cut(encoded(data), 3) for n, data in tables.items()})


def _with_empty_groups(folder: Path, tables: dict[str, pa.Table]) -> None:
    parts = {n: [part for one in cut(data, 3) for part in (one, one.slice(0, 0))] for n, data in tables.items()}
    write_raw(folder, parts)


def _by_our_writer(folder: Path, tables: dict[str, pa.Table]) -> None:
    write_raw(folder, {})
    write_tables(folder, tables, households_of_a_block=3)


@pytest.mark.parametrize(
    ("write", "n_blocks"),
    [
        (_by_pandas, 4 - 1),
        (_unsorted, 1),
        (_unsorted_groups, 1),
        (_unsorted_visits, 1),
        (_overlapping, 1),
        (_one_giant_row_group, 1),
        (_giant_visits, 3),
        (_without_statistics, 1),
        (_a_household_in_two_groups, 3),
        (_as_dictionaries, 4),
        (_with_empty_groups, 4),
        (_by_our_writer, 4),
    ],
)
def test_whoever_wrote_a_folder_its_blocks_are_the_whole(
    tmp_path: Path, write: Callable[[Path, dict[str, pa.Table]], None], n_blocks: int
) -> None:
    write(tmp_path, sound())
    whole, blocks = load_records(tmp_path), open_records(tmp_path)
    assert len(blocks) == n_blocks
    assert (blocks.end, blocks.present) == (whole.end, whole.present)
    for name in TABLES:
        rows = whole.table(name).to_pylist()
        if name == "grids":
            assert [block.table(name).to_pylist() for block in blocks] == [rows] * n_blocks
        else:
            assert by_household(rows_of(blocks, name)) == by_household(rows)
    of_blocks = [{row["household_id"] for row in block.table("households").to_pylist()} for block in blocks]
    assert sum(map(len, of_blocks)) == len(set.union(*of_blocks)) == N


def test_ids_are_ordered_as_parquet_orders_them(tmp_path: Path) -> None:
    """By their UTF-8 bytes: Latin, Chinese, then what lies beyond the first plane."""
    ids = ["Z1", "a1", "村1", "村2", "\uff21", "\U00020000"]
    profiles = drawn.table(
        "households", "\n".join(["| household_id | occurred_on |", *(f"| {i} | 2023-01-01 |" for i in ids)])
    )
    tables = {name: sound()[name].slice(0, 0) for name in ("visits", "incomes", "statuses")}
    write_raw(tmp_path, {})
    write_tables(tmp_path, tables | {"households": profiles.take(pa.array([3, 5, 0, 2, 4, 1]))}, 2)
    read = [block.table("households")["household_id"].to_pylist() for block in open_records(tmp_path)]
    assert read == [ids[:2], ids[2:4], ids[4:]]


def test_missing_ids_make_one_block(tmp_path: Path) -> None:
    tables = sound()
    planted(tables, "visits", "household_id", {3: None})
    folder = folder_of(tmp_path, tables, 5)  # beside other ids in the last row group
    assert len(open_records(folder)) == 1
    (violation,) = violations(lambda: open_records(folder)[0])
    assert (violation.code, violation.rows) == ("RR006", (24,))


def test_a_folder_without_profiles_is_one_block(tmp_path: Path) -> None:
    blocks = open_records(write_raw(tmp_path, {n: [data.slice(0, 0)] for n, data in sound().items()}, SETTINGS))
    assert [block.table("visits").num_rows for block in blocks] == [0]
    assert blocks.end == dt.date(2024, 1, 1)


def test_files_that_cannot_be_read_are_reported_with_all_else(tmp_path: Path) -> None:
    """Of a damaged file no row is reported, nor what refers to it."""
    tables = sound()
    planted(tables, "incomes", "amount_yuan", {22: -1.0})
    planted(tables, "households", "n_labour", {11: 4})
    planted(tables, "visits", "yard", {0: 9})
    folder = folder_of(tmp_path, tables, 3)
    (folder / "supports.parquet").write_bytes(b"PAR1 not really PAR1")
    shutil.copy(folder / "visits.parquet", folder / "calls.parquet")
    visits = pq.ParquetFile(folder / "visits.parquet").metadata.row_group(2).column(0)
    with (folder / "visits.parquet").open("r+b") as file:  # a page of the third block
        file.seek(visits.dictionary_page_offset)
        file.write(b"\xff" * visits.total_compressed_size)
    whole = violations(lambda: load_records(folder))
    assert [(v.code, v.table, v.rows) for v in whole] == [
        ("RR016", "calls", ()),
        ("RR016", "supports", ()),
        ("RR016", "visits", ()),
        ("RR014", "households", (12,)),
        ("RR008", "incomes", (23,)),
    ]
    assert violations(lambda: open_records(folder)[0]) == violations(lambda: open_records(folder)[3]) == whole


def test_a_damaged_file_of_profiles_is_not_reported_as_missing_profiles(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, sound(), 3)
    (folder / "households.parquet").write_bytes(b"PAR1 not really PAR1")
    assert [v.code for v in violations(lambda: load_records(folder))] == ["RR016"]
    assert [v.code for v in violations(lambda: open_records(folder)[0])] == ["RR016"]


@pytest.mark.parametrize(("n_right", "rows"), [(5, None), (6, (1, 2, 3, 4, 5))])
def test_whether_ids_are_citizen_ids_is_judged_by_all_blocks(
    tmp_path: Path, n_right: int, rows: tuple[int, ...] | None
) -> None:
    """At least half of those with a date have the right check sign, though in the first blocks all have it."""
    signs = "31X8642097X8"  # the right ones
    dated = [f"11010519491231{n:03d}{sign if n < n_right else '5'}" for n, sign in enumerate(signs)]
    tables = sound()
    planted(tables, "members", "person_id", dict(enumerate(dated)))
    folder = folder_of(tmp_path, tables, 3)
    if rows is None:
        assert len(rows_of(open_records(folder), "members")) == load_records(folder).table("members").num_rows == N
        return
    whole = violations(lambda: load_records(folder))
    assert [(v.code, v.n_rows, v.rows) for v in whole] == [("RR020", n_right, rows)]
    assert violations(lambda: open_records(folder)[0]) == violations(lambda: open_records(folder)[1]) == whole


def test_the_end_is_the_same_with_and_without_statistics(tmp_path: Path) -> None:
    tables = sound()
    planted(tables, "visits", "known_on", {13: dt.date(2025, 6, 1)})
    visits = tables["visits"]
    at = visits.column_names.index("known_on")
    moments = tables | {"visits": visits.set_column(at, "known_on", visits["known_on"].cast(pa.timestamp("ms")))}
    for number, (of, options) in enumerate([(tables, {}), (tables, {"write_statistics": False}), (moments, {})]):
        parts = {n: cut(data, 3) for n, data in of.items()}
        folder = write_raw(tmp_path / str(number), parts, drawn.settings(), **options)
        assert open_records(folder).end == load_records(folder).end == dt.date(2025, 6, 2)


def test_a_day_beyond_the_calendar_is_reported_not_stumbled_over(tmp_path: Path) -> None:
    tables = sound()
    visits = tables["visits"]
    far = pa.array([4_000_000] * visits.num_rows, pa.int32()).cast(pa.date32())
    tables["visits"] = visits.set_column(visits.column_names.index("known_on"), "known_on", far)
    folder = folder_of(tmp_path, tables, 3, drawn.settings())
    whole = violations(lambda: load_records(folder))
    assert {v.code for v in whole} == {"RR008"}
    assert violations(lambda: open_records(folder)[0]) == whole


def test_what_was_opened_is_read_even_if_the_folder_is_replaced(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, sound(), 3)
    blocks = open_records(folder)
    folder.rename(tmp_path / "before")
    shutil.rmtree(tmp_path / "before")
    assert len(rows_of(blocks, "visits")) == 2 * N


def test_a_file_that_is_written_to_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """Blocks that were checked before are not checked again, so rows must not change below them."""
    folder = folder_of(tmp_path, sound(), 3)
    blocks = open_records(folder)
    assert blocks[0].table("visits").num_rows == 6
    other = sound()
    planted(other, "visits", "yard", {0: 9})
    write_raw(folder, {"visits": cut(other["visits"], 3)}, SETTINGS)  # in place
    with pytest.raises(StorageError, match=r"visits.parquet was written to while it was read. Run this again"):
        blocks[0]


def test_a_block_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training reads blocks several times; other settings for the rules make them be checked again."""
    checked = []

    def count(tables: dict[str, pa.Table], *_: object) -> list[Violation]:
        checked.append(tables.get("visits", pa.table({})).num_rows)
        return []

    monkeypatch.setattr("relapse_risk.records.blocks.violations_within", count)
    blocks = open_records(folder_of(tmp_path, sound(), 6))
    assert sum(len(rows_of(of, "visits")) for of in (blocks, blocks.visible("2023-02-02"))) == 36
    blocks.with_model_settings(drawn.settings(outcome={"horizon_months": 12}))[1]
    assert checked == [0, 12, 12], "the tables without households, then each block"
    blocks.with_settings(drawn.settings())[1]
    assert checked[3:] == [0, 12]


def test_other_settings_hold_from_the_next_read_on(tmp_path: Path) -> None:
    blocks = open_records(folder_of(tmp_path, sound(), 6))
    assert len(rows_of(blocks, "visits")) == 2 * N
    earlier = blocks.with_settings(drawn.settings(data={"end": "2023-03-01"}))
    (*_, violation) = violations(lambda: earlier[1])
    assert (violation.code, violation.n_rows) == ("RR010", N)


def test_settings_of_the_callers_are_taken_instead_of_the_folders_own(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, sound(), 6)
    used = drawn.settings(data={"end": "2023-12-01"})
    (folder / SETTINGS_FILE).unlink()
    assert open_records(folder, used).end == load_records(folder, used).end == dt.date(2023, 12, 1)
    with pytest.raises(NotFoundError, match="relapse.toml"):
        open_records(folder)
    with pytest.raises(NotFoundError, match="no records folder"):
        open_records(tmp_path / "nowhere")


def test_blocks_are_read_by_number_and_in_order(tmp_path: Path) -> None:
    blocks = open_records(folder_of(tmp_path, sound(), 5))
    assert blocks[-1].table("households")["household_id"].to_pylist() == IDS[10:]
    with pytest.raises(IndexError):
        blocks[3]
    done: list[tuple[int, int]] = []
    seen = each_block(blocks, lambda block: block.table("visits").num_rows, 2, on_done=lambda *n: done.append(n))
    assert list(seen) == [10, 10, 4]
    assert done == [(5, N), (10, N), (12, N)], "households"
    assert list(each_block(blocks[0], lambda block: block.table("visits").num_rows)) == [10]
    assert blocks.n_rows == sum(data.num_rows for data in sound().values())


def test_rows_of_households_without_a_profile_lie_in_the_block_in_whose_range_they_are(tmp_path: Path) -> None:
    tables = sound()
    planted(tables, "visits", "household_id", {0: "a", 5: "h01x", 23: "z"})
    folder = folder_of(tmp_path, tables, 5)
    (violation,) = violations(lambda: list(open_records(folder)))
    assert (violation.code, violation.rows) == ("RR017", (1, 5, 24))


@pytest.mark.parametrize("households", [1, 5, 100])
def test_the_summary_is_the_same_whatever_the_blocks(tmp_path: Path, households: int) -> None:
    """Households are counted once, grids too, and shares are of all rows."""
    tables = sound()
    planted(
        tables, "visits", "known_on", {0: dt.date(2023, 9, 1), 13: dt.date(2023, 4, 1), 14: dt.date(2023, 3, 3)}
    )
    planted(tables, "visits", "occurred_on", {13: dt.date(2022, 12, 31)})
    tables["shocks"] = drawn.table("shocks", "| household_id | occurred_on | kind |")
    blocks = open_records(folder_of(tmp_path, tables, households))
    done: list[tuple[int, int]] = []
    by_block = summarise(blocks, lambda *n: done.append(n))
    assert by_block == summarise(load_records(folder_of(tmp_path, tables, households)))
    assert [n for n, _ in done] == ([*range(households, N, households), N] if len(blocks) > 1 else [])
    found = {row.pop("table"): row for row in by_block}
    assert found["visits"] == {
        "rows": 2 * N,
        "households": N,
        "first_day": "2022-12-31",
        "last_day": "2023-03-01",
        "last_known": "2023-09-01",
        "late": "8.3%",
        "missing": "58.3%",
    }
    assert (found["grids"]["rows"], found["grids"]["households"]) == (1, 0)
    assert found["shocks"] == {"rows": 0, "households": 0} | dict.fromkeys(list(found["grids"])[2:], "")
