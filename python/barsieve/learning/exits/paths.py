"""Paths to learn from: closes of open trades, what was seen there, what still came."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core.arrow import matching, numbers
from barsieve.replay.learned import OF_POSITION
from barsieve.replay.learned_tables import (
    VETOES,
    feature_names,
    n_scores,
    seen_columns,
)


class Paths(NamedTuple):
    """Closes of the trades of a profile, trade by trade, in the order of their entries.

    `features`, shape (n_rows, n_features), NaN where not known; `names` of them.
    `rest`, shape (n_rows,): what was still to come, R, and `known_at` when that was
    known, in µs; NaN of a trade that is open. `trade`: its number from 0. Of the
    trades, shape (n_trades,): `starts` (their first row, and the end), `decided_at`,
    `is_own`, whether all of it is known, and `ends_at`.
    """

    names: list[str]
    features: np.ndarray
    rest: np.ndarray
    trade: np.ndarray
    starts: np.ndarray
    decided_at: np.ndarray
    ended_at: np.ndarray
    is_own: np.ndarray
    is_known: np.ndarray

    def of_trades(self, chosen: np.ndarray) -> np.ndarray:
        """Tell which rows are of chosen trades, by a mask of shape (n_trades,)."""
        is_chosen: np.ndarray = chosen[self.trade]
        return is_chosen


def _moments(values: pa.ChunkedArray) -> np.ndarray:
    return numbers(values.combine_chunks().view(pa.int64()))


def _mirrored(table: pa.Table, columns: list[str]) -> np.ndarray:
    """Return what is seen of the bars, as `learned.see` has it: the own side's."""
    is_long = np.array(table["side"].to_pylist(), object) == "long"
    n = n_scores(columns)
    found = [
        np.where(is_long, numbers(table[name]), 1.0 - numbers(table[name]))
        for name in columns[:n]
    ]
    vetoes = [numbers(table[name]) for name in VETOES]
    found.append(np.where(is_long, *vetoes))
    found += [numbers(table[name]) for name in columns[n + len(VETOES) :]]
    return np.column_stack(found)


def read_paths(paths: DuckDBPyRelation, seen: DuckDBPyRelation, profile: str) -> Paths:
    """Read the paths of a profile; relations `trade_paths` and `shadow_seen`."""
    columns = seen_columns(seen)
    asked = (
        *OF_POSITION, "symbol", "bar_ts", "side", "entries", "draw", "trade_id",
        "rest_r", "rest_known_at", "entry_ts", "decision_ts",
    )  # fmt: skip
    own = matching(paths, profile=profile).select(*asked)
    bars = matching(seen, profile=profile).select("symbol", "bar_ts", *columns)
    ordered = own.join(bars, "symbol, bar_ts").order(
        "entry_ts, symbol, entries, draw, trade_id, bars_held"
    )
    table = ordered.to_arrow_table()
    keys = [table[name].to_pylist() for name in ("symbol", "entries", "draw")]
    ids = numbers(table["trade_id"]).astype(np.int64)
    codes = {key: n for n, key in enumerate(dict.fromkeys(zip(*keys, strict=True)))}
    account = np.array([codes[key] for key in zip(*keys, strict=True)], np.int64)
    is_first = (np.diff(ids, prepend=-1) != 0) | (np.diff(account, prepend=-1) != 0)
    firsts = np.flatnonzero(is_first)
    rest = numbers(table["rest_r"]).astype(np.float64)
    trade = np.cumsum(is_first) - 1
    is_known = np.ones(len(firsts), bool)
    is_known[trade[~np.isfinite(rest)]] = False
    position = np.column_stack(
        [np.empty((table.num_rows, 0))]
        + [numbers(table[name]).astype(np.float64) for name in OF_POSITION]
    )
    return Paths(
        names=feature_names(columns),
        features=np.column_stack([position, _mirrored(table, columns)]),
        rest=rest,
        trade=trade,
        starts=np.append(firsts, table.num_rows),
        decided_at=_moments(table["decision_ts"])[firsts],
        ended_at=_moments(table["rest_known_at"])[firsts],
        is_own=np.array(table["entries"].to_pylist(), object)[firsts] == "own",
        is_known=is_known,
    )
