"""Arrow columns from numpy and back, without pandas.

`pyarrow.array` and `to_numpy` import pandas wherever it is installed, to look whether
they were given some of it. That takes longer than a replay, so buffers are handed over.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def column(values: np.ndarray) -> pa.Array:
    """Return numbers as an Arrow column; none of them may be missing."""
    array = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(array.dtype)
    return pa.Array.from_buffers(kind, len(array), [None, pa.py_buffer(array)])


def texts(values: Sequence[str]) -> pa.Array:
    """Return texts as an Arrow column; none of them may be missing."""
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def numbers(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Return a column of numbers; null becomes NaN, and 0 where there is no NaN."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    if not len(values):
        return np.empty(0)
    bare = pa.Array.from_buffers(
        values.type, len(values), [None, values.buffers()[1]], offset=values.offset
    )
    if not values.null_count:
        return np.from_dlpack(bare)
    is_known = np.from_dlpack(values.is_valid().cast(pa.int8())).astype(bool)
    missing = np.nan if pa.types.is_floating(values.type) else 0
    return np.where(is_known, np.from_dlpack(bare), missing)
