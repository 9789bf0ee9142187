"""The records folder: one Parquet file a table, and the settings file that fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from relapse_risk.outputs import new_folder
from relapse_risk.records.blocks import load_records
from relapse_risk.records.reading import settings_of
from relapse_risk.records.tables import TABLES
from relapse_risk.records.writer import write_tables
from relapse_risk.settings import SETTINGS_FILE, Settings

__all__ = [
    "OURS",
    "REJECTS",
    "SIMULATION_FILE",
    "fill",
    "load_records",
    "new_records",
    "settings_of",
    "write_folder",
]

#: Folder of the rows that an import set aside.
REJECTS = "rejects"
#: That the records are simulated, with what, and the name of their truth.
SIMULATION_FILE = "simulation.json"
#: What a records folder holds.
OURS = frozenset({*(f"{name}.parquet" for name in TABLES), SETTINGS_FILE, REJECTS, SIMULATION_FILE})


def write_folder(
    tables: Mapping[str, pa.Table],
    settings: Settings,
    out: Path | str,
    *,
    extra_files: Mapping[str, str] | None = None,
) -> Path:
    """Write a records folder, whole or not at all.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        Conformed tables.
    settings : Settings
        Written to the same folder.
    out : path
        Must not exist, or be a records folder, which is then replaced.
    extra_files : dict of str to str, optional
        Further text files by their name below the folder (an import's rejects).

    Raises
    ------
    OutputExists
        If something else lies there.
    OutputBusy
        If another run is writing it.
    """
    with new_records(out) as new:
        fill(new, tables, settings, extra_files=extra_files)
    return Path(out)


@contextmanager
def new_records(out: Path | str) -> Iterator[Path]:
    """Hold a records folder from the start of a long run; give the empty one that replaces it at the end.

    Parameters
    ----------
    out : path
        Must not exist, or be a records folder.

    Raises
    ------
    OutputExists
        If something else lies there.
    OutputBusy
        If another run is writing it.
    """
    with new_folder(out, marker=SETTINGS_FILE, lacking="is not a records folder", ours=OURS) as new:
        yield new


def fill(
    new: Path, tables: Mapping[str, pa.Table], settings: Settings, *, extra_files: Mapping[str, str] | None = None
) -> None:
    """Write tables, settings and texts into a folder that ``new_records`` gave.

    Parameters
    ----------
    new : Path
        The empty folder.
    tables, settings, extra_files
        See ``write_folder``.
    """
    write_tables(new, tables)
    (new / SETTINGS_FILE).write_text(settings.to_toml(), encoding="utf-8")
    for name, text in (extra_files or {}).items():
        (new / name).parent.mkdir(exist_ok=True)
        (new / name).write_text(text, encoding="utf-8", newline="")
