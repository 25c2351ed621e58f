"""Cuts of history: a symbol, and the moment at which all that is known ends."""

import random
from datetime import datetime
from typing import NamedTuple

import duckdb

from barsieve.core.arrow import row_of
from barsieve.core.errors import refuse

# What else ends at a cut, in turns: a day, an interval of funding, four hours, and
# nothing between them; then comes an hour before which funding changed its interval.
HOURS = (1, 24, 1, 8, 1, 4)
CLOSES = """
    select known_at from {bars_1h} where symbol = $symbol and bar_index {which}
"""
TURNS = """
    select time_bucket(interval '1 hour', settled_at) + interval '1 hour' as known_at
    from (
        select
            settled_at,
            settled_at - lag(settled_at) over in_order as since_last,
            lead(settled_at) over in_order - settled_at as until_next,
        from {bars_funding} where symbol = $symbol
        window in_order as (order by settled_at)
    )
    where abs(epoch(until_next) - epoch(since_last)) > 1800
"""


class Cut(NamedTuple):
    """A history that ends early: which of how many, its symbol, the moment."""

    number: int
    symbol: str
    at: datetime

    @property
    def name(self) -> str:
        """Name as a symbol beside others; they sort before and after each other."""
        return f"{'AMZa'[self.number % 4]}{self.number:02d}@{self.symbol}"


def _queries(number: int, n_symbols: int, n_bars: int) -> list[str]:
    """Return what to choose a cut from: the first of these that finds a moment."""
    # A fifth of a history comes before its first cut.
    any_close = CLOSES.replace("{which}", f"> {n_bars // 5}")
    if number < n_symbols:
        return [CLOSES.replace("{which}", f"= {n_bars - 1}")]
    kind = number // n_symbols % (len(HOURS) + 1)
    if kind == len(HOURS):
        chosen = (
            f"select known_at from ({any_close}) semi join ({TURNS}) using (known_at)"
        )
    else:
        chosen = f"{any_close} and hour(known_at) % {HOURS[kind]} = 0"
    return [chosen, any_close]


def choose_cuts(
    connection: duckdb.DuckDBPyConnection,
    tables: dict[str, str],
    n_cuts: int,
    seed: int,
) -> list[Cut]:
    """Return moments to cut symbols at: before the end, at ends of days, blocks, hours.

    Symbols take turns. `tables` says where `bars_1h` and `bars_funding` lie. Raises
    InputError when no symbol has two bars.
    """
    rng = random.Random(seed)
    counted = connection.execute(
        f"select symbol, count(*) from {tables['bars_1h']} group by symbol "
        "having count(*) > 1 order by symbol"
    ).fetchall()
    if not counted:
        refuse(
            "the market",
            expected="a symbol of two bars or more, to cut its history off",
            found="none",
            fix="more bars",
        )
    cuts = []
    for number in range(n_cuts):
        symbol, n_bars = counted[number % len(counted)]
        for query in _queries(number, len(counted), n_bars):
            sql, values = query.format(**tables), {"symbol": symbol}
            n = row_of(connection.execute(f"select count(*) from ({sql})", values))[0]
            if n:
                nth = f"{sql} order by known_at limit 1 offset {rng.randrange(n)}"
                at = row_of(connection.execute(nth, values))[0]
                cuts.append(Cut(number, symbol, at))
                break
    return cuts
