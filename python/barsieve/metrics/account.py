"""Account of one replay over time: equity at each close, results, what it looked at."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from barsieve.core.arrow import numbers
from barsieve.metrics.performance import of_equity, of_results
from barsieve.replay.ledger import ENTRY
from barsieve.replay.runs import Run, running_balance

DAY_US = 86_400_000_000


def nets_of(run: Run) -> np.ndarray:
    """Return the net result of each trade, shape (n_trades,), USD."""
    legs = run.legs
    nets = legs.amount - legs.fee - legs.slippage
    return np.bincount(legs.trade, nets, minlength=len(run.trades))


def marked_equity(run: Run, closes: np.ndarray) -> np.ndarray:
    """Return the equity at each close, shape (n_bars,), USD: realised plus open."""
    legs, start = run.legs, float(run.inputs.profile.start_balance)
    # What is in force from a leg to the next; before the first, the money alone.
    balance = np.concatenate([[start], running_balance(run)])
    position = np.concatenate([[0.0], legs.position])
    is_entry = legs.kind == ENTRY
    entered = legs.price[is_entry][np.cumsum(is_entry) - 1]
    entry_price = np.concatenate([[0.0], entered])
    last = np.cumsum(np.bincount(legs.index, minlength=len(closes)))
    equity: np.ndarray = balance[last] + position[last] * (closes - entry_price[last])
    return equity


def of_trades(trades: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures that trades alone give, with all of their legs.

    Money in USD, shares as fractions; None where a figure has no value.
    """
    nets = np.array([trade["net_pnl"] for trade in trades], float)

    def total(name: str) -> float:
        return float(sum(trade[name] for trade in trades))

    return {
        **of_results(nets),
        "mean_r": total("r_multiple") / len(trades) if trades else None,
        **{name: total(name) for name in ("gross_pnl", "fees", "slippage", "funding")},
        "shortfall": float(sum(trade.get("shortfall", 0.0) for trade in trades)),
        "net_pnl": total("net_pnl"),
    }


def of_run(run: Run, trades: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the summary of a replay; a study limits what is judged, as in the reports.

    `trades` are its rows of the table `replay_trades`.
    """
    inputs, outcome = run.inputs, run.outcome
    start = float(inputs.profile.start_balance)
    equity = marked_equity(run, np.ascontiguousarray(inputs.bars.close))
    days = numbers(inputs.bar_ts.view(pa.int64())) // DAY_US
    judged = inputs.is_in_study
    return {
        **of_trades(trades),
        "return_share": (outcome.end_balance - start) / start,
        **of_equity(equity[judged], days[judged]),
        "net_pnl": outcome.end_balance - start,
        "end_balance": outcome.end_balance,
        "refused": outcome.refused,
        "lapsed": outcome.lapsed,
        "liquidated": outcome.liquidated,
        "ruined_ts": ruined_ts(run),
    }


def ruined_ts(run: Run) -> datetime | None:
    """Return the bar from whose close on the account could enter no more."""
    index = run.outcome.ruined_index
    return run.inputs.bar_ts[index].as_py() if index >= 0 else None


def of_batch(run: Run, n_candidates: int, n_windows: int) -> dict[str, Any]:
    """Return what a replay looked at; candidates and windows are those of its screen.

    A full replay has no screen: it visits every bar.
    """
    bars, visited = len(run.inputs.bars), run.outcome.bars_visited
    return {
        "bars": bars,
        "bars_visited": visited,
        "bars_skipped": bars - visited,
        "candidate_bars": n_candidates if run.replayed == "focused" else None,
        "windows": n_windows if run.replayed == "focused" else None,
    }
