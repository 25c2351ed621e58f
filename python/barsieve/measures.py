"""What a replay earned, what it risked and what it looked at."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from barsieve.baselines import daily_sharpe, in_study, marked_equity, max_drawdown
from barsieve.columns import numbers
from barsieve.replay.runs import Run

DAY_US = 86_400_000_000


def of_trades(trades: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures that trades alone give, as `report_performance` defines them.

    Money in USD, shares as fractions; None where a figure has no value.
    """
    nets = [trade["net_pnl"] for trade in trades]
    lost = -sum(net for net in nets if net <= 0)
    won = sum(net for net in nets if net > 0)
    return {
        "trades": len(nets),
        "win_rate": sum(net > 0 for net in nets) / len(nets) if nets else None,
        "profit_factor": won / lost if lost > 0 else None,
        "mean_r": sum(t["r_multiple"] for t in trades) / len(nets) if nets else None,
        "gross_pnl": float(sum(trade["gross_pnl"] for trade in trades)),
        "fees": float(sum(trade["fees"] for trade in trades)),
        "slippage": float(sum(trade["slippage"] for trade in trades)),
        "funding": float(sum(trade["funding"] for trade in trades)),
        "shortfall": float(sum(trade.get("shortfall", 0.0) for trade in trades)),
        "net_pnl": float(sum(nets)),
    }


def of_equity(equity: np.ndarray, days: np.ndarray) -> dict[str, float | None]:
    """Return Sharpe ratio (daily, √365) and deepest fall of a curve marked at closes.

    Both arrays have shape (n_bars,): equity in USD, days as numbers.
    """
    sharpe = daily_sharpe(equity, days) if len(equity) else float("nan")
    return {
        "sharpe": sharpe if np.isfinite(sharpe) else None,
        "max_drawdown": max_drawdown(equity) if len(equity) else None,
    }


def of_run(run: Run, trades: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the summary of a replay; a study limits what is judged, as in the reports.

    `trades` are its rows of the table `trades`.
    """
    inputs, outcome = run.inputs, run.outcome
    start = float(inputs.profile.start_balance)
    equity = marked_equity(run, np.ascontiguousarray(inputs.bars.close))
    days = numbers(inputs.bar_ts.view(pa.int64())) // DAY_US
    judged = in_study(inputs)
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
