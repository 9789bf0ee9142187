"""Result tables as Parquet or CSV files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from relapse_risk.errors import UsageError
from relapse_risk.model.reasons import Reason
from relapse_risk.outputs import new_file
from relapse_risk.spreadsheet import harmless

if TYPE_CHECKING:
    import pandas as pd


def check_ending(file: Path) -> None:
    """Refuse a file whose suffix is neither that of Parquet nor of CSV.

    Raises
    ------
    UsageError
        If the ending is neither ``.parquet`` nor ``.csv``.
    """
    if file.suffix not in (".parquet", ".csv"):
        raise UsageError(f"{file}: the ending {file.suffix!r} is not known. Valid: .parquet, .csv.")


@contextmanager
def new_table(file: Path | None) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Hold a result file from the start of a long run, and yield the function that writes a frame to it.

    The frame is written as Parquet or CSV, by the file's suffix. In CSV, reasons are JSON, and a text that a
    spreadsheet would take for a formula gets a single quote before it. The file appears, or replaces an older one,
    if the block succeeds.

    Parameters
    ----------
    file : Path, optional
        If left out, nothing is written.

    Raises
    ------
    UsageError
        If the ending is neither ``.parquet`` nor ``.csv``.
    OutputExists
        If it is a folder.
    OutputBusy
        If another run is writing it.
    """
    if file is None:
        yield lambda _: None
        return
    check_ending(file)
    with new_file(file) as new:
        yield partial(_write, file=new)


def _write(frame: pd.DataFrame, file: Path) -> None:
    if file.suffix == ".parquet":
        frame.to_parquet(file, index=False, schema=_schema(frame))
    else:
        _plain(frame).to_csv(file, index=False, date_format="%Y-%m-%d")


def _schema(frame: pd.DataFrame) -> pa.Schema:
    """Return the frame's schema, with the declared type of reasons: rows without reasons do not show it."""
    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    if "reasons" not in frame:
        return schema
    types = {"str": pa.string(), "float": pa.float64(), "float | None": pa.float64()}
    reason = pa.struct([(field.name, types[str(field.type)]) for field in fields(Reason)])
    return schema.set(schema.get_field_index("reasons"), pa.field("reasons", pa.list_(reason)))


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    if "reasons" in frame:
        frame = frame.assign(reasons=[json.dumps(reasons, ensure_ascii=False) for reasons in frame["reasons"]])
    texts = frame.select_dtypes(include=["object", "str", "category"]).map(_shown)
    return frame.assign(**{str(name): texts[name] for name in texts})


def _shown(cell: object) -> object:
    return harmless(cell) if isinstance(cell, str) else cell
