"""A county's folder can be read in blocks: ids in their order as texts, all tables cut at the same households."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from relapse_risk.datasets import CountyParameters, write_county
from relapse_risk.datasets.county import simulate
from relapse_risk.datasets.county.place import Place
from relapse_risk.datasets.county.simulate import sizes_of
from relapse_risk.records.blocks import open_records
from relapse_risk.records.tables import TABLES

P = CountyParameters()
#: One township of one village, of any size.
ONE = replace(P, n_townships=1, villages_per_township=1, smallest_village=1, smallest_township=1)


@pytest.mark.parametrize(
    ("households", "parameters", "first", "last"),
    [
        (300_000, P, "T01V01H0001", "T30V13H"),
        (1_000_000, P, "T01V01H0001", "T30V13H"),
        (12_000, ONE, "T01V01H00001", "T01V01H12000"),
        (1_200, replace(ONE, n_townships=120), "T001V01H0001", "T120V01H0010"),
        (12_000, replace(ONE, villages_per_township=120), "T01V001H0001", "T01V120H"),
    ],
    ids=["county", "a million", "ten thousand in a village", "a hundred townships", "a hundred villages"],
)
def test_households_are_written_in_the_order_of_their_ids_as_texts(
    households: int, parameters: CountyParameters, first: str, last: str
) -> None:
    ids: list[str] = []
    for number, size in enumerate(sizes_of(households, parameters)):
        ids += place(number, size, parameters).ids.to_pylist()
    assert len(ids) == households
    assert all(before < after for before, after in pairwise(ids))
    assert ids[0] == first
    assert ids[-1].startswith(last)


def place(number: int, size: int, parameters: CountyParameters) -> Place:
    """Return a township without its people, who would take long to draw."""

    def random(*purpose: int) -> np.random.Generator:
        return np.random.default_rng([0, number, *purpose])

    return Place(number, size, random(0), random, parameters)


def test_all_tables_are_cut_at_the_same_households_wherever_townships_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two townships of 160 households in blocks of 100: the second block has households of both."""
    monkeypatch.setattr(simulate, "HOUSEHOLDS_OF_A_BLOCK", 100)
    write_county(tmp_path / "county", tmp_path / "truth", 320, 15, 4)
    blocks = open_records(tmp_path / "county")
    ids = [sorted(set(block.table("households")["household_id"].to_pylist())) for block in blocks]
    assert [len(of_block) for of_block in ids] == [100, 100, 100, 20]
    assert {household[:3] for household in ids[1]} == {"T01", "T02"}
    for file in (tmp_path / "county").glob("*.parquet"):
        if "household_id" in TABLES[file.stem].columns:
            parquet = pq.ParquetFile(file)
            for number, of_block in enumerate(ids):
                assert set(parquet.read_row_group(number)["household_id"].to_pylist()) <= set(of_block)
            assert parquet.num_row_groups == len(ids)
