"""Records as a folder of small blocks, beside the same records in memory."""

from __future__ import annotations

from pathlib import Path

from relapse_risk.records.blocks import RecordBlocks, open_records
from relapse_risk.records.records import Records
from relapse_risk.records.writer import write_tables
from relapse_risk.settings import SETTINGS_FILE


def in_blocks(records: Records, folder: Path, households: int) -> RecordBlocks:
    """Write records to a folder in blocks of so many households, and open it."""
    folder.mkdir(parents=True)
    write_tables(folder, {name: records.table(name) for name in records.present}, households)
    (folder / SETTINGS_FILE).write_text(records.settings.to_toml(), encoding="utf-8")
    return open_records(folder, records.settings)
