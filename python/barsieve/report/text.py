"""Numbers of the report as text; a dash where there is none (as page/format.js)."""

import math
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def number(value: float | None, decimals: int = 0, is_signed: bool = False) -> str:
    """Return a number with commas and a true minus sign, rounded half away from 0."""
    if value is None or not math.isfinite(value):
        return DASH
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{abs(rounded):,}"
    if not rounded:
        return text
    return (MINUS if rounded < 0 else "+" if is_signed else "") + text


def money(value: float | None) -> str:
    """Return an amount of money with its sign."""
    return number(value, 2, is_signed=True)


def share(value: float | None, decimals: int = 1) -> str:
    """Return a fraction as a percentage."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{number(value * 100, decimals)}%"


def written(value: float | None, pattern: str) -> str:
    """Return a figure by its format specification, with a true minus sign."""
    return DASH if value is None else format(value, pattern).replace("-", MINUS)


def month(seconds: float) -> str:
    """Return the calendar month (UTC) of a moment in Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m")


def words(name: str) -> str:
    """Return a name of the database as words."""
    return name.replace("_", " ")
