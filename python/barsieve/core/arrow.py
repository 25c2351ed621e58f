"""Arrow columns from numpy and back, with nothing but buffers.

`pyarrow.array` and `to_numpy` import pandas wherever it is installed, to look whether
they were given some of it; casts, `take` and `is_valid` import all of Arrow's compute.
Either takes longer than a replay.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa


def column(values: np.ndarray, is_known: np.ndarray | None = None) -> pa.Array:
    """Return numbers as an Arrow column; null where they are not known, if any."""
    array = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(array.dtype)
    valid = None
    if is_known is not None:
        valid = pa.py_buffer(np.packbits(is_known, bitorder="little"))
    return pa.Array.from_buffers(kind, len(array), [valid, pa.py_buffer(array)])


def flags(values: np.ndarray) -> pa.Array:
    """Return booleans as an Arrow column; none of them may be missing."""
    packed = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, packed])


def texts(values: Sequence[str]) -> pa.Array:
    """Return texts as an Arrow column; none of them may be missing."""
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def _bits(values: pa.Array, buffer: pa.Buffer) -> np.ndarray:
    """Return one of an array's bitmaps as booleans, shape (len(values),)."""
    packed = np.frombuffer(buffer, np.uint8)
    n_bits = values.offset + len(values)
    bits = np.unpackbits(packed, count=n_bits, bitorder="little")
    return bits[values.offset :].astype(bool)


def numbers(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Return a column of numbers; null becomes NaN, and 0 where there is no NaN."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not len(values):
        return np.empty(0)
    valid, data = values.buffers()
    if pa.types.is_boolean(values.type):
        bare = _bits(values, data)
    else:
        buffers = [None, data]
        bare = np.from_dlpack(
            pa.Array.from_buffers(values.type, len(values), buffers, 0, values.offset)
        )
    if not values.null_count:
        return bare
    missing = np.nan if pa.types.is_floating(values.type) else 0
    return np.where(_bits(values, valid), bare, missing)


def matching(
    relation: duckdb.DuckDBPyRelation, **values: Any
) -> duckdb.DuckDBPyRelation:
    """Return the rows of a relation in which every named column has the value given."""
    for name, value in values.items():
        relation = relation.filter(
            duckdb.ColumnExpression(name) == duckdb.ConstantExpression(value)
        )
    return relation


def rows_of(
    found: duckdb.DuckDBPyRelation | duckdb.DuckDBPyConnection,
) -> list[dict[str, Any]]:
    """Return the rows of a relation, or of what was just executed, as dicts."""
    return as_dicts([column[0] for column in found.description], found.fetchall())


def as_dicts(
    names: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> list[dict[str, Any]]:
    """Return rows as dicts, by the names of their columns."""
    return [dict(zip(names, row, strict=True)) for row in rows]


def row_of(found: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    """Return the first row of what was just executed and always has one."""
    rows: list[tuple[Any, ...]] = found.fetchall()
    if not rows:
        raise LookupError("no row where there is always one")
    return rows[0]


def fields_of(kind: np.dtype) -> tuple[str, ...]:
    """Return the names of the fields of a record."""
    return kind.names or ()
