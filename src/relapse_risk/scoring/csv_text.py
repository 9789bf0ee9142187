"""Arrow tables as lines of CSV, a whole column at a time.

Numbers are written as Python writes them, dates as 2025-01-01, lists of reasons as JSON. A text that a spreadsheet
would take for a formula gets a single quote before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relapse_risk.spreadsheet import FORMULA_STARTS, harmless

_TEXT = pa.large_string()
_HAS_A_FORMULA_START = f"[{FORMULA_STARTS.replace('-', '')}-]"
#: What a cell of CSV is put in quotes for.
_SPECIAL = '[",\r\n]'


def header_of(names: Sequence[str]) -> str:
    """Return the line of column names."""
    return ",".join(_quoted(pa.array(names, _TEXT)).to_pylist()) + "\n"


def lines_of(rows: pa.RecordBatch) -> memoryview:
    """Return a table's rows as UTF-8 text, a line each.

    Parameters
    ----------
    rows : pyarrow.RecordBatch
        Columns of numbers, flags, dates, texts, and lists of structures of texts and numbers.
    """
    cells = [_cells(column) for column in rows.columns]
    lines = _joined(_joined(*cells, by=","), "\n")
    _, ends, text = lines.buffers()
    last = np.frombuffer(ends, np.int64)[lines.offset + len(lines)] if ends else 0
    return memoryview(text)[:last] if text else memoryview(b"")


def _cells(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _cells(column.dictionary_decode())
    if pa.types.is_list(kind):
        texts = _quoted(_json_lists(column))
    elif _is_text(kind):
        texts = _each_text(column, _as_cell)
    elif pa.types.is_boolean(kind):
        texts = pc.if_else(column, "True", "False")
    elif pa.types.is_temporal(kind):
        texts = column.cast(pa.date32()).cast(_TEXT)
    else:
        texts = _numbers(column)
    return texts.cast(_TEXT).fill_null("")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _as_cell(distinct: pa.Array) -> pa.Array:
    suspected = pc.match_substring_regex(distinct, _HAS_A_FORMULA_START)
    if pc.any(suspected).as_py():
        shown = [harmless(text) for text in distinct.filter(suspected).to_pylist()]
        distinct = pc.replace_with_mask(distinct, suspected, pa.array(shown, _TEXT))
    return _quoted(distinct)


def _quoted(texts: pa.Array) -> pa.Array:
    texts = texts.cast(_TEXT)
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(pc.match_substring_regex(texts, _SPECIAL), _joined('"', doubled, '"'), texts)


def _joined(*texts: pa.Array | str, by: str = "") -> pa.Array:
    """Return texts joined row by row; one that is missing makes the row missing."""
    parts = [pa.scalar(text, _TEXT) if isinstance(text, str) else text.cast(_TEXT) for text in texts]
    return pc.binary_join_element_wise(*parts, pa.scalar(by, _TEXT))


def _each_text(texts: pa.Array, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Change every text, each distinct one once."""
    encoded = texts.dictionary_encode()
    return change(encoded.dictionary.cast(_TEXT)).take(encoded.indices)


def _numbers(column: pa.Array) -> pa.Array:
    """Return numbers as Python writes them; missing where they are, or not a number."""
    if not pa.types.is_floating(column.type):
        return column.cast(_TEXT)
    numbers = column.cast(pa.float64())
    values = numbers.to_numpy(zero_copy_only=False)
    texts = numbers.cast(_TEXT)
    # Arrow writes the same shortest digits, but whole, small and large numbers in another way.
    size = np.abs(values)
    other = (values == np.rint(values)) | (size < 1e-4) | (size >= 1e15)
    if other.any():
        distinct, of = np.unique(values[other].view(np.int64), return_inverse=True)
        written = pa.array([repr(value) for value in distinct.view(np.float64).tolist()], _TEXT)
        texts = pc.replace_with_mask(texts, pa.array(other), written.take(pa.array(of)))
    return pc.if_else(pa.array(np.isnan(values)), pa.scalar(None, _TEXT), texts)


def _json_lists(column: pa.Array) -> pa.Array:
    """Return lists of structures as JSON, as Python's ``json.dumps`` writes them."""
    items = column.flatten()
    named = [
        _joined(f"{json.dumps(field.name, ensure_ascii=False)}: ", _json(items.field(k)))
        for k, field in enumerate(items.type)
    ]
    objects = _joined("{", _joined(*named, by=", "), "}")
    lengths = pc.list_value_length(column).fill_null(0)
    ends = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(ends, objects), pa.scalar(", ", _TEXT))
    return _joined("[", joined, "]")


def _json(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        written = _json(values.dictionary).take(values.indices)
    elif _is_text(values.type):
        written = _each_text(values, _as_json)
    else:
        written = _numbers(values)
    return written.cast(_TEXT).fill_null("null")


def _as_json(distinct: pa.Array) -> pa.Array:
    return pa.array([json.dumps(text, ensure_ascii=False) for text in distinct.to_pylist()], _TEXT)
