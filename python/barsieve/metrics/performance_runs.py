"""Performance of profiles beside buy-and-hold: rows of `evaluation_performance`."""

from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import matching, numbers, rows_of
from barsieve.metrics.account import Marks, by_side, of_curve, of_trades
from barsieve.profiles.rules import BPS
from barsieve.profiles.settings import Profile, read_profiles
from barsieve.replay.runs import FULL

RESULTS = (
    "side", "net_pnl", "r_multiple", "gross_pnl", "fees", "slippage", "funding",
    "shortfall", "mae_r", "mfe_r", "notional",
)  # fmt: skip


def marks_of(
    profile: Profile,
    equity: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    fusion_scores: DuckDBPyRelation,
) -> dict[str, np.ndarray]:
    """Return the bars on which a profile is judged, arrays of shape (n_bars,).

    Prices, equity marked to market and position in units, by `bar_ts`, in µs.
    """
    marks = matching(equity, profile=profile.profile)
    prices = bars.select("symbol", "bar_ts", "open", "close")
    judged = matching(fusion_scores, profile=profile.profile, is_in_study=True)
    table = (
        marks.join(prices, "symbol, bar_ts")
        .join(judged.select("bar_ts"), "bar_ts", how="semi")
        .order("bar_ts")
        .to_arrow_table()
    )
    columns = {
        name: numbers(table[name]) for name in ("open", "close", "equity", "position")
    }
    columns["bar_ts"] = numbers(table["bar_ts"].cast(pa.int64()))
    return columns


def own_figures(
    profile: Profile,
    marks: dict[str, np.ndarray],
    trades: DuckDBPyRelation,
    runs: DuckDBPyRelation,
) -> dict[str, Any]:
    """Return the figures of a profile's full replay.

    The net result is what the account came to, which cannot lose what it never had.
    """
    own = matching(trades, profile=profile.profile).order("trade_id")
    [run] = rows_of(
        matching(runs, replayed=FULL, profile=profile.profile).select(
            "start_balance", "end_balance", "ruined_ts"
        )
    )
    start, net = run["start_balance"], run["end_balance"] - run["start_balance"]
    rows = rows_of(own.select(*RESULTS))
    notional = sum(row["notional"] for row in rows)
    account = Marks(marks["equity"], marks["position"] != 0, marks["bar_ts"])
    return {
        "strategy": "strategy",
        **of_trades(rows),
        **of_curve(account, start, run["end_balance"], notional),
        "sides": [{"side": side} | found for side, found in by_side(rows).items()],
        "net_pnl": net,
        "return_share": net / start,
        "ruined_at": run["ruined_ts"],
    }


def buy_and_hold(profile: Profile, marks: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the figures of all in at the first open, out at the last close.

    Costs are those of the profile, on both legs; spot, so without funding.
    """
    start = float(profile.start_balance)
    cost_rate = (profile.rules.fees_bps + profile.rules.slippage_bps) * BPS
    first, last = marks["open"][0], marks["close"][-1]
    qty = start / (first * (1 + cost_rate))
    equity = qty * marks["close"] * (1 - cost_rate)
    account = Marks(equity, np.ones(len(equity), bool), marks["bar_ts"])
    return {
        "strategy": "buy_and_hold",
        "trades": 1,
        "gross_pnl": qty * (last - first),
        "net_pnl": equity[-1] - start,
        **of_curve(account, start, equity[-1], qty * (first + last)),
    }


def performance_runs(
    profiles: DuckDBPyRelation,
    equity: DuckDBPyRelation,
    trades: DuckDBPyRelation,
    runs: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    fusion_scores: DuckDBPyRelation,
) -> pa.Table:
    """Return what each profile's full replay came to, and what holding would have.

    Parameters are relations of the built database: `config_profiles`, `equity`,
    `trades`, `replay_runs`, `bars_1h` and `fusion_scores`. No bar in the study, nothing
    to hold.
    """
    rows = []
    for profile in read_profiles(profiles):
        marks = marks_of(profile, equity, bars, fusion_scores)
        about = {"profile": profile.profile, "symbol": profile.symbol}
        rows.append(about | own_figures(profile, marks, trades, runs))
        if len(marks["bar_ts"]):
            rows.append(about | buy_and_hold(profile, marks))
    return pa.Table.from_pylist(rows, schema=schemas.PERFORMANCE_RUNS)
