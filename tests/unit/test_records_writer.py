"""A records folder is written block by block, all tables cut at the same household ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.support import ascii as drawn
from tests.support.small import Small

from relapse_risk.errors import UsageError
from relapse_risk.features.columns import ArrowColumns
from relapse_risk.features.encode import EncodedTable
from relapse_risk.records.order import in_order, lies_in_order
from relapse_risk.records.schema import empty
from relapse_risk.records.tables import TABLES
from relapse_risk.records.writer import RecordsWriter, write_tables


def groups(file: Path) -> list[list[str]]:
    """Return the household ids of each row group."""
    read = pq.ParquetFile(file)
    parts = (read.read_row_group(k, ["household_id"]) for k in range(read.num_row_groups))
    return [list(dict.fromkeys(part["household_id"].to_pylist())) for part in parts]


def shuffled(data: pa.Table, seed: int = 0) -> pa.Table:
    return data.take(pa.array(np.random.default_rng(seed).permutation(data.num_rows)))


DRAWN = """
households
| household_id | occurred_on | grid_id |
| h3           | 2023-01-01  | g1      |
| h1           | 2023-01-01  | g1      |
| h6           | 2023-01-01  | g1      |
| h4           | 2023-01-01  | g1      |
| h1           | 2022-01-01  | g1      |
visits
| household_id | occurred_on | visit_id |
| h5           | 2023-02-01  | v1       |
| h0           | 2023-02-01  | v1       |
| h4           | 2023-02-01  | v1       |
| h9           | 2023-02-01  | v1       |
grids
| occurred_on | grid_id |
| 2023-01-01  | g2      |
| 2023-01-01  | g1      |
"""


def test_all_tables_are_cut_where_blocks_of_profiles_begin(tmp_path: Path) -> None:
    tables = drawn.tables(DRAWN) | {"shocks": empty(TABLES["shocks"])}
    write_tables(tmp_path, tables, households_of_a_block=2)
    assert groups(tmp_path / "households.parquet") == [["h1", "h3"], ["h4", "h6"]]
    assert groups(tmp_path / "visits.parquet") == [["h0"], ["h4", "h5", "h9"]], "h0, h5 and h9 have no profile"
    assert pq.read_table(tmp_path / "grids.parquet")["grid_id"].to_pylist() == ["g1", "g2"]
    assert pq.read_table(tmp_path / "shocks.parquet").equals(empty(TABLES["shocks"]))


def test_missing_household_ids_are_written_first(tmp_path: Path) -> None:
    """A folder with errors in it can be written and then checked."""
    tables = drawn.tables(DRAWN)
    ids = pa.array(["h5", None, "h4", "h9"])
    write_tables(tmp_path, {**tables, "visits": tables["visits"].set_column(0, "household_id", ids)}, 2)
    assert groups(tmp_path / "visits.parquet") == [[None], ["h4", "h5", "h9"]]


def test_the_same_rows_give_the_same_bytes(small: Small, tmp_path: Path) -> None:
    """Whatever the order of rows, their chunks, and whether texts come as dictionaries."""
    tables = {name: small.records.table(name) for name in small.records.present}
    write_tables(tmp_path, tables, households_of_a_block=100)
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    dictionaries = {
        name: pa.table(
            {c: data[c].dictionary_encode() if data[c].type == pa.string() else data[c] for c in data.column_names}
        )
        for name, data in tables.items()
    }
    for others in (
        {name: shuffled(data) for name, data in tables.items()},
        {name: pa.concat_tables([data.slice(7), data.slice(0, 7)]) for name, data in tables.items()},
        dictionaries,
        {name: shuffled(data) for name, data in dictionaries.items()},
    ):
        write_tables(tmp_path, others, households_of_a_block=100)
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first


def test_rows_lie_in_the_order_that_the_engine_needs(small: Small, tmp_path: Path) -> None:
    """By household, day, codes of the key as listed, texts of the key and day known: nothing is sorted again."""
    tables = {name: small.records.table(name) for name in small.records.present}
    write_tables(tmp_path, {name: shuffled(data) for name, data in tables.items()}, households_of_a_block=64)
    ids = pc.unique(tables["households"]["household_id"]).cast(pa.string())
    ids = ids.take(pc.array_sort_indices(ids))
    for name, data in tables.items():
        read = pq.read_table(tmp_path / f"{name}.parquet")
        assert read.num_rows == data.num_rows
        if name == "incomes":  # without amounts of several months, which are split into months
            read = read.drop_columns("months").append_column("months", pa.nulls(read.num_rows, pa.int64()))
        if name != "grids":
            assert EncodedTable(name, ArrowColumns(read, ids), ())._rows is None, name


@pytest.mark.parametrize(
    ("column", "before", "after"),
    [
        ("household_id", "h1", "h2"),
        ("household_id", "h2", "村1"),
        ("household_id", "\uffff", "\U00010000"),
        ("occurred_on", "2023-01-01", "2023-01-02"),
        ("kind", "medical", "education"),
        ("bill_id", "", "1"),
        ("known_on", "2023-05-01", "2023-05-02"),
    ],
)
def test_each_column_of_the_order_counts(column: str, before: str, after: str) -> None:
    drawing = f"""
    | household_id | occurred_on | kind      | bill_id | known_on   | {column} |
    | h1           | 2023-01-01  | education | 1       | 2023-06-01 | {before} |
    | h1           | 2023-01-01  | education | 1       | 2023-06-01 | {after} |
    """
    ordered = drawn.table("expenses", drawing)
    reversed_ = ordered.take(pa.array([1, 0]))
    assert lies_in_order(ordered, "expenses")
    assert not lies_in_order(reversed_, "expenses")
    assert in_order(reversed_, "expenses").equals(ordered)
    assert in_order(ordered, "expenses") is ordered


def test_blocks_out_of_order_are_refused(tmp_path: Path) -> None:
    """Of whichever table, since a reader looks for a household in one block only."""
    tables = drawn.tables(DRAWN)
    with RecordsWriter(tmp_path) as writer:
        writer.write_block({"visits": tables["visits"].slice(1, 2)})  # h0 and h4
        with pytest.raises(UsageError, match=r"block 2 of table households has a household id that does not come"):
            writer.write_block({"households": tables["households"]})  # h1 to h6
        with pytest.raises(UsageError, match=r"block 3 of table households has a household id that does not come"):
            writer.write_block({"households": tables["households"].slice(3, 1)})  # h4 again


def test_a_block_may_lack_tables_and_rows(tmp_path: Path) -> None:
    tables = drawn.tables(DRAWN)
    with RecordsWriter(tmp_path) as writer:
        writer.write_block({"grids": tables["grids"].slice(0, 1), "shocks": empty(TABLES["shocks"])})
        writer.write_block({"households": tables["households"], "grids": tables["grids"].slice(1)})
    assert groups(tmp_path / "households.parquet") == [["h1", "h3", "h4", "h6"]]
    assert pq.ParquetFile(tmp_path / "shocks.parquet").num_row_groups == 0
    assert pq.read_table(tmp_path / "grids.parquet")["grid_id"].to_pylist() == ["g1", "g2"]
