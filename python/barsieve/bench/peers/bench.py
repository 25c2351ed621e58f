"""Comparison of all three on the same bars: their trades, and their times.

Only the simulation is timed: indicators, crossings and arguments are made before,
records are read after. Engines take turns, and the best of several turns counts, so
that a busy machine slows all of them alike. The first turn of each compiles and is told
apart.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from barsieve.bench.peers.in_backtesting import Backtests
from barsieve.bench.peers.in_vectorbt import Portfolios
from barsieve.bench.peers.own import Kernel
from barsieve.bench.peers.rules import (
    REFERENCE,
    Bars,
    configurations,
    make_sweep,
    read_bars,
)
from barsieve.core.paths import about_market

TOLERANCE = 1e-9
"""Of a price: vectorbt takes stops as shares of the fill and rounds differently."""

NOTES = (
    "Slippage is charged like a fee, a share of the notional of each fill, for that is "
    "what it is here: fills stay at the open, the stop or the target.",
    "vectorbt gets two rows a bar, its open and the bar itself: with one it cannot be "
    "stopped on the bar of the fill. One row a bar is timed too: faster, other trades.",
    "backtesting.py takes the prices of a bracket before the fill, so it is handed "
    "brackets around the next open. It refuses one that does not hold the last close "
    "too, so crossings before a gap of 1.5 ATR are left out for all.",
    "Both peers would test a stop before a target that the bar already opened beyond; "
    "barsieve fills that target at the open. Should a trade meet a bar that does both, "
    "the trades differ and this bench fails.",
    "Indicators and crossings are given to all; what is timed is the simulation of "
    "trades. vectorbt and backtesting.py use one thread.",
    "Trades still open at the end are left out: each engine ends them in its own way.",
)


class Engine(Protocol):
    """A sweep in an engine: calls to be timed, and the trades in what they return."""

    def steps(self) -> Iterable[Callable[[], Any]]:
        """Yield the calls that simulate the sweep."""

    def trades(self, found: Any) -> np.ndarray:
        """Return the trades in what a call returned, records of `TRADED`."""


@dataclass(frozen=True)
class Turn:
    """One timed turn of an engine over its configurations."""

    seconds: float
    traded: np.ndarray


@dataclass(frozen=True)
class Agreement:
    """Trades of two engines: how many are the same, and the first that is not.

    `of` counts the trades that either has.
    """

    identical: int
    of: int
    first_difference: str

    @property
    def share(self) -> float:
        """Return the share of trades that are the same; none to compare is 0."""
        return self.identical / self.of if self.of else 0.0

    @property
    def is_whole(self) -> bool:
        """Tell whether all trades are the same and there are any."""
        return 0 < self.of == self.identical


def compare(own: np.ndarray, other: np.ndarray) -> Agreement:
    """Compare trades: side and bars exactly, prices and net within `TOLERANCE`."""
    names = ["configuration", "entry_index"]
    own, other = np.sort(own, order=names), np.sort(other, order=names)
    width = 1 + max(int(t["entry_index"].max(initial=0)) for t in (own, other))
    keys = [t["configuration"] * width + t["entry_index"] for t in (own, other)]
    shared, mine, theirs = np.intersect1d(*keys, return_indices=True)
    a, b = own[mine], other[theirs]
    same = (a["side"] == b["side"]) & (a["exit_index"] == b["exit_index"])
    for name in ("entry_price", "exit_price", "net"):
        same &= np.abs(a[name] - b[name]) <= TOLERANCE * a["entry_price"]
    lone = np.setxor1d(*keys)
    apart = np.sort(np.concatenate([lone, shared[~same]]))
    first = "" if not len(apart) else _first(apart[0], keys, (own, other))
    return Agreement(int(same.sum()), len(shared) + len(lone), first)


def _first(key: int, keys, traded) -> str:
    found = [t[k == key] for k, t in zip(keys, traded, strict=True)]
    return " against ".join(str(t[0]) if len(t) else "no trade" for t in found)


def turn(engine: Engine, clock: Callable[[], float]) -> Turn:
    """Simulate the sweep once; reading the trades is not timed."""
    seconds, traded = 0.0, []
    for step in engine.steps():
        started = clock()
        found = step()
        seconds += clock() - started
        traded.append(engine.trades(found))
    return Turn(seconds, np.concatenate(traded))


def _race(
    engines: dict[str, tuple[Engine, int]], clock: Callable[[], float]
) -> dict[str, Turn]:
    """Let engines take turns, each so many times; return the best turn of each."""
    best: dict[str, Turn] = {}
    for round_ in range(max(turns for _, turns in engines.values())):
        for name, (engine, turns) in engines.items():
            if round_ < turns:
                found = turn(engine, clock)
                # Only the best is kept: the trades of a sweep take 100 MB.
                if name not in best or found.seconds < best[name].seconds:
                    best[name] = found
    return best


OWN = "barsieve"
ROW_A_BAR = "vectorbt, a row a bar"


def _rows(best: dict[str, Turn], sizes: dict[str, int], number: int) -> list[dict]:
    """Return a row per engine: seconds for all configurations, ratio, agreement."""
    own, rows = best[OWN], []
    for name, found in best.items():
        ran = sizes.get(name, number)
        common = own.traded[own.traded["configuration"] < ran]
        agreed = compare(common, found.traded)
        seconds = found.seconds * number / ran
        rows.append(
            {
                "engine": name,
                "configurations": ran,
                "seconds": seconds,
                "is_extrapolated": ran < number,
                "ratio": seconds / own.seconds,
                "trades": len(found.traded),
                "agreement": agreed.share,
                "agrees": agreed.is_whole,
                "has_same_rules": name != ROW_A_BAR,
                "first_difference": agreed.first_difference,
            }
        )
    return rows


def _one(bars: Bars, clock, repeats: int) -> tuple[dict[str, float], list[dict]]:
    """Time the reference alone; return the seconds of each first call, and the rows."""
    sweep = make_sweep(bars, [REFERENCE])
    engines: dict[str, tuple[Engine, int]] = {
        OWN: (Kernel(sweep), 10 * repeats),
        "vectorbt": (Portfolios(sweep), 2 * repeats),
        ROW_A_BAR: (Portfolios(sweep, is_split=False), 2 * repeats),
        "backtesting.py": (Backtests(sweep), repeats),
    }
    first = {name: turn(engine, clock).seconds for name, (engine, _) in engines.items()}
    return first, _rows(_race(engines, clock), {}, 1)


def _many(bars: Bars, number: int, sample: int, clock, repeats: int) -> list[dict]:
    chosen = configurations(number)
    sweep, few = make_sweep(bars, chosen), make_sweep(bars, chosen[:sample])
    threads = min(2, cpu_count() or 1)
    engines: dict[str, tuple[Engine, int]] = {
        OWN: (Kernel(sweep, threads), 2 * repeats),
        f"{OWN}, 1 thread": (Kernel(sweep), 2 * repeats),
        "vectorbt": (Portfolios(sweep), repeats),
        ROW_A_BAR: (Portfolios(sweep, is_split=False), 1),
        "backtesting.py": (Backtests(few), 1),
    }
    for name in (OWN, "vectorbt", ROW_A_BAR):
        # Several columns are another type to numba than one: compile them untimed.
        next(iter(engines[name][0].steps()))()
    sizes = {"backtesting.py": len(few.configurations)}
    return _rows(_race(engines, clock), sizes, len(chosen))


def run_bench_peers(
    market: Path,
    symbol: str | None,
    number: int,
    sample: int,
    repeats: int,
    clock: Callable[[], float],
    last: int | None = None,
) -> dict[str, Any]:
    """Run the common rules through all engines; return figures and agreement.

    `number` configurations, a `sample` of them in backtesting.py, the best of `repeats`
    turns; `last` takes so many of the latest bars alone. Raises InputError for a market
    that cannot be used.
    """
    bars = read_bars(market, symbol, last)
    about = about_market(market)
    first, one = _one(bars, clock, repeats)
    return {
        "market": about["market_name"],
        "is_simulated": about["is_simulated"],
        "symbol": bars.symbol,
        "bars": len(bars),
        "bars_before_a_gap": int(bars.gaps_far.sum()),
        "cpus": cpu_count(),
        "versions": {n: version(n) for n in ("vectorbt", "backtesting", "numba")},
        "first_call_seconds": first,
        "one": one,
        "sweep": _many(bars, number, min(sample, number), clock, repeats),
        "notes": list(NOTES),
    }


def disagreements(result: dict[str, Any]) -> list[str]:
    """Return what differs between engines that were told the same rules."""
    return [
        f"{row['engine']}: {row['agreement']:.4%} of the trades agree, expected all; "
        f"the first that differs: {row['first_difference'] or 'none was made'}"
        for row in [*result["one"], *result["sweep"]]
        if row["has_same_rules"] and not row["agrees"]
    ]
