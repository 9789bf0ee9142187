"""Sources of records: the real panel."""
