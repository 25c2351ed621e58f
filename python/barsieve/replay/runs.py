"""Replay between two Arrow tables: a profile's tables in, its trades out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from math import isnan
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import column, flags, matching, numbers, texts
from barsieve.profiles.settings import ALL, Profile, accounts_of, read_profiles
from barsieve.replay.excursions import excursions
from barsieve.replay.learned import NOTHING, Learned, at_bars
from barsieve.replay.learned_tables import LearnedTables, read_learned
from barsieve.replay.ledger import COUNT_FIELDS, EXIT, KINDS, Outcome
from barsieve.replay.resume import Resumed
from barsieve.replay.state import (
    BAR,
    BAR_FIELDS,
    DELISTED,
    END_OF_DATA,
    FLAT,
    LIQUIDATION,
    LONG,
    REASONS,
    SHORT,
    State,
)
from barsieve.replay.worker import replay_into_ledger

if TYPE_CHECKING:
    from barsieve.replay.wallet_records import Market

FULL, FOCUSED = "full", "focused"
HOUR_US = 3_600_000_000
SIDES = {LONG: "long", SHORT: "short", FLAT: "none"}
# What a table of states keeps of a position and of orders beside names and counts.
POSITION_AMOUNTS = (
    "qty", "entry_qty", "entry_price", "risk_distance", "stop", "target", "net_pnl",
)  # fmt: skip
ORDER_AMOUNTS = (
    "entry_confidence", "entry_risk_distance", "entry_risk_share", "entry_threshold",
)  # fmt: skip


class Part(NamedTuple):
    """Part of the bars of an account: a symbol, and its places from `start` to `stop`.

    `hours_after`: from its last bar to that of the market.
    """

    symbol: str
    start: int
    stop: int
    hours_after: float = 0.0


class Inputs(NamedTuple):
    """Inputs of the replay of one account.

    `bars`: record array of shape (n_bars,), dtype `BAR`, of one symbol after the other.
    `bar_ts`: their opens, `known_at`: their closes. `is_in_study`, shape (n_bars,):
    where the profile may trade, and is judged. `entry_bars`: ascending positions where
    the screen says that an entry may happen. `parts`: which bars are of which symbol;
    none where all are of the profile's. `learned`: exit models, and what they see of
    the bars.
    """

    profile: Profile
    bars: np.recarray
    bar_ts: pa.Array
    known_at: pa.Array
    is_in_study: np.ndarray
    entry_bars: np.ndarray
    parts: tuple[Part, ...] = ()
    learned: Learned = NOTHING

    @property
    def symbols(self) -> tuple[Part, ...]:
        """Return the parts of all symbols, in their order; one has all the bars."""
        if len(self.parts) > 1:
            return self.parts
        after = self.parts[0].hours_after if self.parts else 0.0
        return (Part(self.profile.symbol, 0, len(self.bars), after),)

    @property
    def opens(self) -> np.ndarray:
        """Return when each bar opens, in µs, shape (n_bars,)."""
        return numbers(self.bar_ts.view(pa.int64()))

    @property
    def hours(self) -> np.ndarray:
        """Return the opens of the hours that have a bar, in µs, ascending."""
        return self.opens if len(self.symbols) == 1 else np.unique(self.opens)

    @property
    def is_judged(self) -> np.ndarray:
        """Tell which of the `hours` lie in the study, shape (n_hours,)."""
        if len(self.symbols) == 1:
            return self.is_in_study
        return np.isin(self.hours, self.opens[self.is_in_study])

    def until(self, moment: int) -> "Inputs":
        """Return the inputs as they were when the bars that open at a moment closed.

        `moment` in µs. What comes later is not there.
        """
        return self._only(self.opens <= moment)

    def since(self, moment: int) -> "Inputs":
        """Return the inputs from the bars on that open at a moment, in µs.

        A replay of them is that of all where no bar before it is in the study.
        """
        return self._only(self.opens >= moment)

    def _only(self, is_there: np.ndarray) -> "Inputs":
        """Return the inputs of some bars, by a flag for each, shape (n_bars,)."""
        place = np.concatenate([[0], np.cumsum(is_there)])
        bars = self.bars[is_there].view(np.recarray)
        bars["index"] = np.arange(len(bars))
        kept = np.flatnonzero(is_there)
        times = (
            column(numbers(t.view(pa.int64()))[kept]).view(t.type)
            for t in (self.bar_ts, self.known_at)
        )
        bar_ts, known_at = times
        return Inputs(
            profile=self.profile,
            bars=bars,
            bar_ts=bar_ts,
            known_at=known_at,
            is_in_study=self.is_in_study[kept],
            entry_bars=place[self.entry_bars[is_there[self.entry_bars]]],
            parts=tuple(
                Part(one.symbol, int(place[one.start]), int(place[one.stop]))
                for one in self.symbols
            ),
            learned=at_bars(self.learned, kept),
        )


class Run(NamedTuple):
    """One replay: what it read and what it wrote, trimmed to what happened."""

    replayed: str
    inputs: Inputs
    outcome: Outcome
    legs: np.recarray
    trades: np.recarray
    stops: np.recarray
    counts: np.recarray
    states: tuple[State, ...]
    reached: tuple[State, ...]
    resumed: Resumed | None = None

    def n_bars(self, part: Part) -> int:
        """Return how many bars a symbol has that no earlier replay saw."""
        if self.resumed is None:
            return part.stop - part.start
        opens = self.inputs.opens[part.start : part.stop]
        return int((opens > self.resumed.moment * HOUR_US).sum())

    @property
    def trade_ids(self) -> np.ndarray:
        """Return the numbers of the trades in the account, from 1."""
        n_trades = len(self.trades)
        if self.resumed is None:
            return np.arange(1, n_trades + 1)
        return self.resumed.ids(n_trades)

    @property
    def booked(self) -> np.ndarray:
        """Return the hour at which each leg was booked, in µs, shape (n_legs,).

        That of its bar, but for a position that its symbol left behind: it is closed at
        the last close, when that has been seen to be the last. A liquidation, the last
        that happens to an account, closes at its own hour what has no bar then.
        """
        legs, inputs = self.legs, self.inputs
        booked: np.ndarray = inputs.opens[legs.index]
        is_exit, reason = legs.kind == EXIT, self.trades.exit_reason[legs.trade]
        after = np.array([part.hours_after for part in inputs.symbols])
        for left, hours in (
            (DELISTED, inputs.profile.rules.delisted_after_hours),
            (END_OF_DATA, after[self.trades.symbol[legs.trade]]),
        ):
            is_late = is_exit & (reason == left)
            if is_late.any():
                late = np.broadcast_to(hours, len(legs))[is_late] * HOUR_US
                booked[is_late] += late.astype(np.int64)
        booked[is_exit & (reason == LIQUIDATION)] = booked.max(initial=0)
        return booked


def bars_from_arrow(table: pa.Table) -> np.recarray:
    """Return the bar records of an Arrow table that has the columns of `BAR`.

    Nulls become NaN. The table must be in the order of symbols, then of time; `index`
    is the position in it.
    """
    bars = np.empty(table.num_rows, BAR)
    bars["index"] = np.arange(table.num_rows)
    for name in BAR_FIELDS[1:]:
        bars[name] = numbers(table[name])
    return bars.view(np.recarray)


def _entries_by_symbol(
    profile: Profile, candidates: DuckDBPyRelation, windows: DuckDBPyRelation
) -> dict[str, np.ndarray]:
    """Return where focused replay may look: candidates, or every bar of a window.

    By symbol, as `bar_index`, which is a bar's number in SQL, ascending.
    """
    own = {"profile": profile.profile}
    if profile.account != ALL:
        own["symbol"] = profile.symbol
    if profile.screen == "admissible":
        places = matching(candidates, **own).select("symbol", "bar_index").distinct()
        found = places.order("symbol, bar_index").fetchnumpy()
        return {
            str(symbol): found["bar_index"][found["symbol"] == symbol]
            for symbol in dict.fromkeys(found["symbol"])
        }
    spans = matching(windows, **own).order("symbol, first_index")
    entries: dict[str, list[np.ndarray]] = {}
    for row in spans.select("symbol", "first_index", "last_index").fetchall():
        entries.setdefault(row[0], []).append(np.arange(row[1], row[2] + 1))
    return {symbol: np.concatenate(inside) for symbol, inside in entries.items()}


class Piece(NamedTuple):
    """Bars of one symbol of an account, as they were read; `first_index`: of the first.

    Arrays of shape (n_bars,); `opens` and `closes` in µs.
    """

    symbol: str
    bars: np.recarray
    opens: np.ndarray
    closes: np.ndarray
    is_in_study: np.ndarray
    first_index: int
    hours_after: float


def _read_piece(profile: Profile, bars: DuckDBPyRelation) -> Piece | None:
    """Return the bars of a profile's symbol; None where it has none."""
    own = matching(bars, profile=profile.profile, symbol=profile.symbol)
    table = own.order("bar_index").to_arrow_table()
    if not table.num_rows:
        return None
    opens, closes, ends = (
        numbers(table[name].combine_chunks().view(pa.int64()))
        for name in ("bar_ts", "known_at", "market_ends_at")
    )
    return Piece(
        profile.symbol,
        bars_from_arrow(table),
        opens,
        closes,
        numbers(table["is_in_study"]).astype(bool, copy=False),
        int(numbers(table["bar_index"])[0]),
        float(ends[-1] - opens[-1]) / HOUR_US,
    )


def _joined(pieces: list[Piece]) -> tuple[np.recarray, tuple[Part, ...]]:
    """Return the bars of all pieces, and which of them are of which symbol.

    The pieces have views of them afterwards, so that no bar is in memory twice.
    """
    edges = [0, *accumulate(len(piece.bars) for piece in pieces)]
    bars, parts = np.empty(edges[-1], BAR).view(np.recarray), []
    for nth, (piece, (start, stop)) in enumerate(
        zip(pieces, pairwise(edges), strict=True)
    ):
        bars[start:stop].view(np.uint8)[:] = piece.bars.view(np.uint8)
        pieces[nth] = piece._replace(bars=cast(np.recarray, bars[start:stop]))
        parts.append(Part(piece.symbol, start, stop, piece.hours_after))
    bars["index"] = np.arange(len(bars))
    return bars, tuple(parts)


def read_inputs(
    own: Sequence[Profile],
    bars: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    windows: DuckDBPyRelation,
    learned: LearnedTables | None = None,
) -> Inputs:
    """Read what the replay of an account needs from relations of the built database.

    `own`: a profile on the symbols of one account, as of `accounts_of`. Symbols are
    read one by one: the table of all would be in memory beside the bars made of it.
    `learned`: what its exits learned, without which they are those of the rules.
    """
    profile = own[0] if len(own) == 1 else replace(own[0], symbol=ALL)
    read = (_read_piece(one, bars) for one in sorted(own, key=attrgetter("symbol")))
    pieces = [piece for piece in read if piece is not None]
    joined, parts = _joined(pieces)
    entries = _entries_by_symbol(profile, candidates, windows)
    # Bars are addressed by position: their number less that of the symbol's first.
    places = [
        within[within >= piece.first_index] - piece.first_index + part.start
        for piece, part in zip(pieces, parts, strict=True)
        if (within := entries.get(piece.symbol)) is not None
    ]
    none = np.empty(0, np.int64)
    opens = np.concatenate([none, *(piece.opens for piece in pieces)])
    models = NOTHING
    if learned is not None and not isnan(profile.rules.learned_below_r):
        wanted = {"profile": profile.profile}
        if profile.symbol != ALL:
            wanted["symbol"] = profile.symbol
        models = read_learned(learned, wanted, opens)
    return Inputs(
        profile=profile,
        bars=joined,
        bar_ts=_times(opens),
        known_at=_times(np.concatenate([none, *(piece.closes for piece in pieces)])),
        is_in_study=np.concatenate([none > 0, *(p.is_in_study for p in pieces)]),
        entry_bars=np.concatenate([none, *places]).astype(np.int64),
        parts=parts,
        learned=models,
    )


def market_of(inputs: Inputs) -> "Market":
    """Return the merged hours of an account of many symbols, for all its replays."""
    from barsieve.replay.wallet_records import make_market

    parts = inputs.symbols
    first = np.array([*(part.start for part in parts), parts[-1].stop], np.int64)
    return make_market(inputs.bars, inputs.opens // HOUR_US, first, inputs.learned)


def replay(
    inputs: Inputs,
    replayed: str = FULL,
    market: "Market | None" = None,
    resumed: Resumed | None = None,
) -> Run:
    """Replay an account over its bars, `full` or `focused`.

    `market`: what `market_of` made of the same bars, where it is replayed many times.
    `resumed` is where an earlier replay of it had come to, within these bars.
    """
    profile, is_focused = inputs.profile, replayed == FOCUSED
    start, parts = float(profile.start_balance), inputs.symbols
    if len(parts) == 1:
        ledger = replay_into_ledger(
            inputs.bars,
            profile.rules,
            start,
            inputs.entry_bars,
            is_focused,
            parts[0].hours_after,
            inputs.learned,
            resumed,
        )
    else:
        from barsieve.replay.wallet import replay_market_into_ledger

        ledger = replay_market_into_ledger(
            market or market_of(inputs),
            profile.rules,
            start,
            inputs.entry_bars if is_focused else None,
            min(part.hours_after for part in parts),
            resumed,
        )
    return Run(replayed=replayed, inputs=inputs, resumed=resumed, **ledger._asdict())


def _named(codes: np.ndarray, names: tuple[str, ...]) -> pa.Array:
    return texts([names[code] for code in codes])


def _at(bar_ts: pa.Array, indexes: np.ndarray) -> pa.Array:
    """Return the times of some bars; `take` would import all of Arrow's compute."""
    return _times(numbers(bar_ts.view(pa.int64()))[indexes])


def _times(moments: np.ndarray) -> pa.Array:
    """Return moments in µs as Arrow has them."""
    return column(moments).view(schemas.TIMESTAMP)


def _legs_of_trades(run: Run) -> pa.ListArray:
    """Return the legs as one list per trade; they are written trade by trade."""
    legs, kinds = run.legs, _named(run.legs.kind, KINDS)
    columns = {
        "account_leg": column(legs.nth + 1),
        "kind": kinds,
        "ts": _times(run.booked),
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
    names = tuple(part.symbol for part in run.inputs.symbols)
    columns = {
        "symbol": _named(trades.symbol, names),
        "trade_id": column(run.trade_ids),
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


def _counts_of_symbols(run: Run) -> pa.ListArray:
    parts, counts = run.inputs.symbols, run.counts
    columns = {
        "symbol": texts([part.symbol for part in parts]),
        "bars": column(np.array([run.n_bars(part) for part in parts], np.int64)),
        **{name: column(counts[name].astype(np.int64)) for name in COUNT_FIELDS},
    }
    rows = pa.StructArray.from_arrays(
        list(columns.values()), fields=schemas.REPLAYED_SYMBOL
    )
    offsets = np.array([0, len(parts)], np.int32)
    return pa.ListArray.from_arrays(column(offsets), rows)


def _last_exits(run: Run) -> np.ndarray:
    """Return when each symbol was left last, in µs; -1 where it never was."""
    opens, found = run.inputs.opens, []
    for place, (part, state) in enumerate(
        zip(run.inputs.symbols, run.reached, strict=True)
    ):
        index = state.account.last_exit_index
        if index >= part.start:
            found.append(int(opens[index]))
        else:
            found.append(run.resumed.last_exits[place] if run.resumed else -1)
    return np.array(found, np.int64)


def _memories(states: Sequence[State]) -> pa.ListArray:
    """Return what exit models remember of positions that are held, a list a state."""
    kept = [s.memory if s.position.side != FLAT else () for s in states]
    offsets = np.array([0, *accumulate(len(memory) for memory in kept)], np.int32)
    numbers_of_all = np.array([n for memory in kept for n in memory], np.float64)
    return pa.ListArray.from_arrays(column(offsets), column(numbers_of_all))


def _states_of_symbols(run: Run) -> pa.ListArray:
    """Return what is carried on of each symbol: the rows of `replay_states`."""
    parts, states, opens = run.inputs.symbols, run.reached, run.inputs.opens
    exits = _last_exits(run)
    ends = np.array([opens[part.stop - 1] if part.stop else -1 for part in parts])

    def values(name: str, kind: type, of: str) -> pa.Array:
        found = [getattr(getattr(state, of), name) for state in states]
        return column(np.array(found, kind))

    def told(name: str, of: str) -> pa.Array:
        found = [getattr(getattr(state, of), name) for state in states]
        return flags(np.array(found, bool))

    def sides(name: str, of: str) -> pa.Array:
        found = [getattr(getattr(state, of), name) for state in states]
        return texts([SIDES[side] for side in found])

    def reasons(name: str, of: str) -> pa.Array:
        return texts([REASONS[getattr(getattr(state, of), name)] for state in states])

    columns = [
        texts([part.symbol for part in parts]),
        column(ends.astype(np.int64), ends >= 0).view(schemas.TIMESTAMP),
        values("balance", np.float64, "account"),
        values("peak", np.float64, "account"),
        values("loss_streak", np.int64, "account"),
        column(exits, exits >= 0).view(schemas.TIMESTAMP),
        sides("side", "position"),
        *(values(name, np.float64, "position") for name in POSITION_AMOUNTS),
        reasons("stop_reason", "position"),
        told("has_partial", "position"),
        values("bars_held", np.int64, "position"),
        reasons("exit_reason", "orders"),
        told("is_partial", "orders"),
        sides("entry_side", "orders"),
        *(values(name, np.float64, "orders") for name in ORDER_AMOUNTS),
        values("entry_streak", np.int64, "orders"),
        _memories(states),
    ]
    rows = pa.StructArray.from_arrays(columns, fields=schemas.REPLAY_STATE)
    offsets = np.array([0, len(parts)], np.int32)
    return pa.ListArray.from_arrays(column(offsets), rows)


def run_table(run: Run) -> pa.Table:
    """Return a run as one row of the table `replay_runs`, its trades nested in it.

    Of one that was resumed: what came after the earlier one, and the trades that were
    open then.
    """
    profile, outcome = run.inputs.profile, run.outcome
    ruined = outcome.ruined_index
    names = [run.replayed, profile.profile, profile.symbol]
    n_bars = sum(run.n_bars(part) for part in run.inputs.symbols)
    counts = [n_bars, outcome.bars_visited]
    balances = [float(profile.start_balance), outcome.end_balance]
    orders = [outcome.refused, outcome.no_room, outcome.lapsed, outcome.liquidated]
    ruined_ts = run.inputs.bar_ts.slice(max(ruined, 0), 1)
    columns = [
        *(texts([name]) for name in names),
        *(column(np.array([count], np.int64)) for count in counts),
        *(column(np.array([balance])) for balance in balances),
        *(column(np.array([count], np.int64)) for count in orders),
        ruined_ts if ruined >= 0 else pa.nulls(1, schemas.TIMESTAMP),
        _counts_of_symbols(run),
        _states_of_symbols(run),
        _trades_of_run(run),
    ]
    return pa.Table.from_arrays(columns, schema=schemas.REPLAY_RUNS)


def accounts(
    profiles: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    windows: DuckDBPyRelation,
    learned: LearnedTables | None = None,
) -> Iterator[Inputs]:
    """Yield the inputs of every account, by profile, then by symbol.

    Parameters are relations of the built database: `config_symbols`, `replay_bars`,
    `candidates`, `candidate_windows`, and what exits learned.
    """
    for own in accounts_of(read_profiles(profiles)):
        yield read_inputs(own, bars, candidates, windows, learned)


def replay_profiles(
    profiles: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    windows: DuckDBPyRelation,
    exits: DuckDBPyRelation,
    seen: DuckDBPyRelation,
) -> pa.Table:
    """Replay every account, full and focused; return the rows of `replay_runs`.

    Parameters as for `accounts`; `exit_learned` and `shadow_seen`.
    """
    learned, tables = LearnedTables(exits, seen), []
    for inputs in accounts(profiles, bars, candidates, windows, learned):
        market = market_of(inputs) if len(inputs.symbols) > 1 else None
        for mode in (FULL, FOCUSED):
            tables.append(run_table(replay(inputs, mode, market)))
    return pa.concat_tables([schemas.REPLAY_RUNS.empty_table(), *tables])
