"""Replay between two Arrow tables: a profile's tables in, its trades out."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import column, matching, numbers, texts
from barsieve.profiles.settings import Profile, read_profiles
from barsieve.replay.excursions import excursions
from barsieve.replay.ledger import KINDS, Outcome
from barsieve.replay.state import BAR, BAR_FIELDS, LONG, REASONS, State
from barsieve.replay.worker import replay_into_ledger

FULL, FOCUSED = "full", "focused"


class Inputs(NamedTuple):
    """Inputs of one replay.

    `bars`: record array of shape (n_bars,), dtype `BAR`. `bar_ts`: their opens,
    `known_at`: their closes. `is_in_study`, shape (n_bars,): where the profile may
    trade, and is judged. `entry_bars`: ascending positions where the screen says that
    an entry may happen. `hours_after`: from the last bar's open to that of the market's
    last, 0 where both end together.
    """

    profile: Profile
    bars: np.recarray
    bar_ts: pa.Array
    known_at: pa.Array
    is_in_study: np.ndarray
    entry_bars: np.ndarray
    hours_after: float = 0.0


class Run(NamedTuple):
    """One replay: what it read and what it wrote, trimmed to what happened."""

    replayed: str
    inputs: Inputs
    outcome: Outcome
    legs: np.recarray
    trades: np.recarray
    stops: np.recarray
    states: tuple[State, ...]
    counts: np.recarray


def bars_from_arrow(table: pa.Table) -> np.recarray:
    """Return the bar records of an Arrow table that has the columns of `BAR`.

    Nulls become NaN. The table must be in time order; `index` is the position in it.
    """
    bars = np.empty(table.num_rows, BAR)
    bars["index"] = np.arange(table.num_rows)
    for name in BAR_FIELDS[1:]:
        bars[name] = numbers(table[name])
    return bars.view(np.recarray)


def _entry_bars(
    profile: Profile, candidates: DuckDBPyRelation, windows: DuckDBPyRelation
) -> np.ndarray:
    """Return where focused replay may look: candidates, or every bar of a window.

    As `bar_index`, which is a bar's number in SQL.
    """
    if profile.screen == "admissible":
        of_profile = matching(candidates, profile=profile.profile)
        indexes = of_profile.select("bar_index").distinct().order("bar_index")
        return numbers(indexes.to_arrow_table()["bar_index"])
    of_profile = matching(windows, profile=profile.profile)
    spans = of_profile.order("first_index").to_arrow_table()
    starts, ends = numbers(spans["first_index"]), numbers(spans["last_index"])
    inside = [
        np.arange(start, end + 1) for start, end in zip(starts, ends, strict=True)
    ]
    return np.concatenate([np.empty(0, np.int64), *inside]).astype(np.int64)


def read_inputs(
    profile: Profile,
    bars: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    windows: DuckDBPyRelation,
) -> Inputs:
    """Read what a profile's replay needs from the relations of the built database."""
    table = matching(bars, profile=profile.profile)
    table = table.order("bar_index").to_arrow_table()
    # Bars are addressed by position: their number less that of the first.
    first = numbers(table["bar_index"])[:1]
    entry_bars = _entry_bars(profile, candidates, windows) - first
    return Inputs(
        profile=profile,
        bars=bars_from_arrow(table),
        bar_ts=table["bar_ts"].combine_chunks(),
        known_at=table["known_at"].combine_chunks(),
        is_in_study=numbers(table["is_in_study"]).astype(bool, copy=False),
        entry_bars=np.ascontiguousarray(entry_bars, np.int64),
    )


def replay(inputs: Inputs, replayed: str = FULL) -> Run:
    """Replay a profile over its bars, `full` or `focused`."""
    ledger = replay_into_ledger(
        inputs.bars,
        inputs.profile.rules,
        float(inputs.profile.start_balance),
        inputs.entry_bars,
        replayed == FOCUSED,
        inputs.hours_after,
    )
    return Run(replayed=replayed, inputs=inputs, **ledger._asdict())


def _named(codes: np.ndarray, names: tuple[str, ...]) -> pa.Array:
    return texts([names[code] for code in codes])


def _at(bar_ts: pa.Array, indexes: np.ndarray) -> pa.Array:
    """Return the times of some bars; `take` would import all of Arrow's compute."""
    return column(numbers(bar_ts.view(pa.int64()))[indexes]).view(bar_ts.type)


def _legs_of_trades(run: Run) -> pa.ListArray:
    """Return the legs as one list per trade; they are written trade by trade."""
    legs, kinds = run.legs, _named(run.legs.kind, KINDS)
    columns = {
        "kind": kinds,
        "ts": _at(run.inputs.bar_ts, legs.index),
        "price": column(legs.price),
        "qty": column(legs.qty),
        "amount": column(legs.amount),
        "fee": column(legs.fee),
        "slippage": column(legs.slippage),
        "position": column(legs.position),
        "balance": column(legs.balance),
    }
    rows = pa.StructArray.from_arrays(list(columns.values()), fields=schemas.LEG)
    offsets = np.searchsorted(legs.trade, np.arange(len(run.trades) + 1))
    return pa.ListArray.from_arrays(column(offsets.astype(np.int32)), rows)


def _stops_of_trades(run: Run) -> pa.ListArray:
    """Return the path of the stop as one list per trade."""
    stops = run.stops
    columns = {
        "bar_ts": _at(run.inputs.bar_ts, stops.index),
        "stop": column(stops.stop),
        "reason": _named(stops.reason, REASONS),
    }
    rows = pa.StructArray.from_arrays(list(columns.values()), fields=schemas.STOP)
    offsets = np.searchsorted(stops.trade, np.arange(len(run.trades) + 1))
    return pa.ListArray.from_arrays(column(offsets.astype(np.int32)), rows)


def _excursions_of_trades(run: Run) -> dict[str, pa.Array]:
    """Return MAE and MFE of the trades, as shares of the entry price and in R."""
    bars, trades = run.inputs.bars, run.trades
    adverse, favourable = excursions(bars, run.legs, trades)
    entered, risk = bars.open[trades.entry_index], trades.risk_distance
    return {
        "mae_share": column(adverse / entered),
        "mfe_share": column(favourable / entered),
        "mae_r": column(adverse / risk),
        "mfe_r": column(favourable / risk),
    }


def _trades_of_run(run: Run) -> pa.ListArray:
    trades, bar_ts = run.trades, run.inputs.bar_ts
    columns = {
        "trade_id": column(np.arange(1, len(trades) + 1)),
        "side": _named((trades.side == LONG).astype(int), ("short", "long")),
        "decision_ts": _at(bar_ts, trades.decision_index),
        "confidence": column(trades.confidence),
        "risk_distance": column(trades.risk_distance),
        "bars_held": column(trades.bars_held),
        "exit_reason": _named(trades.exit_reason, REASONS),
        "threshold": column(trades.threshold),
        "loss_streak": column(trades.loss_streak),
        "threshold_shift_after": column(trades.shift_after),
        "shortfall": column(trades.shortfall),
        **_excursions_of_trades(run),
        "legs": _legs_of_trades(run),
        "stops": _stops_of_trades(run),
    }
    rows = pa.StructArray.from_arrays(list(columns.values()), fields=schemas.TRADE)
    offsets = np.array([0, len(trades)], np.int32)
    return pa.ListArray.from_arrays(column(offsets), rows)


def run_table(run: Run) -> pa.Table:
    """Return a run as one row of the table `replay_runs`, its trades nested in it."""
    profile, outcome = run.inputs.profile, run.outcome
    ruined = outcome.ruined_index
    names = [run.replayed, profile.profile, profile.symbol]
    counts = [len(run.inputs.bars), outcome.bars_visited]
    balances = [float(profile.start_balance), outcome.end_balance]
    orders = [outcome.refused, outcome.lapsed, outcome.liquidated]
    ruined_ts = run.inputs.bar_ts.slice(max(ruined, 0), 1)
    columns = [
        *(texts([name]) for name in names),
        *(column(np.array([count], np.int64)) for count in counts),
        *(column(np.array([balance])) for balance in balances),
        *(column(np.array([count], np.int64)) for count in orders),
        ruined_ts if ruined >= 0 else pa.nulls(1, schemas.TIMESTAMP),
        _trades_of_run(run),
    ]
    return pa.Table.from_arrays(columns, schema=schemas.REPLAY_RUNS)


def replay_profiles(
    profiles: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    windows: DuckDBPyRelation,
) -> pa.Table:
    """Replay every profile, full and focused; return the rows of `replay_runs`.

    Parameters are relations of the built database: `config_profiles`, `replay_bars`,
    `candidates` and `candidate_windows`.
    """
    tables = []
    for profile in read_profiles(profiles):
        inputs = read_inputs(profile, bars, candidates, windows)
        tables += [run_table(replay(inputs, mode)) for mode in (FULL, FOCUSED)]
    return pa.concat_tables(tables)
