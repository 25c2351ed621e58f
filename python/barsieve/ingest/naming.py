"""Name of an exported file: the symbol it states, and where its prices are from.

A name that does not follow its format's manner states nothing.
"""

import re
from pathlib import Path

from barsieve.ingest.origin import Origin

QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USD", "EUR", "GBP")
ALIASES = {"XBT": "BTC", "XDG": "DOGE"}
PRICE_FOLDERS = {"markPriceKlines": "mark", "indexPriceKlines": "index"}

PATTERNS = {
    "binance-vision": r"(?P<pair>[A-Z0-9]+?)(?P<kind>_PERP|_\d{6})?-\d+[mhdw]",
    "coinbase": r"(?i)(?:coinbase[_-])?(?P<pair>[A-Z0-9]+[-_]?[A-Z]+)(?:[-_ .,]|$)",
    "cryptodatadownload": (
        r"(?P<venue>[A-Za-z.]+)_(?P<pair>[A-Z0-9]+)_(?:1h|h|hour|1m|minute|d|1d|day)"
    ),
    "freqtrade": (
        r"(?P<pair>[A-Z0-9]+_[A-Z0-9]+)(?P<settled>_[A-Z0-9]+)?-\d+[mhdw]"
        r"(?:-(?P<kind>futures|spot|mark|index))?$"
    ),
    "kraken": r"(?P<pair>[A-Z0-9]+)_\d+(?:[_ (]|$)",
    "metatrader": (
        r"(?P<pair>[A-Z0-9]+?)[a-z.#]*_?(?:M1|M5|M15|M30|H1|H4|D1|Daily|60|1440)(?:_|$)"
    ),
    "stooq": r"(?i)(?P<pair>[A-Z0-9]+)(?:[_ .](?:h|d|\d+))?$",
    "tradingview": r"(?P<venue>[A-Z0-9]+)_(?P<pair>[A-Z0-9]+)(?P<kind>\.P)?(?:, |$)",
    "yahoo": r"(?P<pair>[A-Z0-9]+-[A-Z]{3,4})(?:[ _.(]|$)",
}  # fmt: skip
# A file that is mapped by hand may be called in the manner of any of these.
BY_HAND = ("cryptodatadownload", "freqtrade", "binance-vision", "tradingview", "yahoo")
# Formats that are one venue's own, and what it trades there.
VENUES = {
    "binance-vision": Origin("binance"),
    "coinbase": Origin("coinbase", contract="spot", price="trade"),
    "kraken": Origin("kraken", contract="spot", price="trade"),
    "yahoo": Origin("yahoo"),
    "stooq": Origin("stooq"),
}


def split_pair(pair: str, venue: str = "") -> tuple[str, str] | None:
    """Return base and quote of `BTCUSDT`, `BTC/USDT`, `BTC_USDT` or `BTC-USD`.

    None for a pair that ends in no quote that we know, and for one that can be cut in
    two ways: DOTUSD is no pair of TUSD, except at Binance, which has none of USD.
    """
    parts = re.split(r"[/_-]", pair.upper().split(":")[0])
    if len(parts) > 1:
        base, quote = parts[0], parts[1]
        return (ALIASES.get(base, base), quote) if quote in QUOTES and base else None
    whole = parts[0]
    quotes = [q for q in QUOTES if whole.endswith(q) and len(whole) > len(q)]
    if len(quotes) > 1 and venue:
        quotes = [max(quotes, key=len) if venue == "binance" else "USD"]
    if len(quotes) > 1:
        quotes = [q for q in quotes if whole[: -len(q)] in ALIASES]
    if len(quotes) != 1:
        return None
    base = whole[: -len(quotes[0])]
    return ALIASES.get(base, base), quotes[0]


def base_of(pair: str) -> str | None:
    """Return the base of a pair, or None when it names no quote that we know."""
    found = split_pair(pair)
    return found and found[0]


def _stated(format_name: str, file_name: str) -> dict[str, str]:
    """Return what a name states in the manner of its format; nothing if it does not."""
    stem = re.sub(r"(\.(csv|txt|tsv|prn|zip|gz|json|parquet|feather))+$", "", file_name,
                  flags=re.I)  # fmt: skip
    names = BY_HAND if format_name == "csv" else (format_name,)
    for name in names:
        found = re.match(PATTERNS[name], stem) if name in PATTERNS else None
        stated = {k: v for k, v in found.groupdict().items() if v} if found else {}
        # Mapped by hand, it is called in the manner of a venue, and may be of another.
        own = VENUES.get(format_name, Origin()).venue
        venue = own or stated.get("venue", "").lower()
        pair = split_pair(stated.get("pair", ""), venue)
        if pair:
            return stated | {"base": pair[0], "quote": pair[1], "venue": venue}
    return {}


def symbol_of(format_name: str, file_name: str) -> str | None:
    """Return the symbol that a file's name states in the manner of its format."""
    return _stated(format_name, file_name).get("base")


def origin_of(format_name: str, path: Path, name: str, pair: str = "") -> Origin:
    """Return the origin that a format, the file's name and its folders state.

    `path` is that of the file, `name` the table's own (that of an archive's member),
    `pair` what the table says itself of its pair.
    """
    stated = _stated(format_name, name) or _stated(format_name, path.name)
    known = VENUES.get(format_name, Origin())
    venue = known.venue or stated.get("venue", "")
    quoted = split_pair(pair, venue)
    kind = stated.get("kind", "").lower()
    price = next((PRICE_FOLDERS[p] for p in path.parts if p in PRICE_FOLDERS), "")
    if kind in ("mark", "index"):
        price = kind
    return Origin(
        venue,
        quoted[1] if quoted else stated.get("quote", ""),
        known.contract or _contract(path, kind, "settled" in stated),
        price or known.price,
    )


def _contract(path: Path, kind: str, is_settled: bool) -> str:
    """Return the contract that a name or the folders of Binance Vision tell."""
    if re.fullmatch(r"_\d{6}", kind):
        return "future"
    if kind in (".p", "_perp", "futures") or is_settled or "futures" in path.parts:
        return "perpetual"
    return "spot" if kind == "spot" or {"data", "spot"} <= set(path.parts) else ""


def symbol_problem(name: str) -> str | None:
    """Return why a name cannot be a symbol or series (it names a file), or None."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        return None
    return f"'{name}', not of letters, digits, '.', '_' and '-'"
