"""Origin of a stored series: what it was quoted by, so that no other is spliced in."""

from typing import NamedTuple


class Origin(NamedTuple):
    """Where bars or rates come from; an empty field is unknown and matches anything.

    `venue` in lower case (`binance`, `coinbase`), `quote` the currency of the price
    (`USDT`, `USD`), `contract` `spot`, `perpetual` or `future`, `price` `trade`, `mark`
    or `index`.
    """

    venue: str = ""
    quote: str = ""
    contract: str = ""
    price: str = ""
