"""Symbols of the simulated market: BTC and ETH, and as many more as are asked for.

What a further symbol is depends on the seed and its number alone, never on how many
others there are.
"""

import math
from dataclasses import dataclass

import numpy as np

COMMON_SHARE = 0.8
USUAL_FUNDING = 0.0001
MOST_SYMBOLS = 9_999
# Among the further symbols: every third was listed late, every tenth is delisted.
LATE_EVERY, DELISTED_EVERY = 3, 10


@dataclass(frozen=True)
class Listing:
    """One simulated symbol: its price, its share of the market, when it was traded.

    `first_day` is the day it was listed, `end_day` the one after its last, both counted
    from the market's first day; `usual_funding` is the rate of a settlement at rest.
    """

    symbol: str
    first_price: float
    beta: float
    common_share: float = COMMON_SHARE
    decimals: int = 2
    usual_funding: float = USUAL_FUNDING
    first_day: int = 0
    end_day: int | None = None


FIRST_LISTINGS = (
    Listing("BTC", first_price=30_000.0, beta=1.0),
    Listing("ETH", first_price=1_800.0, beta=1.15),
)
_FIRST_SYMBOLS = tuple(listing.symbol for listing in FIRST_LISTINGS)


def symbol_name(number: int) -> str:
    """Return the name of the symbol of a number, from 1: BTC, ETH, SIM03, SIM04."""
    if number <= len(_FIRST_SYMBOLS):
        return _FIRST_SYMBOLS[number - 1]
    return f"SIM{number:02d}"


def symbol_number(symbol: str) -> int | None:
    """Return the number of a simulated symbol; None for a name that is none."""
    if symbol in _FIRST_SYMBOLS:
        return _FIRST_SYMBOLS.index(symbol) + 1
    digits = symbol.removeprefix("SIM")
    number = int(digits) if digits.isascii() and digits.isdigit() else 0
    is_one = 0 < number <= MOST_SYMBOLS and symbol_name(number) == symbol
    return number if is_one else None


def symbols_asked(text: str) -> tuple[str, ...] | None:
    """Return the symbols that a text asks for: how many, or names joined by commas.

    None where it asks for what is not simulated.
    """
    if text.strip().isdecimal():
        n_symbols = int(text)
        if not 0 < n_symbols <= MOST_SYMBOLS:
            return None
        return tuple(symbol_name(number) for number in range(1, n_symbols + 1))
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    return None if None in map(symbol_number, names) else names


def own_generator(seed: int, symbol: str) -> np.random.Generator:
    """Return the generator of a further symbol, independent of all others."""
    key = (symbol_number(symbol) or 0,)
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
    )


def further_listing(rng: np.random.Generator, symbol: str, n_days: int) -> Listing:
    """Return what a further symbol is, by its own generator.

    Prices have six digits or more, as exchanges quote what costs a fraction of a cent.
    """
    number = symbol_number(symbol) or 0
    draws = rng.random(6)
    magnitude = -4 + 9 * float(draws[0])
    digits = math.floor(magnitude)
    listed, delisted = 0.05 + 0.55 * draws[4], 0.75 + 0.2 * draws[5]
    return Listing(
        symbol,
        first_price=round(10**magnitude, 3 - digits),
        decimals=max(2, 5 - digits),
        beta=round(0.6 + 1.2 * float(draws[1]), 2),
        common_share=round(0.3 + 0.6 * float(draws[2]), 2),
        usual_funding=round(-0.00005 + 0.0002 * float(draws[3]), 6),
        first_day=int(listed * n_days) if number % LATE_EVERY == 0 else 0,
        end_day=int(delisted * n_days) if number % DELISTED_EVERY == 0 else None,
    )
