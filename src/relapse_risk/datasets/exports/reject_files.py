"""The files that list the rows an import sets aside, a file a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from relapse_risk.datasets.exports.reject_reasons import Rejects
from relapse_risk.records.folder import REJECTS
from relapse_risk.spreadsheet import harmless


def write_rejects(folder: Path, rejects: Sequence[Rejects]) -> None:
    """Write a CSV file for each table's rejects; with a mark, so that Excel shows Chinese.

    Texts that stand for no code are listed here alone; what a spreadsheet would compute gets a quote before it.
    """
    for name in dict.fromkeys(found.table for found in rejects):
        (folder / REJECTS).mkdir(exist_ok=True)
        of = [found for found in rejects if found.table == name]
        with (folder / REJECTS / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            file.write("\ufeff")
            writer = csv.writer(file)
            writer.writerow(("source", "row", "column", "code", "reason", "原因", "text"))
            for source in sorted({harmless(found.source) for found in of}):
                writer.writerows(_lines([found for found in of if harmless(found.source) == source]))


def _lines(rejects: Sequence[Rejects]) -> Iterator[tuple[str | int, ...]]:
    """Yield the lines of one source, in order of their rows."""
    kinds = sorted(rejects, key=_columns)
    kind = np.repeat(np.arange(len(kinds)), [len(found.rows) for found in kinds])
    place = np.concatenate([np.arange(len(found.rows)) for found in kinds])
    rows = np.concatenate([found.rows for found in kinds])
    for at in np.lexsort((kind, rows)).tolist():
        found = kinds[kind[at]]
        text = found.texts[place[at]] if found.texts else ""
        yield harmless(found.source), int(rows[at]), *_columns(found), harmless(text)


def _columns(found: Rejects) -> tuple[str, str, str, str]:
    return harmless(found.column), found.code, harmless(found.reason.en), harmless(found.reason.zh)
