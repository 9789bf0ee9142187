"""However a folder's rows are cut and ordered, its blocks are its rows, and a household lies in one block."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from tests.support import ascii as drawn
from tests.support.folders import write_raw

from relapse_risk.records.reading import Files

#: Ids near each other in one order of texts or another.
IDS = st.sampled_from(["", "A", "A1", "B", "a", "é", "村1", "村", "\uff21", "\U00020000", "h" * 70])
NAMES = ("households", "visits", "shocks")


@st.composite
def folders(draw: st.DrawFn) -> dict[str, list[list[str]]]:
    """Draw each table's household ids by row group: mostly in order, since else all is one block."""
    found = {}
    for name in NAMES:
        in_order = draw(st.sampled_from([True, True, True, False]))
        ids = draw(st.lists(IDS, max_size=14))
        if in_order:
            ids.sort()
        cuts = sorted(draw(st.lists(st.integers(0, len(ids)), max_size=5)))
        parts = [ids[a:b] for a, b in pairwise([0, *cuts, len(ids)])]
        found[name] = [draw(st.permutations(part)) for part in parts] if in_order else parts
    return found


def table_of(name: str, ids: list[str], first: int) -> pa.Table:
    """Return rows of which each has a day of its own: its number in the file."""
    data = drawn.table(
        name, "| household_id | occurred_on | kind | visit_id | grid_id |\n| h | 2023-01-01 | | v | g |"
    )
    data = data.take(pa.array([0] * len(ids), pa.int64()))
    days = pa.array(range(first, first + len(ids)), pa.int32()).cast(pa.date32())
    data = data.set_column(0, "household_id", pa.array(ids, pa.string()))
    return data.set_column(1, "occurred_on", days)


@given(folders(), st.booleans())
def test_blocks_partition_the_rows_by_household(ids: dict[str, list[list[str]]], statistics: bool) -> None:
    parts: dict[str, list[pa.Table]] = {}
    for name, groups in ids.items():
        firsts = np.cumsum([0, *map(len, groups)])
        parts[name] = [table_of(name, group, int(first)) for group, first in zip(groups, firsts, strict=False)]
    with tempfile.TemporaryDirectory() as folder:
        write_raw(Path(folder), parts, write_statistics=statistics)
        files = Files(Path(folder))
        starts = files.starts()
        assert starts[0] is None
        seen: dict[str, int] = {}
        rows: dict[str, list[int]] = {name: [] for name in NAMES}
        for number, (low, high) in enumerate(pairwise([*starts, None])):
            for name in NAMES:
                part = files.tables[name].read(low, high)
                of_part = part.data["occurred_on"].cast(pa.int32()).to_pylist()
                assert part.in_file(np.arange(part.data.num_rows)).tolist() == of_part
                rows[name] += of_part
                for household in part.data["household_id"].to_pylist():
                    assert seen.setdefault(household, number) == number
        for name in NAMES:
            assert sorted(rows[name]) == list(range(pq.read_metadata(Path(folder) / f"{name}.parquet").num_rows))


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4), min_size=1, max_size=6))
def test_a_block_begins_at_each_row_group_of_profiles_that_begins_a_household(groups: list[list[str]]) -> None:
    """So a writer decides the blocks, and memory does not grow with the county."""
    ids = sorted(i for group in groups for i in group)
    cuts = np.cumsum([0, *map(len, groups)]).tolist()
    parts = [ids[a:b] for a, b in pairwise(cuts)]
    with tempfile.TemporaryDirectory() as folder:
        write_raw(Path(folder), {"households": [table_of("households", part, 0) for part in parts]})
        firsts = [part[0] for before, part in pairwise(parts) if part[0] != before[-1]]
        assert Files(Path(folder)).starts() == [None, *firsts]
