"""The records folder: one Parquet file a table, and the settings file that fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.errors import NotFoundError, RecordsInvalid
from relapse_risk.outputs import new_folder
from relapse_risk.records.records import Records
from relapse_risk.records.schema import empty
from relapse_risk.records.tables import TABLES
from relapse_risk.records.validate import check_tables
from relapse_risk.records.violations import Violation
from relapse_risk.records.writer import write_tables
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
    folder = _there(path)
    settings = settings or Settings.load(folder)
    tables: dict[str, pa.Table] = {}
    violations: list[Violation] = []
    for file in sorted(folder.glob("*.parquet")):
        if file.stem not in TABLES:
            valid = f"Valid tables: {', '.join(TABLES)}. Rename or remove the file."
            violations.append(Violation("RR016", file.stem, "", valid))
            continue
        try:
            tables[file.stem] = pq.read_table(file)
        except (pa.ArrowInvalid, OSError):
            violations.append(
                Violation("RR016", file.stem, "", "The file is not Parquet or is damaged; write it again.")
            )
            tables[file.stem] = empty(TABLES[file.stem])
    conformed, found = check_tables(tables, settings)
    if violations or found:
        raise RecordsInvalid((*violations, *found))
    return Records.from_valid(conformed, settings, frozenset(tables))


def settings_of(path: Path | str) -> Settings:
    """Read a records folder's settings alone: what is asked of it can be checked before its tables are read.

    Raises
    ------
    NotFoundError
        If there is no such folder, or no settings in it.
    SettingsInvalid
        If they do not fit.
    """
    return Settings.load(_there(path))


def _there(path: Path | str) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise NotFoundError(f"no records folder {folder}; `relapse import` and `relapse simulate` write one")
    return folder


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
    with new_folder(out, marker=SETTINGS_FILE, lacking="is not a records folder") as new:
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
