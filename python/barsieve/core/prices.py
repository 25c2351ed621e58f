"""Prices as text, from 1e-8 to 1e7: significant digits, never a row of zeros alone."""

import math

DIGITS, LEAST_DECIMALS, MOST_DECIMALS = 6, 2, 20


def shown_price(value: float | None) -> str:
    """Return a price with six significant digits, and at least two decimals.

    >>> [shown_price(price) for price in (2.5e-8, 0.0712345, 1.5, 31234.567, 1e7)]
    ['0.000000025', '0.0712345', '1.50', '31234.57', '10000000.00']

    The page of the report shows the same: `price` in `report/page/format.js`.
    """
    if value is None or not math.isfinite(value):
        return "-"
    if value == 0:
        return "0.00"
    decimals = max(LEAST_DECIMALS, DIGITS - 1 - math.floor(math.log10(abs(value))))
    if decimals > MOST_DECIMALS:
        return f"{value:.{DIGITS}g}"
    text = f"{value:.{decimals}f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(LEAST_DECIMALS, '0')}"
