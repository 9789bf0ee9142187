"""Which negatives are trained on where there are too many, and what they count for."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest
from tests.support.small import Small

from relapse_risk.settings import TrainingSettings
from relapse_risk.training.dataset import sampled, with_features
from relapse_risk.training.sampling import kept, uniform

DAYS = pd.to_datetime(["2024-01-01", "2024-03-01"])
MASK = 2**64 - 1


def pairs(n: int) -> pd.MultiIndex:
    return pd.MultiIndex.from_product([[f"户{k:05}" for k in range(n)], DAYS], names=["household_id", "as_of"])


def splitmix(x: int) -> int:
    """SplitMix64's next number, as its authors' C program has it."""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def test_the_number_of_a_pair_follows_from_its_id_its_day_and_the_seed_alone() -> None:
    index = pairs(3)
    for seed in (0, 7):
        for number, (household, day) in zip(uniform(index, seed).tolist(), index, strict=True):
            digest = blake2b(household.encode(), digest_size=8, key=seed.to_bytes(8, "little")).digest()
            days = (day - pd.Timestamp(0)).days
            assert number == (splitmix(int.from_bytes(digest, "little") ^ splitmix(days)) >> 11) / 2**53
    assert splitmix(0) == 0xE220A8397B1DCDAF  # the first number of its authors' program from seed 0


def test_numbers_do_not_depend_on_the_other_pairs_or_their_order() -> None:
    index = pairs(500)
    order = np.random.default_rng(0).permutation(len(index))[:300]
    np.testing.assert_array_equal(uniform(index[order], 3), uniform(index, 3)[order])


def test_numbers_are_spread_evenly_and_differ_by_household_date_and_seed() -> None:
    numbers = uniform(pairs(20_000), 0)
    counts = np.bincount((numbers * 20).astype(int), minlength=20)
    assert np.abs(counts - 2_000).max() < 4 * np.sqrt(2_000)
    assert len(np.unique(numbers)) == len(numbers)
    assert abs(np.corrcoef(numbers[::2], numbers[1::2])[0, 1]) < 0.03
    assert abs(np.corrcoef(numbers, uniform(pairs(20_000), 1))[0, 1]) < 0.03


def test_every_positive_is_kept_and_a_smaller_share_of_negatives_is_part_of_a_larger_one() -> None:
    index = pairs(5_000)
    y = np.arange(len(index)) % 10 == 0
    few, many = (kept(index, y, share, 0) for share in (0.1, 0.3))
    assert few[y].all()
    assert (many | ~few).all()
    assert few[~y].mean() == pytest.approx(0.1, abs=0.01)
    assert many[~y].mean() == pytest.approx(0.3, abs=0.015)
    assert kept(index, y, 1.0, 0).all()


def test_only_rows_to_train_on_are_drawn_from_and_weights_add_up_to_them(small: Small) -> None:
    rows = small.data.take(np.arange(len(small.data)) % 7 != 0)
    negatives = int((rows.to_train & ~rows.y).sum())
    settings = TrainingSettings().model_copy(update={"most_negatives": negatives // 3})
    learned, share = sampled(rows, settings)
    assert share == pytest.approx(1 / 3, rel=0.01)
    assert learned.to_train.all()
    assert learned.y.sum() == (rows.to_train & rows.y).sum()
    data = with_features(small.records, learned, (), share=share)
    assert data.weight is not None
    assert (data.weight[data.y] == 1.0).all()
    assert data.weight[~data.y].sum() == pytest.approx(negatives, rel=0.1)
    thinner, weight = data.thinned(data.to_train, negatives // 9)
    assert weight is not None
    assert (thinner & ~data.y).sum() == pytest.approx(negatives / 9, rel=0.2)
    assert weight[~data.y[thinner]].sum() == pytest.approx(negatives, rel=0.2)


def test_where_there_are_not_too_many_all_are_kept_and_none_has_a_weight(small: Small) -> None:
    learned, share = sampled(small.data, TrainingSettings())
    assert share == 1.0
    assert learned.index.equals(small.data.index[small.data.to_train])
    data = with_features(small.records, learned, ())
    assert data.weight is None
    rows, weight = data.thinned(data.to_train, len(data))
    assert weight is None
    assert (rows == data.to_train).all()
