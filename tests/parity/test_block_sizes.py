"""Whatever is computed block by block is what the records as a whole give, for any size of blocks."""

from __future__ import annotations

import datetime as dt
import gc
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support.blocks import in_blocks
from tests.support.small import Small

from relapse_risk import attrition, build_features, cohort, label_counts, labels, load_model
from relapse_risk.cohorts import Purpose, cohort_flags, select
from relapse_risk.errors import RecordsEndBefore, UsageError
from relapse_risk.features.build import encode
from relapse_risk.records.blocks import RecordBlocks, each_block
from relapse_risk.records.records import Records
from relapse_risk.scoring.ranking import rank, ranked
from relapse_risk.scoring.result_files import new_table

DATES = [dt.date(2021, 1, 1), dt.date(2021, 9, 1), dt.date(2022, 5, 1)]


@pytest.fixture(scope="module", params=[7, 64, 4096])
def blocks(small: Small, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> RecordBlocks:
    blocks = in_blocks(small.records, tmp_path_factory.mktemp("blocks") / "county", request.param)
    assert len(blocks) == -(-400 // request.param)
    return blocks


@pytest.mark.parametrize("purpose", ["score", "train"])
def test_the_cohort_and_its_attrition_are_those_of_the_whole(
    small: Small, blocks: RecordBlocks, purpose: Purpose
) -> None:
    whole = cohort(small.records, DATES, purpose=purpose)
    by_block = cohort(blocks, DATES, purpose=purpose)
    assert len(whole) > 100
    assert whole.is_monotonic_increasing
    pd.testing.assert_index_equal(by_block, whole, exact=True)
    assert all(level.equals(other) for level, other in zip(by_block.levels, whole.levels, strict=True))
    pd.testing.assert_frame_equal(
        attrition(blocks, DATES, purpose=purpose), attrition(small.records, DATES, purpose=purpose)
    )


def test_labels_and_flags_of_any_pairs_are_those_of_the_whole(small: Small, blocks: RecordBlocks) -> None:
    """Shuffled pairs, some of households that no block has."""
    ids = [*small.records.table("households")["household_id"].unique().to_pylist(), "", "T01V01H", "a", "县"]
    index = pd.MultiIndex.from_product([ids, pd.DatetimeIndex(DATES)], names=["household_id", "as_of"])
    index = index[np.random.default_rng(0).permutation(len(index))]
    pd.testing.assert_series_equal(labels(blocks, index), labels(small.records, index))
    counts = label_counts(small.records, index)
    assert label_counts(blocks, index) == counts
    assert all(counts[name] for name in ("positive", "negative", "immature"))
    for by_block, whole in zip(cohort_flags(blocks, index), cohort_flags(small.records, index), strict=True):
        assert whole.any()
        np.testing.assert_array_equal(by_block, whole)


def test_an_earlier_day_shows_the_blocks_what_it_shows_the_whole(small: Small, blocks: RecordBlocks) -> None:
    day = dt.date(2021, 3, 1)
    early, whole = blocks.visible(day), small.records.visible(day)
    assert early.end == whole.end == day
    index = cohort(whole, DATES)
    pd.testing.assert_index_equal(cohort(early, DATES), index)
    pd.testing.assert_series_equal(labels(early, index), labels(whole, index))
    before_all = blocks.visible("2010-01-01")
    pd.testing.assert_index_equal(cohort(before_all, DATES), cohort(small.records.visible("2010-01-01"), DATES))


def test_households_done_are_counted_block_by_block(blocks: RecordBlocks) -> None:
    told: list[tuple[int, int]] = []
    sizes = list(
        each_block(
            blocks,
            lambda block: len(block.table("households")["household_id"].unique()),
            on_done=lambda done, of: told.append((done, of)),
        )
    )
    assert sum(sizes) == 400
    assert told == ([(int(done), 400) for done in np.cumsum(sizes)] if len(sizes) > 1 else [])


def test_the_ranked_list_is_that_of_the_whole_to_the_byte(
    small: Small, blocks: RecordBlocks, tmp_path: Path
) -> None:
    bundle = load_model(small.folder)
    day = small.as_of
    whole, by_block = rank(bundle, small.records, day), rank(bundle, blocks, day)
    assert len(whole.rows) > 50
    assert by_block.first_profile == whole.first_profile
    pd.testing.assert_frame_equal(by_block.attrition, whole.attrition)
    for ending in ("csv", "parquet"):
        files = [tmp_path / f"{name}.{ending}" for name in ("whole", "by_block")]
        for file, ranking in zip(files, (whole, by_block), strict=True):
            with new_table(file) as write:
                write(ranking.rows)
        assert files[0].read_bytes() == files[1].read_bytes()
    pd.testing.assert_frame_equal(ranked(bundle, blocks, day), ranked(bundle, small.records, day))
    with pytest.warns(RecordsEndBefore):
        assert len(rank(bundle, blocks, day + dt.timedelta(days=5)).rows)
    with pytest.raises(UsageError, match="Bring later records"):
        rank(bundle, blocks, day + dt.timedelta(days=100))


def test_what_was_made_of_a_block_goes_with_the_block(blocks: RecordBlocks) -> None:
    """Without waiting for a garbage collection: a county's blocks would pile up until then."""
    made: list[weakref.ref[object]] = []

    def use(block: Records) -> None:
        select(block, np.array([18_993], np.int32), "score")
        build_features(block, cohort(block, DATES))
        encoded = encode(block)
        made.extend(weakref.ref(of) for of in (block, encoded, encoded.table("incomes"), encoded.table("statuses")))

    gc.collect()
    gc.disable()
    try:
        for _ in each_block(blocks, use):
            pass
        assert len(made) == 4 * len(blocks)
        assert not [of() for of in made if of() is not None]
    finally:
        gc.enable()
