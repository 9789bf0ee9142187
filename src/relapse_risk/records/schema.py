"""Arrow schemas that follow from the table classes: as tables are stored and exchanged, and as records hold them.

Records hold texts as dictionaries: each distinct text once, and its number a row. So ids and codes take little
memory, are judged once a distinct text, and are looked up as numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.records.columns import Column, Kind, Table

ARROW_TYPES: dict[Kind, pa.DataType] = {
    Kind.ID: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.CODE: pa.string(),
    Kind.CODE_SET: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
}

#: How records hold ids, texts and codes.
DICTIONARY = pa.dictionary(pa.int32(), pa.string())


def arrow_field(name: str, column: Column) -> pa.Field:
    """Return the Arrow field of a column."""
    return pa.field(name, ARROW_TYPES[column.kind], nullable=True)


def arrow_schema(table: type[Table]) -> pa.Schema:
    """Return the Arrow schema of a table, optional columns included."""
    return pa.schema([arrow_field(name, column) for name, column in table.columns.items()])


def held_schema(table: type[Table]) -> pa.Schema:
    """Return the schema of a table as records hold it."""
    stored = arrow_schema(table)
    return pa.schema([field.with_type(DICTIONARY) if field.type == pa.string() else field for field in stored])


def encoded(texts: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return texts, plain or dictionaries, as one dictionary.

    Examples
    --------
    >>> texts = encoded(pa.chunked_array([["a", None], ["b", "a"]]))
    >>> texts.dictionary.to_pylist(), texts.indices.to_pylist()
    (['a', 'b'], [0, None, 1, 0])
    """
    if not pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_encode()
    return texts.unify_dictionaries().combine_chunks()


def distinct_texts(texts: pa.ChunkedArray) -> pa.StringArray:
    """Return the distinct texts that rows have, in the order in which they first occur."""
    return pc.unique(encoded(texts)).cast(pa.string())


def positions(texts: pa.Array, among: pa.Array) -> npt.NDArray[np.int32]:
    """Return where each text lies in an array, -1 where it does not."""
    return np.asarray(pc.index_in(texts, value_set=among).fill_null(-1))


def plain(data: pa.Table) -> pa.Table:
    """Return a table with plain texts instead of dictionaries.

    Examples
    --------
    >>> table = pa.table({"kind": pa.array(["illness", "illness"]).dictionary_encode()})
    >>> plain(table).schema.types
    [DataType(string)]
    """
    fields = [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in data.schema]
    return data.cast(pa.schema(fields))


def empty(table: type[Table]) -> pa.Table:
    """Return the table without rows, as it is stored."""
    return arrow_schema(table).empty_table()
