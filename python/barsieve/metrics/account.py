"""Account of one replay over time: equity at each close, results, what it looked at."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from barsieve.core.arrow import numbers
from barsieve.metrics.performance import (
    DAY_US,
    annual_growth,
    calmar_ratio,
    daily_returns,
    known,
    of_daily_returns,
    of_equity,
    of_results,
    of_wins_and_losses,
    years_of,
)
from barsieve.metrics.under_water import under_water, worst_drawdowns
from barsieve.replay.ledger import ENTRY
from barsieve.replay.runs import Run

SIDES = ("long", "short")
# Figures of `of_curve`, but the drawdowns.
CURVE = (
    "return_share", "cagr", "sharpe", "max_drawdown", "volatility", "sortino",
    "best_day", "worst_day", "calmar", "under_water_share", "longest_under_water_days",
    "exposure", "turnover",
)  # fmt: skip


def nets_of(run: Run) -> np.ndarray:
    """Return the net result of each trade, shape (n_trades,), USD."""
    legs = run.legs
    nets = legs.amount - legs.fee - legs.slippage
    return np.bincount(legs.trade, nets, minlength=len(run.trades))


class Marks(NamedTuple):
    """An account at each close, arrays of shape (n_bars,).

    Equity is realised plus open, USD; `is_held` tells where a position was open;
    `bar_ts` are the opens of the bars in µs.
    """

    equity: np.ndarray
    is_held: np.ndarray
    bar_ts: np.ndarray


def marked_equity(run: Run, closes: np.ndarray) -> np.ndarray:
    """Return the equity at each close, shape (n_bars,), USD: realised plus open."""
    return _marked(run, closes)[0]


def _marked(run: Run, closes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the equity at each close, and the signed quantity that was open."""
    legs, start = run.legs, float(run.inputs.profile.start_balance)
    # What is in force from a leg to the next; before the first, the money alone.
    balance = np.concatenate([[start], legs.balance])
    position = np.concatenate([[0.0], legs.position])
    is_entry = legs.kind == ENTRY
    entered = legs.price[is_entry][np.cumsum(is_entry) - 1]
    entry_price = np.concatenate([[0.0], entered])
    last = np.cumsum(np.bincount(legs.index, minlength=len(closes)))
    held = position[last]
    return balance[last] + held * (closes - entry_price[last]), held


def _judged_marks(run: Run) -> Marks:
    """Return the account at the closes of the study."""
    inputs = run.inputs
    equity, held = _marked(run, np.ascontiguousarray(inputs.bars.close))
    bar_ts, judged = numbers(inputs.bar_ts.view(pa.int64())), inputs.is_in_study
    return Marks(equity[judged], held[judged] != 0.0, bar_ts[judged])


def of_trades(trades: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures that trades alone give, with all of their legs.

    Money in USD, shares as fractions; None where a figure has no value.
    """
    nets = np.array([trade["net_pnl"] for trade in trades], float)

    def total(name: str) -> float:
        return float(sum(trade[name] for trade in trades))

    def mean(name: str) -> float | None:
        return total(name) / len(trades) if trades and name in trades[0] else None

    return {
        **of_results(nets),
        **of_wins_and_losses(nets),
        "mean_r": mean("r_multiple"),
        "mean_mae_r": mean("mae_r"),
        "mean_mfe_r": mean("mfe_r"),
        **{name: total(name) for name in ("gross_pnl", "fees", "slippage", "funding")},
        "shortfall": float(sum(trade.get("shortfall", 0.0) for trade in trades)),
        "net_pnl": total("net_pnl"),
    }


def by_side(trades: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the figures of the longs and of the shorts apart, as of `of_trades`."""
    return {
        side: of_trades([trade for trade in trades if trade["side"] == side])
        for side in SIDES
    }


def of_curve(marks: Marks, start: float, end: float, notional: float) -> dict[str, Any]:
    """Return the figures of an account over time, its deepest drawdowns with them.

    `start` and `end` are what it began and ended with, `notional` what it turned over,
    USD. The turnover is that of both ways: of entries and of exits, over the mean
    equity, a year. None where a figure has no value.
    """
    equity, bar_ts = marks.equity, marks.bar_ts
    if not len(equity):
        return dict.fromkeys(CURVE) | {"drawdowns": []}
    days, years = bar_ts // DAY_US, years_of(bar_ts)
    risk = of_equity(equity, days)
    growth = annual_growth(start, end, years)
    mean_equity = float(equity.mean())
    return {
        "return_share": (end - start) / start,
        "cagr": known(growth),
        **risk,
        **of_daily_returns(daily_returns(equity, days)),
        "calmar": known(calmar_ratio(growth, risk["max_drawdown"] or 0.0)),
        **under_water(equity, bar_ts),
        "exposure": float(marks.is_held.mean()),
        "turnover": notional / mean_equity / years if mean_equity > 0 else None,
        "drawdowns": worst_drawdowns(equity, bar_ts),
    }


def of_run(run: Run, trades: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the summary of a replay; a study limits what is judged, as in the reports.

    `trades` are its rows of the table `replay_trades`.
    """
    outcome, start = run.outcome, float(run.inputs.profile.start_balance)
    marks, judged = _judged_marks(run), run.inputs.is_in_study
    # Where a study ends before its history, what it came to is marked there.
    end = outcome.end_balance
    if len(marks.equity) and not judged[-1]:
        end = float(marks.equity[-1])
    notional = sum(trade["notional"] for trade in trades)
    return {
        **of_trades(trades),
        **by_side(trades),
        **of_curve(marks, start, end, notional),
        "return_share": (end - start) / start,
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
