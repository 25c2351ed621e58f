"""Origin of a stored series: where it comes from, so that no other is spliced in.

It stands in the Parquet file itself, as key-value metadata (`barsieve.origin`), and
survives every rewrite.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

KEY = b"barsieve.origin"
# One venue under several names: exchanges of ccxt that differ in the kind of contract.
VENUES = {
    "binancecoinm": "binance",
    "binanceusdm": "binance",
    "coinbaseadvanced": "coinbase",
    "coinbaseexchange": "coinbase",
    "gateio": "gate",
    "huobi": "htx",
    "krakenfutures": "kraken",
    "kucoinfutures": "kucoin",
    "okex": "okx",
}


class Origin(NamedTuple):
    """Origin of bars or rates; an empty field is unknown and matches anything.

    `venue` in lower case (`binance`, `coinbase`), `quote` the currency of the price
    (`USDT`, `USD`), `contract` `spot`, `perpetual` or `future`, `price` `trade`, `mark`
    or `index`.
    """

    venue: str = ""
    quote: str = ""
    contract: str = ""
    price: str = ""

    def __str__(self) -> str:
        """Return the known fields as text."""
        venue, quote, contract, price = self
        kind = f"{price} price" if price not in ("", "trade") else ""
        quoted = f"in {quote}" if quote else ""
        known = " ".join(part for part in (venue, contract, quoted, kind) if part)
        return known or "of unknown origin"

    def normal(self) -> "Origin":
        """Return the origin with the venue's one name, and cases as they are kept."""
        venue = self.venue.lower()
        return Origin(
            VENUES.get(venue, venue), self.quote.upper(), self.contract.lower(),
            self.price.lower(),
        )  # fmt: skip

    def differs(self, other: "Origin") -> list[str]:
        """Return the fields that are known of both and not the same."""
        pairs = zip(self._fields, self.normal(), other.normal(), strict=True)
        return [name for name, mine, theirs in pairs if mine and theirs != ""
                and mine != theirs]  # fmt: skip

    def filled(self, other: "Origin") -> "Origin":
        """Return this origin, its unknown fields as the other has them."""
        pairs = zip(self.normal(), other.normal(), strict=True)
        return Origin(*(mine or theirs for mine, theirs in pairs))


def metadata_of(path: Path) -> dict[bytes, bytes]:
    """Return the key-value metadata of a Parquet file, its owner's own entries too.

    Left out is what describes the table as another library had it.
    """
    if not path.exists():
        return {}
    try:
        held = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowException):
        return {}
    return {k: v for k, v in held.items() if k not in (b"ARROW:schema", b"pandas")}


def read_origin(path: Path) -> Origin | None:
    """Return the origin that a file carries; None for a file that states none."""
    try:
        stated = json.loads(metadata_of(path)[KEY])
        return Origin(**{name: str(stated.get(name, "")) for name in Origin._fields})
    except (KeyError, ValueError, AttributeError):
        return None


def as_metadata(origin: Origin | None) -> dict[bytes, bytes]:
    """Return the metadata that states an origin; nothing for none."""
    if origin is None or not any(origin):
        return {}
    return {KEY: json.dumps(origin.normal()._asdict(), sort_keys=True).encode()}
