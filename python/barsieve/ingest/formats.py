"""Formats of exported bars: how each is recognised, and what its columns mean.

A format looks at names and first rows alone and answers with a mapping of every column
that we need, or with nothing. Who decides between two answers is the user.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

ROLES = ("ts", "open", "high", "low", "close", "volume")
# https://github.com/binance/binance-public-data: klines, the header of futures files.
BINANCE_COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume",
    "count", "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip
QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USD", "EUR", "GBP")


class Columns(NamedTuple):
    """What a file shows before it is read: names (None without a header), a row."""

    names: tuple[str, ...]
    has_header: bool
    first: tuple[str, ...]


class Match(NamedTuple):
    """A format's reading of a file: candidates for each role, in the file's names.

    A role with several candidates is ambiguous, one with none is missing.
    """

    format: str
    candidates: dict[str, list[str]]


def _exact(columns: Columns, roles: dict[str, str]) -> dict[str, list[str]] | None:
    """Return the columns of these very names, or None when one is missing."""
    found = {role: _named(columns, name) for role, name in roles.items()}
    return found if all(found.values()) else None


def _named(columns: Columns, *names: str) -> list[str]:
    """Return the columns of a name, copies (`close (2)`) included."""
    return [n for n in columns.names if re.sub(r" \(\d+\)$", "", n) in names]


def _binance_vision(columns: Columns) -> dict[str, list[str]] | None:
    if columns.has_header:
        if tuple(name.lower() for name in columns.names) != BINANCE_COLUMNS:
            return None
    elif len(columns.names) != 12 or not _is_kline(columns.first):
        return None
    return dict(zip(ROLES, ([name] for name in columns.names), strict=False))


def _is_kline(row: Sequence[str]) -> bool:
    """Tell whether a row opens and closes within a few hours, in ms or in µs."""
    opened, closed = row[0], row[6]
    if not (re.fullmatch(r"\d{13}|\d{16}", opened) and re.fullmatch(r"\d+", closed)):
        return False
    return len(opened) == len(closed) and int(closed) > int(opened)


def _tradingview(columns: Columns) -> dict[str, list[str]] | None:
    names = {"ts": "time"} | {price: price for price in ROLES[1:5]}
    found = _exact(columns, names) if columns.has_header else None
    if found is None:
        return None
    return found | {"volume": _named(columns, "Volume", "volume")}


def _cryptodatadownload(columns: Columns) -> dict[str, list[str]] | None:
    lower = [name.lower() for name in columns.names]
    start = lower[1:] if lower[:1] == ["unix"] else lower
    if start[:6] != ["date", "symbol", "open", "high", "low", "close"]:
        return None
    named = dict(zip(lower, columns.names, strict=True))
    found = {price: [named[price]] for price in ROLES[1:5]}
    volumes = [n for n in columns.names if n.lower().startswith("volume")]
    symbol = columns.first[lower.index("symbol")] if columns.first else ""
    of_base = [v for v in volumes if v[6:].strip() == base_of(symbol)]
    return {
        "ts": [named.get("unix", named["date"])],
        **found,
        "volume": of_base or volumes,
    }


def _freqtrade(columns: Columns) -> dict[str, list[str]] | None:
    names = {"ts": "date"} | {price: price for price in ROLES[1:]}
    return _exact(columns, names) if columns.has_header else None


FORMATS: dict[str, Callable[[Columns], dict[str, list[str]] | None]] = {
    "binance-vision": _binance_vision,
    "cryptodatadownload": _cryptodatadownload,
    "freqtrade": _freqtrade,
    "tradingview": _tradingview,
}


def matches(columns: Columns) -> list[Match]:
    """Return the reading of every format that may have written these columns."""
    found = {name: recognise(columns) for name, recognise in FORMATS.items()}
    return [Match(name, roles) for name, roles in found.items() if roles is not None]


def base_of(pair: str) -> str | None:
    """Return the base of `BTCUSDT`, `BTC/USDT`, `BTC_USDT` or `BTC-USD`, or None."""
    parts = re.split(r"[/_-]", pair.upper().split(":")[0])
    if len(parts) > 1:
        return parts[0] if parts[1] in QUOTES else None
    for quote in sorted(QUOTES, key=len, reverse=True):
        if pair.upper().endswith(quote) and len(pair) > len(quote):
            return pair.upper()[: -len(quote)]
    return None


def symbol_of(format_name: str, file_name: str) -> str | None:
    """Return the symbol that a file's name states in the manner of its format."""
    stem = re.sub(r"\.[A-Za-z0-9]+$", "", file_name)
    patterns = {
        "binance-vision": r"^([A-Z0-9]+)-\d+[mhdw]",
        "cryptodatadownload": r"^[A-Za-z.]+_([A-Z0-9]+)_(?:1h|h|hour)",
        "freqtrade": r"^([A-Z0-9]+_[A-Z0-9]+)(?:_[A-Z0-9]+)?-\d+[mhdw]$",
        "tradingview": r"^[A-Z0-9]+_([A-Z0-9.]+), ",
    }
    found = re.match(patterns[format_name], stem)
    return base_of(found.group(1)) if found else None


def symbol_problem(name: str) -> str | None:
    """Return why a name cannot be a symbol or series (it names a file), or None."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        return None
    return f"'{name}', not of letters, digits, '.', '_' and '-'"
