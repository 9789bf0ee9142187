"""The same data and seed give the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.support.small import Small, dataset_of, model_of, save

from relapse_risk import Records, RelapseModel
from relapse_risk.records.tables import TABLES


def bytes_of(model: RelapseModel, small: Small, models: Path) -> dict[str, str]:
    """Return the hash of every file of a model's bundle."""
    folder = models / save(model, small.records.settings, small.records.end, models)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def expected(small: Small) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in small.folder.iterdir()}


@pytest.mark.parametrize("threads", [1, 2])
def test_training_again_gives_the_same_bytes_on_any_number_of_threads(
    small: Small, expected: dict[str, str], tmp_path: Path, threads: int
) -> None:
    again = model_of(small.records, small.data, n_threads=threads)
    assert bytes_of(again, small, tmp_path) == expected


def test_another_seed_gives_another_model(small: Small, expected: dict[str, str], tmp_path: Path) -> None:
    other = bytes_of(model_of(small.records, small.data, random_state=1), small, tmp_path)
    assert other["booster-00.txt"] != expected["booster-00.txt"]


def test_the_order_of_records_changes_no_byte(small: Small, expected: dict[str, str], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tables = {
        name: small.records.table(name).take(pa.array(rng.permutation(small.records.table(name).num_rows)))
        for name in TABLES
        if name in small.records.present
    }
    shuffled = Records.from_tables(tables, small.records.settings)
    assert bytes_of(model_of(shuffled, dataset_of(shuffled)), small, tmp_path) == expected


TRAIN = """
import sys
from pathlib import Path
from tests.support.small import make_small
print(make_small(Path(sys.argv[1])).version)
"""


def test_another_process_with_other_hash_seeds_gives_the_same_version(small: Small, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == small.version
