"""Result tables on disk, whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from relapse_risk.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


def check_ending(file: Path) -> None:
    """Refuse a file whose ending says neither Parquet nor CSV.

    Raises
    ------
    UsageError
        If the ending is neither ``.parquet`` nor ``.csv``.
    """
    if file.suffix not in (".parquet", ".csv"):
        raise UsageError(f"{file}: the ending {file.suffix!r} is not known. Valid: .parquet, .csv.")


def write_table(frame: pd.DataFrame, file: Path) -> None:
    """Write a frame as Parquet or CSV, by the file's ending; an existing file is replaced at once.

    In CSV, reasons are JSON.

    Raises
    ------
    UsageError
        If the ending is neither ``.parquet`` nor ``.csv``.
    """
    check_ending(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part-{os.getpid()}")
    try:
        if file.suffix == ".parquet":
            frame.to_parquet(part, index=False)
        else:
            _plain(frame).to_csv(part, index=False, date_format="%Y-%m-%d")
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    if "reasons" not in frame:
        return frame
    return frame.assign(reasons=[json.dumps(reasons, ensure_ascii=False) for reasons in frame["reasons"]])
