"""Rows fetched into the processor's cache before their hour comes.

A wallet goes through its hours with one row of each symbol, so that every row lies in
another page, and the processor guesses none of them. It waits for memory then, longer
than a row takes to be decided upon. To name the next row of a symbol while the present
one is looked at changes no value: it is a hint, and in plain Python nothing at all.
"""

from typing import Any

import numpy as np
from llvmlite import ir

from barsieve.core.numba_cache import cgutils, intrinsic, overloaded, types

CACHE_LINE = 64
"""Bytes that a processor fetches at once."""


@intrinsic  # type: ignore[untyped-decorator]
def _prefetch(typing_context: Any, records: Any, row: Any) -> Any:
    """Emit the processor's instruction for each cache line of a record."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_type = signature.args[0]
        array = context.make_array(array_type)(context, builder, arguments[0])
        record = cgutils.get_item_pointer(
            context, builder, array_type, array, [arguments[1]], wraparound=False
        )
        byte, number = ir.IntType(8), ir.IntType(32)
        start = builder.bitcast(record, byte.as_pointer())
        hint = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), *[number] * 3])
        function = cgutils.get_or_insert_function(
            builder.module, hint, "llvm.prefetch.p0i8"
        )
        # A read, to be kept, of data.
        reading, kept, data = number(0), number(3), number(1)
        for offset in range(0, array_type.dtype.size, CACHE_LINE):
            line = builder.gep(start, [ir.IntType(64)(offset)])
            builder.call(function, [line, reading, kept, data])
        return context.get_dummy_value()

    return types.void(records, types.int64), emit


def prefetch(records: np.ndarray, row: int) -> None:
    """Ask for a record of an array, shape (n,), that is read soon.

    A row beyond the array is no error: the processor ignores what it may not read.
    """


@overloaded(prefetch)
def _compiled_prefetch(records: Any, row: Any) -> Any:
    def run(records: Any, row: Any) -> None:
        _prefetch(records, row)

    return run
