"""The records folder: one Parquet file a table, and the settings file that fits."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.errors import NotFoundError, OutputExists, RecordsInvalid
from relapse_risk.records.problems import Problem
from relapse_risk.records.records import Records
from relapse_risk.records.schema import empty
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import check_tables
from relapse_risk.settings import SETTINGS_FILE, Settings


def load_records(path: Path | str, settings: Settings | None = None) -> Records:
    """Read and check a records folder.

    Parameters
    ----------
    path : path
        Folder of Parquet files, one a table, with ``relapse.toml``.
    settings : Settings, optional
        Instead of the folder's own.

    Returns
    -------
    Records

    Raises
    ------
    NotFoundError
        If there is no such folder, or no settings for it.
    RecordsInvalid
        If any rule is broken, by any table.

    Examples
    --------
    >>> load_records("nowhere")
    Traceback (most recent call last):
    ...
    relapse_risk.errors.NotFoundError: no records folder nowhere; ...
    """
    folder = Path(path)
    if not folder.is_dir():
        raise NotFoundError(f"no records folder {folder}; `relapse import` and `relapse simulate` write one")
    settings = settings or Settings.load(folder)
    tables: dict[str, pa.Table] = {}
    problems: list[Problem] = []
    for file in sorted(folder.glob("*.parquet")):
        if file.stem not in TABLES:
            valid = f"Valid tables: {', '.join(TABLES)}. Rename or remove the file."
            problems.append(Problem("RR016", file.stem, "", valid))
            continue
        try:
            tables[file.stem] = pq.read_table(file)
        except (pa.ArrowInvalid, OSError):
            problems.append(
                Problem("RR016", file.stem, "", "The file is not Parquet or is damaged; write it again.")
            )
            tables[file.stem] = empty(TABLES[file.stem])
    conformed, found = check_tables(tables, settings)
    if problems or found:
        raise RecordsInvalid((*problems, *found))
    return Records.from_valid(conformed, settings, frozenset(tables))


def write_folder(
    tables: Mapping[str, pa.Table],
    settings: Settings,
    out: Path | str,
    *,
    beside: Mapping[str, str] | None = None,
) -> Path:
    """Write a records folder, whole or not at all.

    Parameters
    ----------
    tables : dict of str to pyarrow.Table
        Conformed tables.
    settings : Settings
        Written beside them.
    out : path
        Must not exist, or be a records folder, which is then replaced.
    beside : dict of str to str, optional
        Further text files by their name below the folder (an import's rejects).

    Raises
    ------
    OutputExists
        If something else lies there.
    """
    out = Path(out)
    if out.exists() and not (out / SETTINGS_FILE).is_file():
        raise OutputExists(f"{out} exists and is not a records folder; choose another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.parent / f".{out.name}.part-{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        for name, data in tables.items():
            pq.write_table(data, part / f"{name}.parquet", compression="zstd")
        (part / SETTINGS_FILE).write_text(settings.to_toml(), encoding="utf-8")
        for name, text in (beside or {}).items():
            (part / name).parent.mkdir(exist_ok=True)
            (part / name).write_text(text, encoding="utf-8", newline="")
        replace_folder(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out


def replace_folder(part: Path, out: Path) -> None:
    """Flush a finished folder to disk and give it its name; an older one of that name goes."""
    for file in part.rglob("*"):
        _flush(file)
    _flush(part)
    old = part.with_name(f"{part.name}.old")
    if out.exists():
        out.rename(old)
    part.rename(out)
    _flush(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
