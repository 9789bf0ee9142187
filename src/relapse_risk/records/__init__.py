"""Raw files to validated tables, and the only filter on what was known when."""

from relapse_risk.records.folder import load_records, write_folder
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

__all__ = ["TABLES", "Records", "load_records", "write_folder"]
