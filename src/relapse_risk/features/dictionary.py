"""The data dictionary, generated from the table classes and the catalogue: ``python -m ...dictionary data``."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import REASON_GROUPS
from relapse_risk.records.tables import TABLES

FEATURES_FILE = "feature_dictionary.csv"
TABLES_FILE = "table_dictionary.csv"


def feature_dictionary() -> str:
    """Return the features as CSV, a line each."""
    header = (
        *("name", "zh", "en", "unit", "table", "aggregation", "window_months", "skip_months"),
        *("missing_zh", "missing_en", "risk_type", "risk_type_zh", "monotone", "codes"),
    )
    rows = [
        (
            *(f.name, f.label.zh, f.label.en, f.unit, f.series.table, f.aggregation.value),
            *("ever" if f.window is None else f.window, f.skip, f.missing.value.zh, f.missing.value.en),
            *(f.risk_type, REASON_GROUPS[f.risk_type].zh, f.monotone, " ".join(f.codes.values) if f.codes else ""),
        )
        for f in catalogue()
    ]
    return _csv(header, rows)


def table_dictionary() -> str:
    """Return the columns of all record tables as CSV, a line each."""
    header = (
        *("table", "column", "zh", "en", "kind", "unit", "codes", "minimum", "maximum"),
        *("may_be_missing", "key", "table_required"),
    )
    rows = [
        (
            *(table.name, name, c.zh, c.en, c.kind.value, c.unit, " ".join(c.codes.values) if c.codes else ""),
            *(_number(c.minimum), _number(c.maximum), c.nullable, name in table.key, table.required),
        )
        for table in TABLES.values()
        for name, c in table.columns.items()
    ]
    return _csv(header, rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _csv(header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def write(folder: Path) -> None:
    """Write both dictionaries."""
    (folder / FEATURES_FILE).write_text(feature_dictionary(), encoding="utf-8")
    (folder / TABLES_FILE).write_text(table_dictionary(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
