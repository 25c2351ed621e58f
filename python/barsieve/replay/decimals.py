"""Sums of settings as a reader of the JSON does them: 0.65 + 0.05 is 0.7."""

from typing import TypeVar

import numpy as np

from barsieve.core.numba_cache import compiled

Number = TypeVar("Number", float, np.ndarray)


def sum_of_decimals(one: Number, other: Number) -> Number:
    """Return the double next to the sum of two decimals of at most 12 digits.

    A sum of doubles may lie one bit above it, and then what is exactly as large fails.
    By the operations of the macro `decimal_sum` in their order: the same bits. Numbers
    or arrays.
    """
    # Compiled as it stands: numba knows no cast.
    return np.floor((one + other) * 1e12 + 0.5) / 1e12  # type: ignore[no-any-return]


decimal_sum = compiled(sum_of_decimals)
