"""A bundle that is not what was published is refused, and the process lives."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from tests.support.small import Small, model_of, save

from relapse_risk import RelapseModel, score
from relapse_risk.errors import BundleRefused, NotFoundError, OutputExists, UsageError
from relapse_risk.model.bundle import load_model, versions
from relapse_risk.settings import CohortSettings

FILES = ("bundle.json", "booster-00.txt", "booster-01.txt", "manifest.json")
FLIPS = 20


@pytest.fixture
def bundle(small: Small, tmp_path: Path) -> Path:
    """A copy of the small model's bundle, to be damaged."""
    return Path(shutil.copytree(small.folder, tmp_path / small.version))


@pytest.fixture(scope="module")
def other(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound bundle of another seed."""
    models = tmp_path_factory.mktemp("other")
    model = model_of(small.records, small.data, random_state=7)
    return models / save(model, small.records.settings, small.records.end, models)


def seal(bundle: Path) -> Path:
    """Forge the manifest of a folder and name the folder after it, as someone who knows how would."""
    files = sorted(path for path in bundle.iterdir() if path.name != "manifest.json")
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return seal_manifest(bundle, json.dumps(hashes).encode())


def seal_manifest(bundle: Path, manifest: bytes) -> Path:
    (bundle / "manifest.json").write_bytes(manifest)
    name = f"{bundle.name[:8]}-{hashlib.sha256(manifest).hexdigest()[:12]}"
    return bundle.rename(bundle.with_name(name))


def test_a_bundle_holds_the_files_that_are_damaged_here(bundle: Path) -> None:
    assert sorted(path.name for path in bundle.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_refused_anywhere(bundle: Path, name: str) -> None:
    file = bundle / name
    sound = file.read_bytes()
    for k, offset in enumerate(np.linspace(0, len(sound) - 1, FLIPS).astype(int)):
        damaged = bytearray(sound)
        damaged[offset] ^= 1 << (k % 8)
        file.write_bytes(damaged)
        with pytest.raises(BundleRefused, match="manifest|damaged"):
            load_model(bundle)
    file.write_bytes(sound)
    load_model(bundle)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_refused(bundle: Path, name: str, share: float) -> None:
    content = (bundle / name).read_bytes()
    (bundle / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BundleRefused, match="manifest|damaged"):
        load_model(bundle)


def _appended(bundle: Path, _: Path) -> None:
    with (bundle / "booster-00.txt").open("ab") as file:
        file.write(b"\n")


def _boosters_exchanged(bundle: Path, _: Path) -> None:
    first, second = ((bundle / f"booster-0{k}.txt").read_bytes() for k in (0, 1))
    (bundle / "booster-00.txt").write_bytes(second)
    (bundle / "booster-01.txt").write_bytes(first)


def _booster_swapped(bundle: Path, other: Path) -> None:
    shutil.copy(other / "booster-00.txt", bundle / "booster-00.txt")


def _booster_swapped_and_manifest_edited(bundle: Path, other: Path) -> None:
    _booster_swapped(bundle, other)
    hashes = json.loads((bundle / "manifest.json").read_text())
    hashes["booster-00.txt"] = hashlib.sha256((bundle / "booster-00.txt").read_bytes()).hexdigest()
    (bundle / "manifest.json").write_text(json.dumps(hashes))


def _manifest_swapped(bundle: Path, other: Path) -> None:
    shutil.copy(other / "manifest.json", bundle / "manifest.json")


def _all_files_swapped(bundle: Path, other: Path) -> None:
    shutil.copytree(other, bundle, dirs_exist_ok=True)


def _missing(bundle: Path, _: Path) -> None:
    (bundle / "booster-01.txt").unlink()


def _no_manifest(bundle: Path, _: Path) -> None:
    (bundle / "manifest.json").unlink()


def _surplus(bundle: Path, _: Path) -> None:
    (bundle / "booster-02.txt").write_bytes((bundle / "booster-00.txt").read_bytes())


def _hidden_surplus(bundle: Path, _: Path) -> None:
    (bundle / ".notes").write_text("")


def _link(bundle: Path, _: Path) -> None:
    target = bundle.parent / "elsewhere.txt"
    (bundle / "booster-00.txt").rename(target)
    (bundle / "booster-00.txt").symlink_to(target)


def _linked_manifest(bundle: Path, _: Path) -> None:
    target = bundle.parent / "elsewhere.json"
    (bundle / "manifest.json").rename(target)
    (bundle / "manifest.json").symlink_to(target)


def _folder_for_a_file(bundle: Path, _: Path) -> None:
    (bundle / "booster-00.txt").unlink()
    (bundle / "booster-00.txt").mkdir()


def _pipe(bundle: Path, _: Path) -> None:
    (bundle / "booster-00.txt").unlink()
    os.mkfifo(bundle / "booster-00.txt")


@pytest.mark.parametrize(
    "damage",
    [
        *(_appended, _boosters_exchanged, _booster_swapped, _booster_swapped_and_manifest_edited),
        *(_manifest_swapped, _all_files_swapped, _missing, _no_manifest, _surplus, _hidden_surplus),
        *(_link, _linked_manifest, _folder_for_a_file, _pipe),
    ],
)
def test_a_bundle_whose_files_are_not_those_published_is_refused(
    bundle: Path, other: Path, damage: Callable[[Path, Path], None]
) -> None:
    damage(bundle, other)
    with pytest.raises(BundleRefused, match=bundle.name):
        load_model(bundle)


@pytest.mark.parametrize("name", ["latest", "20220701", "20220701-0123456789AB", "20220701-0123456789ab\n"])
def test_a_folder_of_another_name_is_refused(bundle: Path, name: str) -> None:
    with pytest.raises(BundleRefused, match="is not a model version"):
        load_model(bundle.rename(bundle.with_name(name)))


def test_a_linked_folder_is_refused(bundle: Path, tmp_path: Path) -> None:
    link = tmp_path / "models" / bundle.name
    link.parent.mkdir()
    link.symlink_to(bundle)
    with pytest.raises(BundleRefused, match="is not a model version"):
        load_model(link)


def test_an_unknown_version_is_refused_with_a_list_of_those_present(small: Small) -> None:
    with pytest.raises(NotFoundError, match=f"Versions there: .*{small.version}"):
        load_model(small.models / "20200101-0123456789ab")
    assert small.version in versions(small.models)


# Whoever can forge the manifest and the folder's name gets no further than a refusal either.
def _edit_bundle(bundle: Path, **fields: Any) -> Path:
    file = bundle / "bundle.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))
    return seal(bundle)


def test_a_forged_booster_that_lightgbm_aborts_on_is_refused(bundle: Path) -> None:
    text = (bundle / "booster-00.txt").read_text()
    (bundle / "booster-00.txt").write_text(text[: text.index("Tree=3")])
    with pytest.raises(BundleRefused, match="LightGBM cannot read a booster"):
        load_model(seal(bundle))


def test_a_forged_booster_of_other_features_is_refused(bundle: Path) -> None:
    text = (bundle / "booster-00.txt").read_text()
    names = next(line for line in text.splitlines() if line.startswith("feature_names="))
    first, second, *rest = names.removeprefix("feature_names=").split(" ")
    swapped = f"feature_names={' '.join([second, first, *rest])}"
    (bundle / "booster-00.txt").write_text(text.replace(names, swapped))
    with pytest.raises(BundleRefused, match="trained on other features"):
        load_model(seal(bundle))


@pytest.mark.parametrize("manifest", [b"[]", b"null", b"\xff", b"{", b'{"bundle.json": 1}', b"{}"])
def test_a_forged_manifest_of_another_shape_is_refused(bundle: Path, manifest: bytes) -> None:
    with pytest.raises(BundleRefused, match="manifest|files missing or surplus"):
        load_model(seal_manifest(bundle, manifest))


@pytest.mark.parametrize("name", ["../booster-00.txt", "/etc/hostname", "booster-00.txt\n", "bundle.json\0"])
def test_a_forged_manifest_leads_to_no_file_outside(bundle: Path, name: str) -> None:
    hashes = json.loads((bundle / "manifest.json").read_text()) | {name: "0" * 64}
    with pytest.raises(BundleRefused, match="files missing or surplus"):
        load_model(seal_manifest(bundle, json.dumps(hashes).encode()))


@pytest.mark.parametrize("left", [{"bundle.json"}, {"booster-00.txt"}])
def test_a_forged_bundle_without_a_part_is_refused(bundle: Path, left: set[str]) -> None:
    for path in bundle.iterdir():
        if path.name not in left:
            path.unlink()
    with pytest.raises(BundleRefused, match=r"bundle\.json and its boosters"):
        load_model(seal(bundle))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 1}, "does not fit this version"),
        ({"surplus": 1}, "does not fit this version"),
        ({"features": [1]}, "does not fit this version"),
        ({"features": ["none such"]}, "the catalogue does not declare"),
        ({"catalogue_sha256": "0" * 64}, "declared otherwise"),
        ({"parameters": {"n_trees": 3, "model": "x"}}, "parameters"),
    ],
)
def test_a_bundle_made_for_another_version_or_catalogue_is_refused(
    bundle: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleRefused, match=message):
        load_model(_edit_bundle(bundle, **fields))


class _Bomb:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "bundle.json", "booster-00.txt", "manifest.json"])
@pytest.mark.parametrize("forged", [False, True])
def test_a_pickle_in_a_bundle_is_never_loaded(bundle: Path, tmp_path: Path, name: str, *, forged: bool) -> None:
    canary = tmp_path / "canary"
    if name.endswith("joblib"):
        joblib.dump(_Bomb(canary), bundle / name)
    else:
        (bundle / name).write_bytes(pickle.dumps(_Bomb(canary)))
    with pytest.raises(BundleRefused):
        load_model(seal(bundle) if forged and name != "manifest.json" else bundle)
    assert not canary.exists()


def test_a_bundle_is_read_without_any_unpickling(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(joblib, "load", refuse)
    load_model(bundle)


def test_a_loaded_model_scores_as_the_one_that_was_saved(small: Small) -> None:
    bundle = load_model(small.folder)
    loaded = bundle.model
    np.testing.assert_array_equal(loaded.predict_proba(small.data.X), small.model.predict_proba(small.data.X))
    raw = small.model.decision_function(small.data.X)
    np.testing.assert_array_equal(loaded.band(raw), small.model.band(raw))
    assert loaded.reference_ == small.model.reference_
    assert (bundle.version, bundle.settings) == (small.version, small.records.settings)


def test_a_loaded_model_has_the_attributes_of_the_fitted_one_and_no_others(small: Small) -> None:
    loaded = load_model(small.folder).model
    assert set(vars(loaded)) == set(vars(small.model))
    assert {**loaded.get_params(), "n_threads": 1} == small.model.get_params()
    assert (loaded.n_rows_, loaded.n_left_out_) == (small.model.n_rows_, small.model.n_left_out_)


def test_a_bundle_scores_as_its_model_does_under_the_settings_of_the_bundle(small: Small) -> None:
    bundle = load_model(small.folder)
    expected = score(small.model, small.records, as_of=small.as_of)
    pd.testing.assert_frame_equal(bundle.score(small.records, as_of=small.as_of), expected, check_exact=True)
    everyone = CohortSettings(previously_poor_only=False)
    other = small.records.with_settings(small.records.settings.model_copy(update={"cohort": everyone}))
    assert len(score(small.model, other, as_of=small.as_of)) > len(expected)
    pd.testing.assert_frame_equal(bundle.score(other, as_of=small.as_of), expected, check_exact=True)


def test_a_loaded_model_saved_again_is_the_same_bytes(small: Small, tmp_path: Path) -> None:
    bundle = load_model(small.folder)
    assert save(bundle.model, bundle.settings, small.records.end, tmp_path) == small.version
    for file in small.folder.iterdir():
        assert (tmp_path / small.version / file.name).read_bytes() == file.read_bytes()


def test_saving_over_something_else_is_refused(small: Small, tmp_path: Path) -> None:
    folder = tmp_path / small.version
    folder.mkdir()
    (folder / "thesis.txt").write_text("not ours to lose")
    with pytest.raises(OutputExists, match="holds something else"):
        save(small.model, small.records.settings, small.records.end, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == [small.version, "thesis.txt"]


def test_a_model_of_unnamed_columns_is_not_saved(small: Small, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    model = RelapseModel(n_trees=2, n_boosters=1, n_threads=1).fit(X, X[:, 0] > 0)
    with pytest.raises(UsageError, match="named features"):
        save(model, small.records.settings, small.records.end, tmp_path)
