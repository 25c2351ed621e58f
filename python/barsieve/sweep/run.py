"""One symbol's sweep: prepared once, then run chunk by chunk on any thread."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from queue import LifoQueue
from typing import Any

import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.profiles.rules import NEVER
from barsieve.profiles.settings import Profile
from barsieve.replay.runs import Run
from barsieve.signals.blocks import SLOTS
from barsieve.signals.market import Market, read_market
from barsieve.sweep.buffers import CLOCK, Calendar, Room, make_room, words_of
from barsieve.sweep.figures import FIGURES, hash_trades
from barsieve.sweep.grids import VARIED, Grid, config_dtype
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
class Sweep:
    """A grid over one symbol, ready to run.

    `ids` name the configurations to run and then the refused ones; `folds` the rows of
    each one's figures: the whole history, then its months. `hours_after` is as in the
    `Inputs` of a replay.
    """

    profile: Profile
    market: Market
    grid: Grid
    screen: Screen
    calendar: Calendar
    ids: list[str]
    folds: list[str]
    hours_after: float = 0.0


def make_calendar(market: Market, longest: int) -> tuple[Calendar, list[str]]:
    """Return the calendar of a market and the names of its months.

    Months reach from the first bar of the study to the last bar that a position of
    `longest` bars, entered at the study's end, may see.
    """
    opens = market.bar_ts.cast(pa.int64()).to_numpy()
    months = opens.astype("datetime64[us]").astype("datetime64[M]")
    inside = np.flatnonzero(market.is_in_study)
    first, end = (inside[0], inside[-1] + 1) if len(inside) else (0, 0)
    last = min(len(opens) - 1, end + longest + 2)
    month = (months - months[first]).astype(np.int64)
    n_months = int(month[last]) + 1
    judged = slice(first, end)
    day_starts = np.flatnonzero(np.diff(opens[judged] // DAY_US)) + 1
    clock = np.empty(len(opens), CLOCK).view(np.recarray)
    clock.close, clock.day, clock.month = market.bars.close, opens // DAY_US, month
    days, bars = month[judged][day_starts], month[judged]
    calendar = Calendar(
        clock=clock,
        end=int(end),
        first_day=int(opens[first] // DAY_US),
        n_days=np.bincount(days, minlength=n_months).astype(np.int64),
        n_bars=np.bincount(bars, minlength=n_months).astype(np.int64),
    )
    return calendar, [str(months[first] + m) for m in range(n_months)]


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


def prepare(
    sweep_bars, regimes, base: dict[str, Any], symbol: str, grid: Grid
) -> Sweep:
    """Read a symbol's bars and screen them for the grid.

    `base`, a row of `config_symbols`, gives all that the grid does not vary.
    """
    base = base | {"symbol": symbol}
    ids = config_ids(grid, base)
    base["weights"] = dict.fromkeys(grid.domains)
    market = read_market(sweep_bars, regimes, base, symbol)
    longest = int(grid.configs.time_stop_bars.max(initial=0))
    calendar, months = make_calendar(market, longest)
    return Sweep(
        Profile.from_row(base),
        market,
        grid,
        make_screen(market, grid.configs, base),
        calendar,
        ids,
        [WHOLE, *months],
    )


class Rooms:
    """Scratch space to borrow: a copy of the bars and a ledger for each thread."""

    def __init__(self, sweep: Sweep):
        """Keep the sweep; space is made when it is first needed."""
        self._sweep = sweep
        self._free: LifoQueue = LifoQueue()

    def take(self) -> tuple[np.recarray, Room]:
        """Return space that nobody uses."""
        if not self._free.empty():
            return self._free.get()
        bars, n_blocks = self._sweep.market.bars, len(self._sweep.screen.rows) // SLOTS
        n_days = int(self._sweep.calendar.n_days.sum()) + 2
        n_months = len(self._sweep.folds) - 1
        return bars.copy(), make_room(len(bars), n_blocks, n_days, n_months)

    def give_back(self, space: tuple[np.recarray, Room]) -> None:
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
    bars, room = space = rooms.take()
    sweep_configs(
        bars,
        sweep.screen,
        sweep.grid.configs[chunk.start : chunk.stop],
        sweep.profile.rules,
        float(sweep.profile.start_balance),
        sweep.hours_after,
        sweep.calendar,
        room,
        figures,
        hashes,
    )
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
        "symbol": _repeated(sweep.market.symbol, n_rows),
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
    }
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
        "symbol": pa.array([sweep.market.symbol] * n, pa.string()),
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
