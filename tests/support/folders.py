"""Records folders written by hand, in row groups of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from relapse_risk.settings import SETTINGS_FILE, Settings
from tests.support import ascii as drawn


def write_raw(
    folder: Path, tables: Mapping[str, Sequence[pa.Table]], settings: Settings | None = None, **options: object
) -> Path:
    """Write each table as it is, a row group for each part; options are Parquet's."""
    folder.mkdir(exist_ok=True)
    for name, parts in tables.items():
        with pq.ParquetWriter(folder / f"{name}.parquet", parts[0].schema, **options) as writer:
            for part in parts:
                writer.write_table(part)
    (folder / SETTINGS_FILE).write_text((settings or drawn.settings()).to_toml(), encoding="utf-8")
    return folder


def cut(data: pa.Table, households: int) -> list[pa.Table]:
    """Return a table in order of household ids, a part for so many households; missing ids come last."""
    if "household_id" not in data.column_names or not data.num_rows:
        return [data]
    order = sorted(range(data.num_rows), key=lambda row: data["household_id"][row].as_py() or "\U0010ffff")
    data = data.take(pa.array(order, pa.int64()))
    ids = data["household_id"].to_pylist()
    firsts = [row for row, one in enumerate(ids) if row == 0 or one != ids[row - 1]][::households]
    return [data.slice(a, b - a) for a, b in zip(firsts, [*firsts[1:], len(ids)], strict=True)]
