"""A sweep: prepared once, then run chunk by chunk on any thread.

That of one symbol, and what those of shared wallets (`wallets`) have in common with it.
"""

import json
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from queue import LifoQueue
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.profiles.rules import NEVER
from barsieve.profiles.settings import Profile
from barsieve.replay.runs import HOUR_US, Run
from barsieve.signals.blocks import SLOTS
from barsieve.signals.market import Market, read_market
from barsieve.sweep.buffers import CLOCK, Calendar, Room, make_room, words_of
from barsieve.sweep.figures import FIGURES, hash_trades
from barsieve.sweep.grids import CODES, VARIED, Grid, config_dtype
from barsieve.sweep.kernel import sweep_configs
from barsieve.sweep.screen import Screen, make_screen

DAY_US = 86_400_000_000
WHOLE = "all"
# Every thread has several, so that none waits long for the others.
CHUNKS_A_THREAD = 4
COUNTS = ("trades", "wins")

# What two profiles may differ in without trading differently.
NOT_TRADED = {
    "profile", "wallet_kind", "account", "n_symbols", "swept", "screen",
    "candidate_window_bars", "envelope", "parity_promise", "trades_tolerance",
    "win_rate_tolerance", "document", "box",
}  # fmt: skip


@dataclass(frozen=True)
class Sweep(ABC):
    """A grid over what one account trades, ready to run.

    `ids` name the configurations to run and then the refused ones; `folds` the rows of
    each one's figures: the whole history, then its months.
    """

    profile: Profile
    grid: Grid
    calendar: Calendar
    ids: list[str]
    folds: list[str]

    @property
    def symbol(self) -> str:
        """Return the symbol, or `ALL` of a wallet that several share."""
        return self.profile.symbol

    @property
    @abstractmethod
    def markets(self) -> tuple[Market, ...]:
        """Return the history of each symbol, in their order."""

    @abstractmethod
    def make_space(self) -> Any:
        """Return scratch space for one thread, a copy of the bars in it."""

    @abstractmethod
    def run(
        self, configs: np.ndarray, space: Any, figures: np.ndarray, hashes: np.ndarray
    ) -> None:
        """Replay and measure configurations in space that nobody else uses."""

    @property
    def room_size(self) -> tuple[int, int]:
        """Return for how many days and months a thread needs room."""
        return int(self.calendar.n_days.sum()) + 2, len(self.folds) - 1


@dataclass(frozen=True)
class SymbolSweep(Sweep):
    """A grid over one symbol; `hours_after` is as in the `Inputs` of a replay."""

    market: Market
    screen: Screen
    hours_after: float = 0.0

    @property
    def markets(self) -> tuple[Market, ...]:
        """Return the history of the symbol."""
        return (self.market,)

    def make_space(self) -> tuple[np.recarray, Room]:
        """Return a copy of the bars, and room."""
        n_blocks = len(self.screen.rows) // SLOTS
        room = make_room(len(self.market.bars), n_blocks, *self.room_size)
        return self.market.bars.copy(), room

    def run(
        self, configs: np.ndarray, space: Any, figures: np.ndarray, hashes: np.ndarray
    ) -> None:
        """Replay and measure configurations in space that nobody else uses."""
        bars, room = space
        sweep_configs(
            bars,
            self.screen,
            configs,
            self.profile.rules,
            float(self.profile.start_balance),
            self.hours_after,
            self.calendar,
            room,
            figures,
            hashes,
        )


def make_calendar(
    opens: np.ndarray, is_in_study: np.ndarray, close: np.ndarray | float, last: int
) -> tuple[Calendar, list[str]]:
    """Return the calendar of bars and the names of its months.

    `opens`, in µs, ascending, `is_in_study` and `close` have shape (n_bars,); merged
    hours have no close. Months reach from the first bar of the study to the moment
    `last`, in µs.
    """
    months = opens.astype("datetime64[us]").astype("datetime64[M]")
    inside = np.flatnonzero(is_in_study)
    first, end = (inside[0], inside[-1] + 1) if len(inside) else (0, 0)
    month = (months - months[first]).astype(np.int64)
    last_month = np.int64(last).astype("datetime64[us]").astype("datetime64[M]")
    names = np.arange(months[first], last_month + 1)
    judged = slice(first, end)
    day_starts = np.flatnonzero(np.diff(opens[judged] // DAY_US)) + 1
    clock = np.empty(len(opens), CLOCK).view(np.recarray)
    clock.close, clock.day, clock.month = close, opens // DAY_US, month
    days, bars = month[judged][day_starts], month[judged]
    begins = names.astype("datetime64[h]").astype(np.int64)
    calendar = Calendar(
        clock=clock,
        hours=opens // HOUR_US,
        month_hours=begins,
        end=int(end),
        first_day=int(opens[first] // DAY_US),
        n_days=np.bincount(days, minlength=len(names)).astype(np.int64),
        n_bars=np.bincount(bars, minlength=len(names)).astype(np.int64),
    )
    return calendar, [str(name) for name in names]


def last_seen(market: Market, longest: int) -> int:
    """Return the place of the last bar that a position may see.

    One of `longest` bars, entered at the study's end.
    """
    inside = np.flatnonzero(market.is_in_study)
    end = int(inside[-1]) + 1 if len(inside) else 0
    return min(len(market.bars) - 1, end + longest + 2)


def longest_of(grid: Grid) -> int:
    """Return how many bars a configuration of a grid holds a position at most."""
    return int(grid.configs.time_stop_bars.max(initial=0))


def opens_of(market: Market) -> np.ndarray:
    """Return when the bars of a market open, in µs, shape (n_bars,)."""
    opens: np.ndarray = market.bar_ts.cast(pa.int64()).to_numpy()
    return opens


def hours_after(sweep_bars: DuckDBPyRelation, market: Market) -> float:
    """Return the hours from a symbol's last bar to that of the market."""
    ends_at = sweep_bars.aggregate("epoch_us(max(bar_ts))").fetchall()[0][0]
    return float(ends_at - opens_of(market)[-1]) / HOUR_US


def config_ids(grid: Grid, base: dict[str, Any]) -> list[str]:
    """Return a name for each configuration: a digest of all that decides its trades.

    Those to run come first, then the refused ones. A domain that none of them names
    does not decide any.
    """
    of_config = {*VARIED, "weights", *NOT_TRADED}
    traded = {k: v for k, v in base.items() if k not in of_config}
    traded["domains"] = list(grid.domains)
    prefix = blake2b(json.dumps(traded, default=str, sort_keys=True).encode()).digest()
    both = np.concatenate([grid.configs, grid.refused])
    named = np.empty(len(both), config_dtype(len(grid.places)))
    for setting in VARIED:
        named[setting] = both[setting]
    named["weights"] = both["weights"][:, list(grid.places)]
    return [
        blake2b(prefix + config.tobytes(), digest_size=8).hexdigest()
        for config in named
    ]


def symbol_over(
    market: Market, base: dict[str, Any], grid: Grid, after: float
) -> SymbolSweep:
    """Return the sweep of a symbol; `after`: hours from its last bar to the market's.

    `base`, a row of `config_symbols`, gives all that the grid does not vary. Whatever
    account it has there, it has one of the symbol here.
    """
    base = base | {"symbol": market.symbol, "account": market.symbol}
    opens, last = opens_of(market), last_seen(market, longest_of(grid))
    calendar, months = make_calendar(
        opens, market.is_in_study, market.bars.close, opens[last]
    )
    return SymbolSweep(
        profile=Profile.from_row(base),
        grid=grid,
        calendar=calendar,
        ids=config_ids(grid, base),
        folds=[WHOLE, *months],
        market=market,
        screen=make_screen(market, grid.configs, base),
        hours_after=after,
    )


def prepare(
    sweep_bars: DuckDBPyRelation,
    regimes: DuckDBPyRelation,
    base: dict[str, Any],
    symbol: str,
    grid: Grid,
) -> SymbolSweep:
    """Read a symbol's bars and screen them for the grid; `base` as of `symbol_over`."""
    base = base | {"weights": dict.fromkeys(grid.domains)}
    market = read_market(sweep_bars, regimes, base, symbol)
    return symbol_over(market, base, grid, hours_after(sweep_bars, market))


class Rooms:
    """Scratch space to borrow: a copy of the bars and a ledger for each thread."""

    def __init__(self, sweep: Sweep):
        """Keep the sweep; space is made when it is first needed."""
        self._sweep = sweep
        self._free: LifoQueue = LifoQueue()

    def take(self) -> Any:
        """Return space that nobody uses."""
        return self._sweep.make_space() if self._free.empty() else self._free.get()

    def give_back(self, space: Any) -> None:
        """Let the next one have it."""
        self._free.put(space)


def measure_chunk(
    sweep: Sweep, rooms: Rooms, chunk: range
) -> tuple[np.ndarray, np.ndarray]:
    """Replay and measure the configurations of a chunk.

    Returns figures of shape (n_configs, n_folds, n_figures) and hashes of the first
    two. Any split into chunks, on any thread, gives the same numbers.
    """
    shape = (len(chunk), len(sweep.folds))
    figures, hashes = np.empty((*shape, len(FIGURES))), np.empty(shape, np.uint64)
    configs, space = sweep.grid.configs[chunk.start : chunk.stop], rooms.take()
    sweep.run(configs, space, figures, hashes)
    rooms.give_back(space)
    return figures, hashes


def measure(sweep: Sweep, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Replay and measure all configurations on threads; see `measure_chunk`."""
    n_configs, rooms = len(sweep.grid.configs), Rooms(sweep)
    size = max(1, ceil(n_configs / (CHUNKS_A_THREAD * threads)))
    starts = range(0, n_configs, size)
    chunks = [range(at, min(at + size, n_configs)) for at in starts]
    with ThreadPoolExecutor(threads) as pool:
        done = list(pool.map(lambda chunk: measure_chunk(sweep, rooms, chunk), chunks))
    shape = (0, len(sweep.folds))
    figures = [np.empty((*shape, len(FIGURES))), *(part for part, _ in done)]
    hashes = [np.empty(shape, np.uint64), *(part for _, part in done)]
    return np.concatenate(figures), np.concatenate(hashes)


def _repeated(text: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(n, np.int8), [text])


def _figure(figures: np.ndarray, name: str) -> pa.Array:
    column = figures[:, :, FIGURES.index(name)].ravel()
    if name in COUNTS:
        return pa.array(column.astype(np.int32))
    return pa.array(column, mask=~np.isfinite(column))


def warm_up(sweep: Sweep) -> None:
    """Compile what a sweep runs, or load it from the cache, without running any."""
    measure_chunk(sweep, Rooms(sweep), range(0))


def results_table(sweep: Sweep, chunk: range, figures, hashes) -> pa.Table:
    """Return a chunk as rows of `sweep_results`."""
    n_configs, n_folds = hashes.shape
    n_rows = n_configs * n_folds
    ids = sweep.ids[chunk.start : chunk.stop]
    at_config = np.repeat(np.arange(n_configs, dtype=np.int32), n_folds)
    at_fold = np.tile(np.arange(n_folds, dtype=np.int16), n_configs)
    columns = {
        "grid": _repeated(sweep.grid.name, n_rows),
        "config": pa.DictionaryArray.from_arrays(at_config, pa.array(ids, pa.string())),
        "symbol": _repeated(sweep.symbol, n_rows),
        "fold": pa.DictionaryArray.from_arrays(at_fold, sweep.folds),
        **{name: _figure(figures, name) for name in FIGURES},
        "trades_hash": pa.array(hashes.ravel()),
    }
    return pa.table(columns)


def is_off(values: np.ndarray) -> np.ndarray:
    """Tell which values of a setting switch it off."""
    found: np.ndarray = np.isnan(values) | (values == NEVER)
    return found


def _settings_columns(configs: np.recarray, grid: Grid) -> dict[str, pa.Array]:
    types = {name: schemas.SWEEP_RUNS.field(name).type for name in VARIED}
    columns = {
        name: pa.array(configs[name].copy(), mask=is_off(configs[name])).cast(kind)
        for name, kind in types.items()
        if name not in CODES
    }
    for name in types.keys() & CODES.keys():
        names = {code: choice for choice, code in CODES[name].items()}
        columns[name] = pa.array([names[c] for c in configs[name]], types[name])
    weights = configs.weights[:, list(grid.places)]
    n_configs, n_domains = weights.shape
    columns["weights"] = pa.MapArray.from_arrays(
        np.arange(n_configs + 1, dtype=np.int32) * n_domains,
        pa.array(list(grid.domains) * n_configs, pa.string()),
        weights.ravel(),
    )
    return columns


def configs_table(sweep: Sweep) -> pa.Table:
    """Return all that the grid tried as rows of `sweep_configs`, refused ones last."""
    grid = sweep.grid
    n_run, n_refused = len(grid.configs), len(grid.refused)
    both = np.concatenate([grid.configs, grid.refused]).view(np.recarray)
    n = n_run + n_refused
    columns = {
        "grid": pa.array([grid.name] * n, pa.string()),
        "config": pa.array(sweep.ids, pa.string()),
        "symbol": pa.array([sweep.symbol] * n, pa.string()),
        "profile": pa.array([sweep.profile.profile] * n, pa.string()),
        "violation": pa.array([None] * n_run + grid.violations, pa.string()),
        **_settings_columns(both, grid),
    }
    return pa.table(columns)


def runs_table(sweep: Sweep, figures, hashes) -> pa.Table:
    """Return a whole sweep as rows of `sweep_runs`: a configuration, its folds nested.

    A refused configuration has no folds.
    """
    chunk = range(len(sweep.grid.configs))
    rows = results_table(sweep, chunk, figures, hashes)
    folds = pa.StructArray.from_arrays(
        [rows[f.name].combine_chunks().cast(f.type) for f in schemas.SWEEP_FOLD],
        fields=schemas.SWEEP_FOLD,
    )
    ends = np.minimum(np.arange(len(sweep.ids) + 1), len(chunk)) * len(sweep.folds)
    nested = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), folds)
    table = configs_table(sweep).append_column("folds", nested)
    return table.select(schemas.SWEEP_RUNS.names).cast(schemas.SWEEP_RUNS)


def trades_hash(run: Run) -> int:
    """Return the hash that the sweep would give the trades of a replay."""
    legs, trades = run.legs, run.trades
    return int(hash_trades(words_of(legs), words_of(trades), legs, trades))
