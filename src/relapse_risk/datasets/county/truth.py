"""The true hazards, in a folder apart from the records, and never beside the records of another run.

The file of a truth is named by what it holds, and the records' ``simulation.json`` names theirs. So one step, in
which new records take their name, changes both: before it, the records there name the old truth; after it, the new
one. A run killed before that step leaves a file that no records name. The next run that is completed removes it, as
it removes the truth of the records it replaces.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.errors import NotFoundError, OutputBusy, OutputExists, StorageError, UsageError
from relapse_risk.outputs import hold
from relapse_risk.records.folder import OURS, SIMULATION_FILE, load_records

if TYPE_CHECKING:
    import pandas as pd

    from relapse_risk.records.records import Records

#: Name of the truth beside other orders of households: the best that any order could do.
CEILING = "truth (the ceiling)"
#: Files of a folder of truths; the names without a hash are those of an earlier layout.
_TRUTHS = re.compile(r"hazard(-[0-9a-f]{16})?\.parquet|simulation\.json")
_LACKING = "holds nothing simulated"


class NewCounty(NamedTuple):
    """Where a run writes: the empty folder of its records, and the file of its truth."""

    records: Path
    truth: Path


@contextmanager
def new_county(out: Path | str, truth: Path | str, made_with: Mapping[str, Any]) -> Iterator[NewCounty]:
    """Hold both folders from the start of a run, and change both in one step at its end if the block succeeds.

    Parameters
    ----------
    out : path
        Records folder.
    truth : path
        Folder of the true hazards.
    made_with : dict
        What the county is simulated with, for ``simulation.json``.

    Raises
    ------
    OutputExists
        If either folder holds something else: imported records are never replaced.
    OutputBusy
        If another run is writing either.
    UsageError
        If one folder lies in the other.
    """
    out, truth = Path(out), Path(truth)
    if _inside(out, truth) or _inside(truth, out):
        raise UsageError(
            f"--out {out} and --truth {truth}: the truth is kept apart. Name two folders side by side."
        )
    with hold(out) as county, hold(truth) as apart:
        _refuse_foreign(truth)
        hazards, name = apart.addition(".parquet"), ""
        try:
            with county.folder(SIMULATION_FILE, _LACKING, ours=OURS) as records:
                yield NewCounty(records, hazards.path)
                with hazards.path.open("rb") as file:
                    name = _name(hashlib.file_digest(file, "sha256"))
                text = json.dumps({**made_with, "truth": name}, indent=2)
                (records / SIMULATION_FILE).write_text(text + "\n", encoding="utf-8")
                hazards.put(name)
        except BaseException:
            if _named(out) != name:
                hazards.undo()
            raise
        for old in truth.iterdir():
            if old.name != name and _TRUTHS.fullmatch(old.name):
                with suppress(OSError):  # no records name it, so it does no harm; the next run tries again
                    old.unlink()


def read_truth(truth: Path | str, records: Path | str) -> pa.Table:
    """Read the true hazards of a simulated county.

    Parameters
    ----------
    truth : path
        Folder of the true hazards.
    records : path
        Folder of the county's records, which name their truth.

    Returns
    -------
    pyarrow.Table
        See ``SimulatedTownship``.

    Raises
    ------
    NotFoundError
        If the records are not simulated, or the folder does not hold their truth.
    StorageError
        If the file is damaged.
    """
    while True:
        name = _truth_of(records)
        try:
            data = (Path(truth) / name).read_bytes()
        except FileNotFoundError:
            if _truth_of(records) != name:  # replaced meanwhile
                continue
            raise NotFoundError(
                f"{truth} does not hold the truth of the records in {records} ({name}). Name the folder that "
                f"`relapse simulate --out {records}` wrote it to, or simulate again."
            ) from None
        if _name(hashlib.sha256(data)) != name:
            raise StorageError(f"{Path(truth) / name} is damaged; simulate the county again")
        return pq.read_table(pa.BufferReader(data))


def read_county(records: Path | str, truth: Path | str) -> tuple[Records, pa.Table]:
    """Read a simulated county's records and truth, both of one run even if another run replaces them meanwhile.

    Raises
    ------
    NotFoundError, RecordsInvalid, StorageError
        See ``load_records`` and ``read_truth``.
    OutputBusy
        If the records were replaced while they were read.
    """
    before = _truth_of(records)
    try:
        return load_records(records), read_truth(truth, records)
    finally:
        if _named(Path(records)) != before:
            raise OutputBusy(f"another run replaced {records} while it was read; read it again")


def true_hazard(truth: pa.Table, index: pd.MultiIndex) -> npt.NDArray[np.float64]:
    """Return each household's true hazard in the month of its date.

    Parameters
    ----------
    truth : pyarrow.Table
        As ``read_truth`` or ``simulate_county`` gives it.
    index : pandas.MultiIndex
        Pairs (household_id, as_of).

    Returns
    -------
    ndarray of float64, shape (n,)
        Missing for a household on the list that month, or of which the truth holds nothing.
    """
    import pandas as pd  # noqa: PLC0415

    known = truth.to_pandas(date_as_object=False)
    months = pd.DatetimeIndex(known["month"]).to_period("M")
    hazard = pd.Series(
        known["hazard"].to_numpy(np.float64), pd.MultiIndex.from_arrays([known["household_id"], months])
    )
    dates = pd.DatetimeIndex(index.get_level_values("as_of")).to_period("M")
    asked = pd.MultiIndex.from_arrays([index.get_level_values("household_id"), dates])
    return hazard.reindex(asked).to_numpy()


def _truth_of(records: Path | str) -> str:
    """Return the name of the truth of some records."""
    name = _named(Path(records))
    if name is None:
        raise NotFoundError(
            f"no {SIMULATION_FILE} in {records} that names a truth: only simulated records have a known one. Name "
            "a folder that `relapse simulate` wrote; if an earlier version wrote this one, simulate again."
        )
    return name


def _named(records: Path) -> str | None:
    """Return the name of the truth that records name; None if they name none."""
    try:
        simulation = json.loads((records / SIMULATION_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    name = simulation.get("truth") if isinstance(simulation, dict) else None
    return name if isinstance(name, str) and _TRUTHS.fullmatch(name) else None


def _name(digest: Any) -> str:
    return f"hazard-{digest.hexdigest()[:16]}.parquet"


def _refuse_foreign(truth: Path) -> None:
    if truth.exists() and not (truth.is_dir() and all(_TRUTHS.fullmatch(file.name) for file in truth.iterdir())):
        raise OutputExists(f"{truth} exists and holds other things than true hazards; choose another --truth")


def _inside(folder: Path, other: Path) -> bool:
    return folder.resolve().is_relative_to(other.resolve())
