"""A replay from the built database, as a summary and a list of trades."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from barsieve.database import open_database
from barsieve.problems import InputError, Problem
from barsieve.replay.kernel import ENTRY, EXIT
from barsieve.replay.runs import Run, read_inputs, replay
from barsieve.replay.state import LONG, REASONS
from barsieve.settings import read_profiles


@dataclass(frozen=True)
class ReplayReport:
    """A summary by figure, and the trades as rows of the table `trades`."""

    summary: dict[str, Any]
    trades: list[dict[str, Any]]


def _summary(run: Run, trades: list[dict[str, Any]]) -> dict[str, Any]:
    outcome, start = run.outcome, run.inputs.profile.start_balance
    wins = sum(trade["net_pnl"] > 0 for trade in trades)
    return {
        "symbol": run.inputs.profile.symbol,
        "bars": len(run.inputs.bars),
        "bars_visited": outcome.bars_visited,
        "trades": len(trades),
        "win_rate": round(wins / len(trades), 4) if trades else None,
        "net_pnl": round(outcome.end_balance - start, 2),
        "end_balance": round(outcome.end_balance, 2),
    }


def trade_rows(run: Run) -> list[dict[str, Any]]:
    """Return the trades of a run, named and summed as in the table `trades`."""
    legs, trades = run.legs, run.trades
    entries, exits = legs[legs.kind == ENTRY], legs[legs.kind == EXIT]
    net = np.bincount(legs.trade, legs.amount - legs.fee - legs.slippage, len(trades))
    bar_ts = run.inputs.bar_ts.to_pylist()
    return [
        {
            "trade_id": k + 1,
            "side": "long" if trade.side == LONG else "short",
            "decision_ts": bar_ts[trade.decision_index],
            "entry_ts": bar_ts[trade.entry_index],
            "entry_price": float(entries[k].price),
            "exit_ts": bar_ts[trade.exit_index],
            "exit_price": float(exits[k].price),
            "qty": float(entries[k].quantity),
            "net_pnl": float(net[k]),
            "r_multiple": float(net[k] / (trade.risk_distance * entries[k].quantity)),
            "bars_held": int(trade.bars_held),
            "exit_reason": REASONS[trade.exit_reason],
            "confidence": float(trade.confidence),
        }
        for k, trade in enumerate(trades)
    ]


def replay_profile(database: Path, name: str, replayed: str) -> ReplayReport:
    """Replay a profile of a built database, `full` or `focused`.

    Raises InputError when the database or the profile does not exist.
    """
    connection = open_database(database)
    profiles = {
        p.profile: p for p in read_profiles(connection.table("config_profiles"))
    }
    if name not in profiles:
        raise InputError(
            [
                Problem(
                    str(database),
                    "profile",
                    f"one of {', '.join(profiles)}",
                    f"'{name}'",
                    "correct the name, or add the profile and dbt build",
                )
            ]
        )
    inputs = read_inputs(
        profiles[name],
        connection.table("replay_bars"),
        connection.table("candidates"),
        connection.table("candidate_windows"),
    )
    run = replay(inputs, replayed)
    trades = trade_rows(run)
    return ReplayReport(_summary(run, trades), trades)
