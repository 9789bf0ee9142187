"""A county's own exports as records: CSV, Excel, Parquet or PostgreSQL, through a mapping file."""

from relapse_risk.datasets.exports.mapping import CountyMapping
from relapse_risk.datasets.exports.run import Imported, import_county

__all__ = ["CountyMapping", "Imported", "import_county"]
