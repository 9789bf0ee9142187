"""Models on disk: folders of text files whose SHA-256 hashes are in a manifest and in the folder's name.

No file is parsed before its hash was checked. No pickle is ever read. A bundle is written as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from relapse_risk.errors import BundleRefused, NotFoundError, OutputExists, UsageError
from relapse_risk.features.catalogue import fingerprint
from relapse_risk.model.boosters import Boosters
from relapse_risk.model.calibration import SigmoidCalibrator
from relapse_risk.model.estimator import RelapseModel
from relapse_risk.model.inputs import FeatureReference, features_by_name
from relapse_risk.model.reasons import MOST_REASONS
from relapse_risk.outputs import hold, sweep_folder
from relapse_risk.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from relapse_risk.dates import DateLike
    from relapse_risk.features.declare import Feature
    from relapse_risk.records.records import Records

MANIFEST = "manifest.json"
INFO = "bundle.json"
FIRST_BOOSTER = "booster-00.txt"
FORMAT = 2
#: A version is the end of its training data and the first digits of the hash of its manifest.
VERSION = re.compile(r"^\d{8}-[0-9a-f]{12}$")
_FILE = re.compile(r"^(bundle\.json|booster-\d{2}\.txt)$")
#: Largest file that is read, in bytes: a bound on what is read before its hash is known.
_LARGEST = 512 * 2**20
_LIBRARIES = ("lightgbm", "numpy", "scikit-learn", "numba", "pandas", "pyarrow")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainingInfo(_Strict):
    """What a model was trained on.

    Parameters
    ----------
    until : str
        Records known before this day were used.
    first_as_of, last_as_of : str
        Training dates.
    rows, households, positives : int
        Rows, households among them, and rows with the outcome.
    left_out : dict of str to int
        Rows without a label, by reason; see ``relapse_risk.labelling.LEFT_OUT``.
    rows_fitted : int, optional
        Rows that the model was fitted on, if some of the negatives were left out; all otherwise.
    negatives_share : float
        Share of the rows without the outcome that was trained on; each counted for ``1 / negatives_share``.
    """

    until: str
    first_as_of: str
    last_as_of: str
    rows: int
    households: int
    positives: int
    left_out: dict[str, int]
    rows_fitted: int | None = None
    negatives_share: float = 1.0


class _Reference(_Strict):
    missing: float
    quantiles: tuple[float, ...]


class _Calibrator(_Strict):
    kind: Literal["sigmoid"]
    slope: float
    intercept: float


class BundleInfo(_Strict):
    """The contents of ``bundle.json``.

    Parameters
    ----------
    format : int
        Version of the format of a bundle.
    features : tuple of str
        Columns in the order of training.
    catalogue_sha256 : str
        Fingerprint of their declarations.
    """

    format: Literal[2]
    features: tuple[str, ...]
    catalogue_sha256: str
    categories: dict[str, tuple[str, ...]]
    classes: tuple[bool, bool]
    parameters: dict[str, Any]
    calibrator: _Calibrator
    calibrated_on: str
    band_thresholds: dict[str, float]
    reference: dict[str, _Reference]
    settings: Settings
    training: TrainingInfo
    metrics: dict[str, Any]
    libraries: dict[str, str]


@dataclass(frozen=True)
class Bundle:
    """A trained model with all that was recorded of its training; ``load_model`` returns one.

    Parameters
    ----------
    model : RelapseModel
        Fitted; it has the attributes that ``RelapseModel.fit`` sets, and no others.
    settings : Settings
        What it was trained with: its outcome, cohort and items are used wherever it scores or is judged.
    info : BundleInfo
        The contents of ``bundle.json``.
    version : str
        The name of its folder.
    """

    model: RelapseModel
    settings: Settings
    info: BundleInfo
    version: str

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The declared features of the model's columns, in order."""
        return features_by_name(self.info.features, self.settings)

    def score(
        self,
        records: Records,
        *,
        as_of: DateLike | Iterable[DateLike] | None = None,
        index: pd.MultiIndex | None = None,
        n_reasons: int = MOST_REASONS,
    ) -> pd.DataFrame:
        """Score households on dates by ``relapse_risk.score``, with the bundle's outcome, cohort and items.

        Parameters
        ----------
        records : Records
            Histories to score. Their own settings give the line, the cycle and what the accounts cover.
        as_of, index, n_reasons
            See ``relapse_risk.score``.

        Returns
        -------
        pandas.DataFrame
            See ``relapse_risk.score``.
        """
        from relapse_risk.scoring.score import score  # noqa: PLC0415 - scoring builds on models

        records = records.with_model_settings(self.settings)
        return score(self.model, records, as_of=as_of, index=index, n_reasons=n_reasons, settings=self.settings)


def save_bundle(
    model: RelapseModel,
    models: Path | str,
    *,
    settings: Settings,
    training: TrainingInfo,
    metrics: Mapping[str, Any],
) -> str:
    """Write a model below a folder of models and return its version.

    The same model, data and seed give the same bytes and so the same version; writing it again changes nothing.

    Parameters
    ----------
    model : RelapseModel
        Fitted on ``build_features``.
    models : path
        Folder of bundles.
    settings : Settings
        What it was trained with.
    training : TrainingInfo
        What it was trained on.
    metrics : dict
        Metrics of its evaluation.

    Raises
    ------
    UsageError
        If the model was fitted without feature names.
    OutputExists
        If a folder of that name holds something else.
    """
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        raise UsageError("only a model fitted on named features can be saved; fit it on build_features(...)")
    features = features_by_name(list(names), settings)
    info = BundleInfo(
        format=FORMAT,
        features=tuple(names),
        catalogue_sha256=fingerprint(features),
        categories={name: tuple(of) for name, of in model.categories_.items()},
        classes=tuple(bool(c) for c in model.classes_),
        parameters=_parameters(model),
        calibrator=_Calibrator(
            kind="sigmoid", slope=model.calibrator_.slope, intercept=model.calibrator_.intercept
        ),
        calibrated_on=model.calibrated_on_,
        band_thresholds=model.band_thresholds_,
        reference={k: _Reference(missing=r.missing, quantiles=r.quantiles) for k, r in model.reference_.items()},
        settings=settings,
        training=training,
        metrics=dict(metrics),
        libraries={library: metadata.version(library) for library in _LIBRARIES},
    )
    contents = {f"booster-{k:02d}.txt": text.encode() for k, text in enumerate(model.boosters_.to_texts())}
    contents[INFO] = _json(info.model_dump(mode="json"))
    contents[MANIFEST] = _json({name: hashlib.sha256(data).hexdigest() for name, data in contents.items()})
    version = f"{training.until.replace('-', '')}-{hashlib.sha256(contents[MANIFEST]).hexdigest()[:12]}"
    _write(Path(models) / version, contents)
    return version


def _parameters(model: RelapseModel) -> dict[str, Any]:
    """Return the model's parameters, except those in the settings and those that do not change the model."""
    return {k: v for k, v in model.get_params().items() if k not in ("outcome", "n_threads")}


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    sweep_folder(folder.parent, VERSION.fullmatch)
    if _is_there(folder, contents):
        return
    with hold(folder, wait=True) as held:  # another run writes the same bytes
        if _is_there(folder, contents):
            return
        with held.folder(MANIFEST, lacking="is no bundle") as new:
            for name, data in contents.items():
                (new / name).write_bytes(data)


def _is_there(folder: Path, contents: Mapping[str, bytes]) -> bool:
    if not folder.exists():
        return False
    for name, data in contents.items():
        file = folder / name
        if not file.is_file() or file.read_bytes() != data:
            raise OutputExists(f"{folder} exists and holds something else; move it away and train again")
    return True


def versions(models: Path | str) -> list[str]:
    """Return the versions in a folder of models, in order of the end of their training data."""
    folder = Path(models)
    return sorted(p.name for p in folder.iterdir() if VERSION.fullmatch(p.name)) if folder.is_dir() else []


def find_bundle(models: Path | str, version: str | None = None) -> Path:
    """Return the folder of a version, or of the one with the latest training data.

    A version is a name, never a path: nothing outside the folder of models is read.

    Raises
    ------
    UsageError
        If the version does not have the form of one, or ``models`` is a file.
    NotFoundError
        If no version is given and there is none.

    Examples
    --------
    >>> find_bundle("models", "../20220701-0123456789ab")
    Traceback (most recent call last):
    ...
    relapse_risk.errors.UsageError: '../20220701-0123456789ab' is not a model version. Valid: ...
    """
    folder = Path(models)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--models {folder} is a file. Valid: a folder of model bundles.")
    there = versions(folder)
    if version is None:
        if not there:
            raise NotFoundError(f"no model in {folder}; train one: relapse train --data DIR --models {folder}")
        return folder / there[-1]
    if not VERSION.fullmatch(version):
        raise UsageError(
            f"{version!r} is not a model version. Valid: YYYYMMDD-<12 hex digits>, a folder's name in {folder}. "
            f"Versions there: {', '.join(there) or 'none'}."
        )
    return folder / version


def load_model(path: Path | str) -> Bundle:
    """Read a bundle.

    Parameters
    ----------
    path : path
        The bundle's folder, ``models/<version>``.

    Returns
    -------
    Bundle
        Its model scores as the one that was saved, bit for bit.

    Raises
    ------
    NotFoundError
        If there is no such folder; the message lists the versions there are.
    BundleRefused
        If a file is missing, surplus, altered or a link, or the bundle is of another format or catalogue.
    """
    folder = Path(path)
    if not folder.is_dir():
        there = ", ".join(versions(folder.parent)) or "none"
        raise NotFoundError(f"no model {folder.name} in {folder.parent}. Versions there: {there}.")
    if not VERSION.fullmatch(folder.name) or folder.is_symlink():
        raise BundleRefused(f"{folder.name!r} is not a model version (YYYYMMDD-<12 hex digits>)")
    contents = _verified(folder)
    try:
        info = BundleInfo.model_validate_json(contents[INFO])
    except ValidationError as error:
        raise BundleRefused(
            f"{folder.name}: bundle.json does not fit this version ({error.error_count()} place(s)). "
            "Use the version of relapse-risk it was made with, or train a new model."
        ) from error
    if info.parameters.keys() != _parameters(RelapseModel()).keys():
        raise BundleRefused(f"{folder.name}: its parameters are not this version's. Train a new model.")
    texts = [contents[name] for name in sorted(contents) if name != INFO]
    features = features_by_name(info.features, info.settings)
    if fingerprint(features) != info.catalogue_sha256:
        raise BundleRefused(
            f"{folder.name}: its features are declared otherwise in this version's catalogue. "
            "Use the version of relapse-risk it was made with, or train a new model."
        )
    for text in texts:
        _try_to_parse(folder.name, text)
    model = _restore(info, [text.decode() for text in texts], folder.name)
    return Bundle(model, info.settings, info, folder.name)


def _verified(folder: Path) -> dict[str, bytes]:
    """Return the contents of the bundle's files, after checking the hash of the very bytes returned."""
    advice = "Fetch the bundle again from where it was published."
    manifest = _read(folder / MANIFEST)
    if hashlib.sha256(manifest).hexdigest()[:12] != folder.name.split("-")[1]:
        raise BundleRefused(f"{folder.name}: the manifest is not the one this version was named after. {advice}")
    try:
        hashes = TypeAdapter(dict[str, str]).validate_json(manifest, strict=True)
    except ValidationError as error:
        raise BundleRefused(f"{folder.name}: the manifest is not a list of files. {advice}") from error
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    if present != set(hashes):
        odd = ", ".join(sorted(present ^ set(hashes)))
        raise BundleRefused(f"{folder.name}: files missing or surplus: {odd}. {advice}")
    if not all(_FILE.fullmatch(name) for name in hashes) or not {INFO, FIRST_BOOSTER} <= set(hashes):
        raise BundleRefused(f"{folder.name}: a bundle is {INFO} and its boosters, no more and no less. {advice}")
    contents = {}
    for name, expected in hashes.items():
        contents[name] = _read(folder / name)
        if hashlib.sha256(contents[name]).hexdigest() != expected:
            raise BundleRefused(f"{folder.name}: {name} is damaged or was altered. {advice}")
    return contents


def _read(file: Path) -> bytes:
    """Return the bytes of a file; a link, a device or a file that is too large is not read."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise BundleRefused(f"{file.parent.name}: {file.name} is missing or a link") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
        os.close(descriptor)
        raise BundleRefused(f"{file.parent.name}: {file.name} is not a file of a bundle")
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


#: Parses a booster with LightGBM's C library alone, in a tenth of a second; an abort ends only this process.
_TRIAL = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
booster, trees = ctypes.c_void_p(), ctypes.c_int(0)
text = sys.stdin.buffer.read()
sys.exit(library.LGBM_BoosterLoadModelFromString(text, ctypes.byref(trees), ctypes.byref(booster)))
"""


def _try_to_parse(version: str, text: bytes) -> None:
    """Parse the text in another process first, because LightGBM aborts on a text it cannot read."""
    spec = find_spec("lightgbm")
    if spec is None or spec.origin is None:  # pragma: no cover - lightgbm is a dependency
        raise BundleRefused("lightgbm is not installed")
    library = next(Path(spec.origin).parent.rglob("lib_lightgbm.*"))
    trial = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-I", "-S", "-c", _TRIAL, str(library)],
        input=text,
        capture_output=True,
        check=False,
        timeout=120,
    )
    if trial.returncode:
        raise BundleRefused(
            f"{version}: LightGBM cannot read a booster, although its hash is right. Train a new model."
        )


def _restore(info: BundleInfo, texts: list[str], version: str) -> RelapseModel:
    model = RelapseModel(**info.parameters, outcome=info.settings.outcome)
    model.classes_ = np.array(info.classes)
    model.feature_names_in_ = np.array(info.features, dtype=object)
    model.n_features_in_ = len(info.features)
    model.categories_ = {name: list(of) for name, of in info.categories.items()}
    model.boosters_ = Boosters.from_texts(texts)
    if any(booster.feature_name() != list(info.features) for booster in model.boosters_.boosters):
        raise BundleRefused(
            f"{version}: a booster was trained on other features than the bundle names. Train a new model."
        )
    model.calibrator_ = SigmoidCalibrator(info.calibrator.slope, info.calibrator.intercept)
    model.calibrated_on_ = info.calibrated_on
    model.band_thresholds_ = dict(info.band_thresholds)
    model.reference_ = {k: FeatureReference(r.missing, r.quantiles) for k, r in info.reference.items()}
    model.n_rows_ = info.training.rows_fitted or info.training.rows
    model.n_left_out_ = sum(info.training.left_out.values())
    return model
