"""Other exits: what leaving trades by a simple rule would have given, on their paths.

A trade left at the next open after a close gives up what was still to come there, costs
of both ways included. Its entry, its size and the trades after it stay as they were:
this judges exits, and is no replay with another setting.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import matching, numbers
from barsieve.core.extras import missing
from barsieve.metrics.bootstrap import means_of_days, simultaneous
from barsieve.metrics.performance import DAY_US

NO_EXIT = "none"
ALL = "*"


def exits_of(
    profit: np.ndarray, best: np.ndarray, held: np.ndarray
) -> dict[str, np.ndarray]:
    """Return, by its name, at which closes each simple exit leaves, shape (n_rows,).

    `profit` and `best` so far in R, `held` in bars.
    """
    found = {NO_EXIT: np.zeros(len(held), bool)}
    found |= {f"after {n} bars": held >= n for n in (3, 6, 12, 24, 48)}
    found |= {f"a loss of {r} R": profit <= -r for r in (0.25, 0.5)}
    found |= {f"a profit of {r} R": profit >= r for r in (0.5, 1.0)}
    found |= {f"{r} R given back": best - profit >= r for r in (0.5, 1.0)}
    return found


def first_rows(is_left: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the row at which each trade is left first, -1 where at none.

    `is_left`, shape (n_rows,); `starts`: the first row of each trade, and the end.
    """
    rows = np.where(is_left, np.arange(len(is_left)), len(is_left))
    if not len(rows):
        return np.empty(0, np.int64)
    first = np.minimum.reduceat(rows, starts[:-1])
    return np.where(first < len(is_left), first, -1)


def _interval(
    gains: np.ndarray, decided_at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return ends of intervals that hold the mean gains of all exits at once."""
    points, drawn, n_days = means_of_days(gains, decided_at // DAY_US)
    low, high, _ = simultaneous(points, drawn, np.full(len(points), n_days))
    return low, high


def _judged(
    about: dict[str, str], exits: dict[str, np.ndarray], rest: np.ndarray,
    starts: np.ndarray, decided_at: np.ndarray,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Yield a row of each exit, of the trades whose rest is known."""
    known = np.isfinite(np.add.reduceat(rest, starts[:-1]))
    firsts = [first_rows(is_left, starts)[known] for is_left in exits.values()]
    n = int(known.sum())
    if not n:
        return
    gains = np.stack([np.where(f >= 0, -rest[f], 0.0) for f in firsts])
    low = high = np.full(len(firsts), np.nan)
    if not missing("ml"):
        low, high = _interval(gains, decided_at[starts[:-1]][known])
    for place, name in enumerate(exits):
        yield about | {
            "exit_rule": name,
            "trades": n,
            "left_earlier": int((firsts[place] >= 0).sum()),
            "gain_r": float(gains[place].mean()),
            "low": float(low[place]) if np.isfinite(low[place]) else None,
            "high": float(high[place]) if np.isfinite(high[place]) else None,
        }


def _of_profile(profile: str, table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a profile: by symbol, and of all where it has several."""
    profit, best, held, rest = (
        numbers(table[name]).astype(np.float64)
        for name in ("profit_r", "best_r", "bars_held", "rest_r")
    )
    decided = numbers(table["decided_at"]).astype(np.int64)
    symbol = np.array(table["symbol"].to_pylist(), object)
    names = sorted(set(symbol))
    for name in [ALL, *names] if len(names) > 1 else names:
        own = np.ones(len(symbol), bool) if name == ALL else symbol == name
        starts = np.append(np.flatnonzero(held[own] == 1), own.sum())
        exits = exits_of(profit[own], best[own], held[own])
        about = {"profile": profile, "symbol": name}
        yield from _judged(about, exits, rest[own], starts, decided[own])


def other_exits(paths: DuckDBPyRelation) -> pa.Table:
    """Return what other exits would have given to the trades of every profile.

    Relation `report_paths`. Intervals are null without the extra `ml`.
    """
    columns = (
        "profile, symbol, profit_r, best_r, bars_held, rest_r, "
        "epoch_us(decision_ts) as decided_at"
    )
    made = list[dict[str, Any]]()
    names = paths.select("profile").distinct().order("profile").fetchall()
    for (name,) in names:
        own = matching(paths, profile=name).order("symbol, trade_id, bars_held")
        made += _of_profile(name, own.select(columns).to_arrow_table())
    return pa.Table.from_pylist(made, schema=schemas.OTHER_EXITS)


def with_other_exits(
    closes: list[dict[str, Any]], r_multiple: float
) -> Iterator[dict[str, Any]]:
    """Yield what each simple exit would have made of one trade that has ended.

    `closes`: its rows of `report_paths`, in order. `left_at` is None where the rules
    had left before.
    """
    if not closes or not closes[0]["is_known"]:
        return
    profit, best, held, rest = (
        np.array([row[name] for row in closes], np.float64)
        for name in ("profit_r", "best_r", "bars_held", "rest_r")
    )
    starts = np.array([0, len(closes)])
    for name, is_left in exits_of(profit, best, held).items():
        first = int(first_rows(is_left, starts)[0])
        is_earlier = first >= 0
        if name != NO_EXIT:
            yield {
                "exit_rule": name,
                "left_at": closes[first]["known_at"] if is_earlier else None,
                "r_multiple": r_multiple - (float(rest[first]) if is_earlier else 0.0),
            }
