"""Accounts of a replay over time: equity at each close, results, what it looked at."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

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
from barsieve.replay.runs import FOCUSED, Run

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
    """Accounts at each close, together, arrays of shape (n_hours,).

    Equity is realised plus open, USD; `is_held` tells where a position was open;
    `bar_ts` are the opens of the bars in µs.
    """

    equity: np.ndarray
    is_held: np.ndarray
    bar_ts: np.ndarray


def _in_force(at: np.ndarray, hours: np.ndarray) -> np.ndarray:
    """Return how many moments have come by each hour, shape (n_hours,).

    `hours` are ascending. There are many more of them than of moments, each of which is
    looked for among the hours.
    """
    first = np.searchsorted(hours, at, side="left")
    found: np.ndarray = np.bincount(first, minlength=len(hours) + 1)[:-1].cumsum()
    return found


def _balance(run: Run, hours: np.ndarray) -> np.ndarray:
    """Return what an account has realised by the close of each hour, USD."""
    order = np.argsort(run.legs.nth)
    start = float(run.inputs.profile.start_balance)
    balance = np.concatenate([[start], run.legs.balance[order]])
    found: np.ndarray = balance[_in_force(run.booked[order], hours)]
    return found


def _open(run: Run, hours: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, by symbol, the open result at the close of each hour and the quantity.

    A symbol without a bar at an hour stands as at its last close.
    """
    legs, inputs = run.legs, run.inputs
    of_symbol, booked, opens = run.trades.symbol[legs.trade], run.booked, inputs.opens
    for number, part in enumerate(inputs.symbols):
        mine = np.flatnonzero(of_symbol == number)
        if not len(mine):
            continue
        is_entry = legs.kind[mine] == ENTRY
        # What is in force from a leg to the next; before the first, nothing.
        entered = legs.price[mine][is_entry][np.cumsum(is_entry) - 1]
        position = np.concatenate([[0.0], legs.position[mine]])
        entry_price = np.concatenate([[0.0], entered])
        last = _in_force(booked[mine], hours)
        closes = inputs.bars.close[part.start : part.stop]
        own_opens = opens[part.start : part.stop]
        if not np.array_equal(own_opens, hours):
            closes = closes[np.maximum(_in_force(own_opens, hours) - 1, 0)]
        held = position[last]
        yield held * (closes - entry_price[last]), held


def marks_of(runs: Sequence[Run], hours: np.ndarray | None = None) -> Marks:
    """Return what the accounts of a profile have together at the close of each hour.

    `hours`: those of the runs in µs, ascending, where they are known.
    """
    if hours is None:
        hours = np.unique(np.concatenate([run.inputs.hours for run in runs]))
    equity, is_held = np.zeros(len(hours)), np.zeros(len(hours), bool)
    for run in runs:
        equity += _balance(run, hours)
        for result, held in _open(run, hours):
            equity += result
            is_held |= held != 0.0
    return Marks(equity, is_held, hours)


def marked_equity(run: Run) -> np.ndarray:
    """Return the equity at the close of each hour, shape (n_hours,), USD."""
    return marks_of([run]).equity


def _judged(runs: Sequence[Run], hours: np.ndarray) -> np.ndarray:
    """Tell which hours lie in the study."""
    judged = [run.inputs.opens[run.inputs.is_in_study] for run in runs]
    return np.isin(hours, np.concatenate(judged))


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


def of_runs(runs: Sequence[Run], trades: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the summary of a replay; a study limits what is judged, as in the reports.

    `runs`: its accounts. `trades`: their rows of the table `replay_trades`.
    """
    outcomes = [run.outcome for run in runs]
    start = sum(float(run.inputs.profile.start_balance) for run in runs)
    end_balance = sum(outcome.end_balance for outcome in outcomes)
    marks = marks_of(runs)
    judged = _judged(runs, marks.bar_ts)
    # Where a study ends before its history, what it came to is marked there.
    end = end_balance
    if judged.any() and not judged[-1]:
        end = float(marks.equity[judged][-1])
    notional = sum(trade["notional"] for trade in trades)
    counts = ("refused", "no_room", "lapsed", "liquidated")
    return {
        **of_trades(trades),
        **by_side(trades),
        **of_curve(Marks(*(part[judged] for part in marks)), start, end, notional),
        "return_share": (end - start) / start,
        "net_pnl": end_balance - start,
        "end_balance": end_balance,
        **{name: sum(getattr(out, name) for out in outcomes) for name in counts},
        "ruined_ts": when_all(map(ruined_ts, runs)),
    }


def when_all(moments: Iterable[datetime | None]) -> datetime | None:
    """Return the last of some moments; None where one of them never came."""
    known = list(moments)
    return None if None in known else max(filter(None, known), default=None)


def ruined_ts(run: Run) -> datetime | None:
    """Return the bar from whose close on the account could enter no more."""
    index = run.outcome.ruined_index
    return run.inputs.bar_ts[index].as_py() if index >= 0 else None


def of_batch(runs: Sequence[Run], n_candidates: int, n_windows: int) -> dict[str, Any]:
    """Return what a replay looked at; candidates and windows are those of its screen.

    A full replay has no screen: it visits every bar.
    """
    bars = sum(len(run.inputs.bars) for run in runs)
    visited = sum(run.outcome.bars_visited for run in runs)
    is_focused = runs[0].replayed == FOCUSED
    return {
        "bars": bars,
        "bars_visited": visited,
        "bars_skipped": bars - visited,
        "candidate_bars": n_candidates if is_focused else None,
        "windows": n_windows if is_focused else None,
    }
