"""A shared wallet's sweep: one account over all symbols of a profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from duckdb import DuckDBPyRelation

from barsieve.profiles.settings import ALL, Profile
from barsieve.replay.runs import HOUR_US
from barsieve.signals.blocks import SLOTS
from barsieve.signals.market import Market, read_market
from barsieve.sweep.buffers import Space, make_room, make_space
from barsieve.sweep.grids import Grid
from barsieve.sweep.kernel import sweep_wallet
from barsieve.sweep.run import (
    WHOLE,
    Sweep,
    config_ids,
    hours_after,
    last_seen,
    longest_of,
    make_calendar,
    opens_of,
)
from barsieve.sweep.screen import Screen, joined, make_screen


@dataclass(frozen=True)
class WalletSweep(Sweep):
    """A grid over the symbols of a shared wallet.

    `bars` and `hours`, shape (n_rows,), are those of one symbol after the other, and
    `first` and the rows of `screen` as in the `Market` of a wallet. `hours_after`, of
    shape (n_symbols,): from the last bar of each symbol to that of the market.
    """

    histories: tuple[Market, ...]
    bars: np.recarray
    hours: np.ndarray
    first: np.ndarray
    screen: Screen
    hours_after: np.ndarray

    @property
    def markets(self) -> tuple[Market, ...]:
        """Return the history of each symbol, in their order."""
        return self.histories

    def make_space(self) -> Space:
        """Return scratch space for one thread, a copy of the bars in it."""
        n_blocks = len(self.screen.rows) // SLOTS
        room = make_room(len(self.bars), n_blocks, *self.room_size)
        bars, start = self.bars.copy(), float(self.profile.start_balance)
        return make_space(room, bars, self.hours, self.first, start)

    def run(
        self, configs: np.ndarray, space: Any, figures: np.ndarray, hashes: np.ndarray
    ) -> None:
        """Replay and measure configurations in space that nobody else uses."""
        sweep_wallet(
            self.screen,
            configs,
            self.profile.rules,
            float(self.profile.start_balance),
            self.hours_after,
            self.calendar,
            space,
            figures,
            hashes,
        )


def _last_booked(market: Market, longest: int, after: float, delisted: float) -> int:
    """Return the last moment at which a position may be booked out, in µs.

    One that its symbol leaves behind is, when that is known or the market ends.
    """
    opens, last = opens_of(market), last_seen(market, longest)
    late = np.fmin(after, delisted) if last == len(opens) - 1 else 0.0
    return int(opens[last] + late * HOUR_US)


def wallet_over(
    markets: Sequence[Market],
    bases: Sequence[dict[str, Any]],
    grid: Grid,
    after: np.ndarray,
) -> WalletSweep:
    """Return the sweep of a wallet over markets, one a row of `config_symbols`.

    `after`, shape (n_symbols,): hours from the last bar of each to the market's end.
    """
    of_symbols = [f"{base['symbol']} {base['reference_symbol']}" for base in bases]
    base = bases[0] | {"symbol": ALL, "account": ALL, "reference_symbol": None}
    ids = config_ids(grid, base | {"symbols": of_symbols})
    profile = Profile.from_row(base)
    first = np.cumsum([0, *(len(market.bars) for market in markets)]).astype(np.int64)
    bars = np.concatenate([market.bars for market in markets]).view(np.recarray)
    bars["index"] = np.arange(len(bars))
    opens = np.concatenate([opens_of(market) for market in markets])
    merged = np.unique(opens)
    is_in_study = np.concatenate([market.is_in_study for market in markets])
    delisted = profile.rules.delisted_after_hours
    last = max(
        _last_booked(market, longest_of(grid), hours, delisted)
        for market, hours in zip(markets, after, strict=True)
    )
    is_judged = np.isin(merged, opens[is_in_study])
    calendar, months = make_calendar(merged, is_judged, np.nan, last)
    screens = [
        make_screen(market, grid.configs, base)
        for market, base in zip(markets, bases, strict=True)
    ]
    return WalletSweep(
        profile=profile,
        grid=grid,
        calendar=calendar,
        ids=ids,
        folds=[WHOLE, *months],
        # One copy of the bars is enough.
        histories=tuple(
            market._replace(bars=bars[start:stop].view(np.recarray))
            for market, start, stop in zip(markets, first, first[1:], strict=False)
        ),
        bars=bars,
        hours=opens // HOUR_US,
        first=first,
        screen=joined(screens, first),
        hours_after=after,
    )


def prepare_wallet(
    sweep_bars: DuckDBPyRelation,
    regimes: DuckDBPyRelation,
    bases: Sequence[dict[str, Any]],
    grid: Grid,
) -> WalletSweep:
    """Read the bars of a wallet's symbols and screen them for the grid.

    `bases`, the rows of `config_symbols` of one profile, by symbol, give all that the
    grid does not vary.
    """
    voting = {"weights": dict.fromkeys(grid.domains)}
    known = {symbol for (symbol,) in sweep_bars.select("symbol").distinct().fetchall()}
    traded = [base | voting for base in bases if base["symbol"] in known]
    markets = [
        read_market(sweep_bars, regimes, base, base["symbol"]) for base in traded
    ]
    after = np.array([hours_after(sweep_bars, market) for market in markets])
    return wallet_over(markets, traded, grid, after)
