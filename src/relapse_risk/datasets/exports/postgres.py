"""Tables and queries of a PostgreSQL database, all read from one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from relapse_risk.datasets.exports.delimited import read_chunks
from relapse_risk.datasets.exports.raw import Head, Location, RawTable
from relapse_risk.errors import ImportRefused, UsageError

SCHEMES = ("postgresql://", "postgres://")
#: Types of whole numbers, floats and decimals.
_NUMERIC = frozenset({20, 21, 23, 700, 701, 1700})
#: Errors of names, syntax and rights; others (of data) can quote a household's values.
_WITHOUT_VALUES = ("28", "3D", "3F", "42")


class Database:
    """A connection that only reads.

    Parameters
    ----------
    url : str
        ``postgresql://user@host/database``; a password comes from the URL, ``PGPASSWORD`` or ``~/.pgpass``.
    """

    def __init__(self, url: str) -> None:
        try:
            import psycopg  # noqa: PLC0415
        except ImportError as error:
            raise UsageError(
                "reading PostgreSQL needs psycopg: pip install 'relapse-risk[postgres]', or export files instead"
            ) from error
        self._errors = psycopg.Error
        try:
            self._connection = psycopg.connect(url, connect_timeout=10, client_encoding="utf8")
        except psycopg.Error as error:
            raise ImportRefused(
                "the database cannot be reached; check host, port, database, user and password of the URL "
                f"({type(error).__name__})"
            ) from error
        self._connection.read_only = True
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def relations(self) -> list[str]:
        """Return the tables and views that can be read, as ``schema.table``."""
        query = (
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        )
        return [str(row[0]) for row in self._connection.execute(query).fetchall()]

    def head(self, place: Location) -> Head:
        """Return the columns a table or query gives."""
        described = self._ask(place, "SELECT * FROM ({}) AS export LIMIT 0").description
        names = tuple(column.name for column in described)
        return Head(names, "PostgreSQL", [names], [column.type_code in _NUMERIC for column in described])

    def batches(
        self, place: Location, header: Head, at: Mapping[str, int], nulls: Sequence[str], rows_of_a_batch: int
    ) -> Iterator[RawTable]:
        """Yield the columns at some positions, so many rows at a time."""
        try:
            with self._connection.cursor() as cursor, cursor.copy(_copy(place)) as copy:
                for raw in read_chunks(place, copy, len(header.names), at, nulls, rows_of_a_batch):
                    columns = {
                        name: replace(cells, numeric=np.full(len(cells.texts), header.detail[at[name]]))
                        for name, cells in raw.columns.items()
                    }
                    yield replace(raw, columns=columns, rows=raw.rows - 1)
        except self._errors as error:
            raise self._refused(place, error) from error

    def _ask(self, place: Location, around: str) -> Any:
        try:
            return self._connection.execute(around.format(_query(place)).encode())
        except self._errors as error:
            raise self._refused(place, error) from error

    def _refused(self, place: Location, error: Any) -> ImportRefused:
        self._connection.rollback()
        without_values = (error.diag.sqlstate or "").startswith(_WITHOUT_VALUES)
        said = error.diag.message_primary if without_values else f"{type(error).__name__}; try the query by hand"
        return ImportRefused(f"{place.name}: the database refused: {said}")


def relation_query(relation: str) -> str:
    """Return the query for all of a table named ``table`` or ``schema.table``.

    Examples
    --------
    >>> relation_query("export.走访")
    'SELECT * FROM "export"."走访"'
    """
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in relation.split("."))
    return f"SELECT * FROM {quoted}"  # noqa: S608


def _query(place: Location) -> str:
    return (place.query or "").strip().rstrip(";")


def _copy(place: Location) -> bytes:
    return f"COPY ({_query(place)}) TO STDOUT WITH (FORMAT csv, HEADER)".encode()
