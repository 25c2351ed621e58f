"""Formats of exported bars: how each is recognised, and what its columns mean.

A format looks at names and first rows alone and answers with a mapping of every column
that we need, or with nothing. Who decides between two answers is the user.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

PRICES = ("open", "high", "low", "close")
ROLES = ("ts", *PRICES, "volume")
# Columns that a file may have besides: the hour of a day, the moment a bar closed.
EXTRA_ROLES = ("time", "close_time")
# https://github.com/binance/binance-public-data: klines, the header of futures files.
BINANCE_COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume",
    "count", "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip
# What a file that is mapped by hand may call the time of a row.
TIME_NAMES = (
    "ts", "time", "date", "datetime", "timestamp", "unix", "open_time", "open time",
    "observation_date",
)  # fmt: skip
FRED_ID = r"[A-Z0-9]{2,30}"

Roles = dict[str, list[str]]


class Columns(NamedTuple):
    """Columns of a file before it is read: names (numbered without a header), a row."""

    names: tuple[str, ...]
    has_header: bool
    first: tuple[str, ...]


class Match(NamedTuple):
    """A format's reading of a file: candidates for each role, in the file's names.

    A role with several candidates is ambiguous, one with none is missing.
    """

    format: str
    candidates: Roles


def _named(columns: Columns, *names: str) -> list[str]:
    """Return the columns of a name, copies (`close (2)`) included."""
    return [n for n in columns.names if re.sub(r" \(\d+\)$", "", n) in names]


def _in_order(columns: Columns, names: Sequence[str]) -> Roles | None:
    """Return the columns of these very names for ts and prices, if in this order."""
    found = [_named(columns, name) for name in names]
    if not columns.has_header or not all(found):
        return None
    places = [columns.names.index(candidates[0]) for candidates in found]
    if places != sorted(places):
        return None
    return dict(zip(names, found, strict=True))


def _binance_vision(columns: Columns) -> Roles | None:
    if columns.has_header:
        if tuple(name.lower() for name in columns.names) != BINANCE_COLUMNS:
            return None
    elif len(columns.names) != 12 or not _is_kline(columns.first):
        return None
    roles = (*ROLES, "close_time")
    return dict(zip(roles, ([name] for name in columns.names), strict=False))


def _is_kline(row: Sequence[str]) -> bool:
    """Tell whether a row opens and closes within a few hours, in ms or in µs."""
    opened, closed = row[0], row[6]
    if not (re.fullmatch(r"\d{13}|\d{16}", opened) and re.fullmatch(r"\d+", closed)):
        return False
    return len(opened) == len(closed) and int(closed) > int(opened)


def _tradingview(columns: Columns) -> Roles | None:
    found = _in_order(columns, ("time", *PRICES))
    if found is None:
        return None
    return (
        {"ts": found.pop("time")}
        | found
        | {"volume": _named(columns, "Volume", "volume")}
    )


def _coinbase(columns: Columns) -> Roles | None:
    """Candles as the API gives them: https://docs.cdp.coinbase.com, product candles."""
    for time in ("time", "start"):
        found = _in_order(columns, (time, "low", "high", "open", "close", "volume"))
        if found is not None:
            return {"ts": found[time]} | {role: found[role] for role in ROLES[1:]}
    return None


def _cryptodatadownload(columns: Columns) -> Roles | None:
    lower = [name.lower() for name in columns.names]
    has_unix = lower[:1] in (["unix"], ["unix timestamp"])
    start = lower[1:] if has_unix else lower
    if start[:6] != ["date", "symbol", *PRICES]:
        return None
    named = dict(zip(lower, columns.names, strict=True))
    found = {price: [named[price]] for price in PRICES}
    volumes = [n for n in columns.names if n.lower().startswith("volume")]
    symbol = columns.first[lower.index("symbol")] if columns.first else ""
    of_base = [v for v in volumes if v[6:].strip() and symbol.startswith(v[6:].strip())]
    return {
        "ts": [columns.names[0]],
        **found,
        "volume": of_base or volumes,
    }


def _freqtrade(columns: Columns) -> Roles | None:
    found = _in_order(columns, ("date", *PRICES, "volume"))
    return None if found is None else {"ts": found.pop("date")} | found


def _kraken(columns: Columns) -> Roles | None:
    """Rows of OHLCVT without a header: seconds, prices, volume, number of trades."""
    row = columns.first
    if columns.has_header or len(row) != 7:
        return None
    if not (re.fullmatch(r"\d{9,10}", row[0]) and re.fullmatch(r"\d+", row[6])):
        return None
    return dict(zip(ROLES, ([name] for name in columns.names), strict=False))


def _metatrader(columns: Columns) -> Roles | None:
    """MT5 (`<DATE>`, `<TIME>`, …) or MT4 (seven columns without a header)."""
    if columns.has_header:
        if columns.names[0] != "<DATE>":
            return None
        found = {price: _named(columns, f"<{price.upper()}>") for price in PRICES}
        volumes = _named(columns, "<VOL>", "<TICKVOL>")
        times = _named(columns, "<TIME>")
        hour = {"time": times} if times else {}
        return {"ts": ["<DATE>"], **hour, **found, "volume": volumes}
    row = columns.first
    if len(row) != 7 or not re.fullmatch(r"\d{4}\.\d\d\.\d\d", row[0]):
        return None
    roles = ("ts", "time", *ROLES[1:])
    return dict(zip(roles, ([name] for name in columns.names), strict=True))


def _yahoo(columns: Columns) -> Roles | None:
    time = next((n for n in ("Date", "Datetime") if n in columns.names), None)
    names = [name.title() for name in PRICES]
    if time is None:
        return None
    found = _in_order(columns, (time, *names, "Volume"))
    marks = {"Adj Close", "Dividends", "Stock Splits"}
    if found is None or not (marks & set(columns.names) or time == "Datetime"):
        return None
    return {"ts": found[time], "volume": found["Volume"]} | {
        name.lower(): found[name] for name in names
    }


STOOQ_POLISH = ("Data", "Otwarcie", "Najwyzszy", "Najnizszy", "Zamkniecie", "Wolumen")


def _stooq(columns: Columns) -> Roles | None:
    names = columns.names
    if names[:2] == ("<TICKER>", "<PER>"):
        found = {price: _named(columns, f"<{price.upper()}>") for price in PRICES}
        time, volume = _named(columns, "<TIME>"), _named(columns, "<VOL>")
        return {"ts": ["<DATE>"], "time": time, **found, "volume": volume}
    for of in (("Date", *(p.title() for p in PRICES), "Volume"), STOOQ_POLISH):
        plain = [name for name in names if name not in ("Time", "Czas")]
        if columns.has_header and plain in (list(of), list(of[:5])):
            times = _named(columns, "Time", "Czas")
            hour = {"time": times} if times else {}
            found = {
                role: _named(columns, n) for role, n in zip(ROLES, of, strict=True)
            }
            return found | hour
    return None


def _fred(columns: Columns) -> Roles | None:
    names = columns.names
    if not columns.has_header or len(names) != 2:
        return None
    if names[0] not in ("observation_date", "DATE") or not re.fullmatch(
        FRED_ID, names[1]
    ):
        return None
    return {"ts": [names[0]], "close": [names[1]]}


class Format(NamedTuple):
    """A format: how it is recognised, and what is known of all files of it.

    `delimiter` is that of its own files: in them a point is the decimal mark. `zone` is
    that of its times without one. `may_end_open` says that its last row may be the bar
    that was forming, `newest_first` that its rows may run backwards.
    """

    recognise: Callable[[Columns], Roles | None]
    delimiter: str = ","
    zone: str = ""
    may_end_open: bool = False
    newest_first: bool = False


FORMATS = {
    "binance-vision": Format(_binance_vision),
    "coinbase": Format(_coinbase, may_end_open=True, newest_first=True),
    "cryptodatadownload": Format(_cryptodatadownload, zone="UTC", newest_first=True),
    "fred": Format(_fred),
    # It leaves out the forming candle; a CSV of this header may be anybody's.
    "freqtrade": Format(_freqtrade, delimiter=""),
    "kraken": Format(_kraken),
    "metatrader": Format(_metatrader, delimiter="\t,", may_end_open=True),
    "stooq": Format(_stooq, may_end_open=True),
    "tradingview": Format(_tradingview, may_end_open=True),
    "yahoo": Format(_yahoo, may_end_open=True, newest_first=True),
}
BY_HAND = Format(lambda columns: None, delimiter="", may_end_open=True)


def matches(columns: Columns) -> list[Match]:
    """Return the reading of every format that may have written these columns."""
    found = {name: format.recognise(columns) for name, format in FORMATS.items()}
    return [Match(name, roles) for name, roles in found.items() if roles is not None]


def by_hand(columns: Columns) -> Match:
    """Return the columns that are called by the names of roles, whatever their case."""
    found = {
        role: [name for name in columns.names if name.lower() == role]
        for role in ROLES[1:]
    }
    times = [name for name in columns.names if name.lower() in TIME_NAMES]
    return Match("csv", {"ts": times, **found})
