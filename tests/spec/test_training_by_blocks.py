"""Training and judging a records folder block by block, as on the whole of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.support.blocks import in_blocks
from tests.support.small import small_county, train_few_trees

from relapse_risk.features.catalogue import catalogue
from relapse_risk.model.bundle import load_model
from relapse_risk.records.blocks import RecordBlocks
from relapse_risk.records.records import Records
from relapse_risk.training.compare import compare_features
from relapse_risk.training.dataset import make_dataset
from relapse_risk.training.evaluate import WITHOUT_DIRECTIONS, evaluate
from relapse_risk.training.splits import mature_dates
from relapse_risk.training.train import train

UNTIL = "2022-07-01"


@pytest.fixture(scope="module")
def whole() -> Records:
    return small_county(300, months=40)


def with_training(records: Any, **changed: Any) -> Any:
    training = records.settings.training.model_copy(update=changed)
    return records.with_settings(records.settings.model_copy(update={"training": training}))


@pytest.fixture(params=[64, 1000], ids=["blocks", "one block"])
def blocks(whole: Records, tmp_path: Path, request: pytest.FixtureRequest) -> RecordBlocks:
    opened = in_blocks(whole, tmp_path / "county", request.param)
    assert (len(opened) > 3) == (request.param == 64)
    return opened


def test_rows_labels_and_features_are_the_same_bit_for_bit(whole: Records, blocks: RecordBlocks) -> None:
    dates = mature_dates(whole)
    assert mature_dates(blocks) == dates
    early = mature_dates(whole.visible(UNTIL))
    assert mature_dates(blocks.visible(UNTIL)) == early
    expected, found = (make_dataset(of, dates) for of in (whole, blocks))
    pd.testing.assert_frame_equal(found.X, expected.X, check_exact=True)
    assert found.counts == expected.counts
    for name in ("y", "to_train", "in_cohort", "not_poor", "poor_before"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    pd.testing.assert_frame_equal(found.rule_features, expected.rule_features, check_exact=True)


@pytest.mark.parametrize("most_negatives", [500_000, 400], ids=["all", "sampled"])
def test_the_model_and_its_judging_are_the_same_bit_for_bit(
    whole: Records, blocks: RecordBlocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_negatives: int
) -> None:
    train_few_trees(monkeypatch)
    expected, found = (
        train(with_training(of, most_negatives=most_negatives), tmp_path / name, until=UNTIL)
        for of, name in ((whole, "whole"), (blocks, "blocks"))
    )
    assert found.bundle.version == expected.bundle.version
    assert found.predictions is not None
    assert expected.predictions is not None
    pd.testing.assert_frame_equal(found.predictions, expected.predictions, check_exact=True)
    assert found.metrics == expected.metrics
    judged, of_whole = (evaluate(load_model(expected.folder), of, start=UNTIL)[0] for of in (blocks, whole))
    pd.testing.assert_frame_equal(judged, of_whole, check_exact=True)


def test_a_sample_is_learned_from_and_every_household_is_judged(
    blocks: RecordBlocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_few_trees(monkeypatch)
    every, sample, asked = (
        train(with_training(blocks, **training), tmp_path / str(number))
        for number, training in enumerate(
            ({}, {"most_negatives": 400}, {"most_negatives": 400, "without_directions": True})
        )
    )
    assert asked.predictions is not None
    assert WITHOUT_DIRECTIONS in asked.predictions
    assert every.predictions is not None
    assert sample.predictions is not None
    columns = ["household_id", "as_of", "label"]
    pd.testing.assert_frame_equal(sample.predictions[columns], every.predictions[columns])
    assert WITHOUT_DIRECTIONS in every.predictions
    assert WITHOUT_DIRECTIONS not in sample.predictions
    negatives = every.bundle.info.training.rows - every.bundle.info.training.positives
    assert every.bundle.info.training.negatives_share == 1.0
    assert sample.bundle.info.training.negatives_share == pytest.approx(400 / negatives)
    assert sample.bundle.info.training.rows == every.bundle.info.training.rows
    kept = sample.bundle.model.n_rows_ - sample.bundle.info.training.positives
    assert kept == pytest.approx(400, rel=0.2)
    foreseen, of_every = (found["probability"].sum() for found in (sample.predictions, every.predictions))
    assert foreseen == pytest.approx(of_every, rel=0.3)


def test_models_of_origins_have_as_many_boosters_as_are_set(
    blocks: RecordBlocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relapse_risk.training.train.RelapseModel.fit", _noting_fit := _Noting())
    with pytest.raises(_Enough):
        train(with_training(blocks, origin_boosters=3), tmp_path / "models")
    assert _noting_fit.boosters == [3]


class _Enough(Exception):
    """Ends a training."""


class _Noting:
    def __init__(self) -> None:
        self.boosters: list[int] = []

    def __get__(self, model: Any, _: Any) -> Any:
        def fit(*_: Any, **__: Any) -> None:
            self.boosters.append(model.n_boosters)
            raise _Enough

        return fit


def test_features_are_compared_alike(whole: Records, blocks: RecordBlocks, monkeypatch: pytest.MonkeyPatch) -> None:
    train_few_trees(monkeypatch)
    expected, found = (
        compare_features(of, without=["visits"], group="fall", draws=5, n_threads=1) for of in (whole, blocks)
    )
    pd.testing.assert_frame_equal(found.summary, expected.summary, check_exact=True)
    assert len(catalogue(whole.settings, whole.present)) in set(found.summary["features"])
