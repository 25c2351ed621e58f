"""Replays carried on: from the states that a file keeps to the end of the market.

A trade that is open where the file ends is replayed on from what it wrote so far; the
rows of such trades are replaced, those of later trades added, all others stay.
"""

from datetime import datetime
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.arrow import fields_of, row_of, rows_of
from barsieve.core.times import epoch_us
from barsieve.live.plan import LOOK_BACK, OF_SHADOW, RUNS
from barsieve.live.tails import Tails
from barsieve.profiles.settings import accounts_of, read_profiles
from barsieve.replay.learned_tables import LearnedTables
from barsieve.replay.ledger import EXIT, KINDS, LEG, STOP_MOVE, TRADE
from barsieve.replay.resume import Resumed
from barsieve.replay.runs import (
    FOCUSED,
    FULL,
    HOUR_US,
    Inputs,
    Part,
    read_inputs,
    replay,
    run_table,
)
from barsieve.replay.state import (
    LONG_AGO,
    NO_ORDERS,
    REASONS,
    Account,
    Orders,
    Position,
    State,
)

CODES = {"long": 1, "short": -1, "none": 0}
REASON_CODES = {name: code for code, name in enumerate(REASONS)}
KIND_CODES = {name: code for code, name in enumerate(KINDS)}
COUNTED = ("bars", "bars_visited", "refused", "no_room", "lapsed")
EXITS = "exit_learned"
LEARNED = (EXITS, "shadow_seen")
# The tables with rows of trades, each after those that it reads.
OF_TRADES = ("replay_legs", "replay_stops", "replay_trades")


class Kept(NamedTuple):
    """A replay as the file has it: its counts, states, and trades that are open.

    `n_legs`, `n_trades`: of all trades but what ends the open ones.
    """

    run: dict[str, Any]
    states: list[dict[str, Any]]
    trades: list[dict[str, Any]]
    n_legs: int
    n_trades: int


def read_kept(
    connection: duckdb.DuckDBPyConnection, runs: str
) -> dict[tuple[str, str, str], Kept]:
    """Return the replays of a file by profile, account and kind.

    `runs`: its table `replay_runs`, as SQL.
    """
    rows = rows_of(
        connection.execute(
            "select * exclude (trades), "
            "list_filter(states, lambda state: state.side != 'none') as held, "
            # The trade that a symbol holds is the last one that it entered.
            "list_filter(list_transform(held, lambda state: list_last(list_filter("
            "trades, lambda trade: trade.symbol = state.symbol))), "
            "lambda trade: trade is not null) as open_trades, "
            "len(trades) as n_trades, "
            "list_sum(list_transform(trades, lambda trade: len(trade.legs))) as n_legs "
            f"from {runs}"
        )
    )
    return {
        (row["profile"], row["account"], row["replayed"]): Kept(
            run=row,
            states=row["states"],
            trades=sorted(row["open_trades"], key=lambda trade: trade["trade_id"]),
            n_legs=int(row["n_legs"] or 0) - len(row["open_trades"]),
            n_trades=int(row["n_trades"] or 0),
        )
        for row in rows
    }


def begin_of(kept: Kept) -> dict[str, Any]:
    """Return from which bar on a replay needs each symbol, by its open."""
    begins = {state["symbol"]: state["bar_ts"] for state in kept.states}
    for trade in kept.trades:
        symbol = trade["symbol"]
        begins[symbol] = min(begins[symbol], trade["decision_ts"])
    return begins


class Carrier:
    """Replays carried on beside a file, on the connection of its tails."""

    def __init__(self, tails: Tails):
        """Read what the file keeps of its replays."""
        self.tails, self.connection = tails, tails.connection
        self.kept = read_kept(self.connection, tails.plan.tables[RUNS].stored)

    def bars_needed(self) -> int:
        """Return how many bars before its last one a symbol is read."""
        begins: dict[str, datetime] = {}
        for kept in self.kept.values():
            for symbol, moment in begin_of(kept).items():
                begins[symbol] = min(moment, begins.get(symbol, moment))
        ages = [
            row_of(
                self.connection.execute(
                    f"select count(*) from {self.tails.bars} "
                    "where symbol = $1 and bar_ts >= $2",
                    [symbol, moment],
                )
            )[0]
            for symbol, moment in begins.items()
        ]
        return max(ages, default=0)

    def run(self) -> pa.Table:
        """Carry all replays on; return rows of `replay_runs` of what was added.

        Their trades are those that are new, or were open.
        """
        models, table = self.tails.plan.models, self.connection.table
        names = ("config_symbols", "replay_bars", "candidates", "candidate_windows")
        profiles, bars, candidates, windows = (
            table(str(models[name].place())) for name in names
        )
        learned = LearnedTables(
            *(table(str(models[RUNS].place()._replace(name=name))) for name in LEARNED)
        )
        rows = [schemas.REPLAY_RUNS.empty_table()]
        for own in accounts_of(read_profiles(profiles)):
            inputs = read_inputs(own, bars, candidates, windows, learned)
            for kind in (FULL, FOCUSED):
                kept = self.kept[own[0].profile, own[0].account, kind]
                resumed = self._resumed(inputs, kept)
                rows.append(run_table(replay(inputs, kind, resumed=resumed)))
        return pa.concat_tables(rows)

    def _resumed(self, inputs: Inputs, kept: Kept) -> Resumed:
        """Return where a replay had come to, in places among its bars now."""
        places = {part.symbol: part for part in inputs.symbols}
        last = max(epoch_us(state["bar_ts"]) for state in kept.states)
        trades, legs, stops = _records(inputs, kept.trades)
        states = [
            self._state(inputs, places[row["symbol"]], row) for row in kept.states
        ]
        return Resumed(
            states=tuple(states),
            moment=last // HOUR_US,
            next_index=int(np.searchsorted(inputs.opens, last, "right")),
            legs=legs,
            trades=trades,
            stops=stops,
            trade_ids=np.array([trade["trade_id"] for trade in kept.trades], np.int64),
            n_legs=kept.n_legs,
            n_trades=kept.n_trades,
            is_ruined=kept.run["ruined_ts"] is not None,
            last_exits=tuple(
                epoch_us(row["last_exit_ts"]) if row["last_exit_ts"] else -1
                for row in kept.states
            ),
        )

    def _state(self, inputs: Inputs, part: Part, row: dict[str, Any]) -> State:
        last_exit = LONG_AGO
        if row["last_exit_ts"]:
            last_exit = part.start - self._bars_between(
                part.symbol, row["last_exit_ts"], int(inputs.opens[part.start])
            )
        last = part.start + int(
            np.searchsorted(
                inputs.opens[part.start : part.stop], epoch_us(row["bar_ts"])
            )
        )
        position = {name: row[name] for name in Position._fields}
        position |= {
            "side": CODES[row["side"]],
            "stop_reason": REASON_CODES[row["stop_reason"]],
        }
        side = CODES[row["order_side"]]
        return State(
            account=Account(
                balance=row["balance"],
                peak=row["peak"],
                loss_streak=row["loss_streak"],
                last_exit_index=last_exit,
            ),
            position=Position(**position),
            orders=Orders(
                exit_reason=REASON_CODES[row["order_exit_reason"]],
                is_partial=row["order_is_partial"],
                entry_side=side,
                entry_confidence=row["order_confidence"],
                entry_risk_distance=row["order_risk_distance"],
                entry_risk_share=row["order_risk_share"],
                entry_index=last if side else NO_ORDERS.entry_index,
                entry_threshold=row["order_threshold"],
                entry_streak=row["order_streak"],
            ),
            memory=tuple(row["memory"]),
        )

    def _bars_between(self, symbol: str, moment: datetime, first: int) -> int:
        """Return how many bars a symbol has from a moment to another (µs), less it."""
        before = row_of(
            self.connection.execute(
                f"select count(*) filter (bar_ts < make_timestamptz($3)) "
                f"- count(*) filter (bar_ts < $2) from {self.tails.bars} "
                "where symbol = $1",
                [symbol, moment, first],
            )
        )
        return int(before[0])


def _records(
    inputs: Inputs, trades: list[dict[str, Any]]
) -> tuple[np.recarray, np.recarray, np.recarray]:
    """Return open trades as the ledger has them, their legs and the path of the stop.

    Without the legs that end them for want of data.
    """
    symbols = {part.symbol: (n, part) for n, part in enumerate(inputs.symbols)}
    entered: list[tuple[Any, ...]] = []
    legs: list[tuple[Any, ...]] = []
    stops: list[tuple[Any, ...]] = []
    for number, trade in enumerate(trades):
        nth, part = symbols[trade["symbol"]]
        opens = inputs.opens[part.start : part.stop]

        def index(
            moment: datetime, opens: np.ndarray = opens, start: int = part.start
        ) -> int:
            return start + int(np.searchsorted(opens, epoch_us(moment)))

        written = [leg for leg in trade["legs"] if leg["kind"] != KINDS[EXIT]]
        entered.append(
            (
                CODES[trade["side"]], index(trade["decision_ts"]),
                index(written[0]["ts"]), -1, trade["confidence"],
                trade["risk_distance"], 0, 0, trade["threshold"],
                trade["loss_streak"], 0.0, 0.0, nth,
            )
        )  # fmt: skip
        legs += [
            (
                number, KIND_CODES[leg["kind"]], index(leg["ts"]),
                *(leg[name] for name in fields_of(LEG)[3:10]), leg["account_leg"] - 1,
            )
            for leg in written
        ]  # fmt: skip
        stops += [
            (number, index(stop["bar_ts"]), stop["stop"], REASON_CODES[stop["reason"]])
            for stop in trade["stops"]
        ]
    return (
        np.array(entered, TRADE).view(np.recarray),
        np.array(legs, LEG).view(np.recarray),
        np.array(stops, STOP_MOVE).view(np.recarray),
    )


def carry_on(tails: Tails) -> None:
    """Carry the replays of a file on, and make what is new of the tables behind."""
    carrier, plan = Carrier(tails), tails.plan
    n_bars = carrier.bars_needed()
    for name in ("config_symbols", "candidate_windows"):
        tails.show(name)
    of_bars = [*plan.views_below("replay_bars"), *plan.views_below("shadow_seen")]
    for name in ("candidates", EXITS, *of_bars):
        if name in plan.models and name not in OF_SHADOW:
            tails.show(name, n_bars)
    for name in (RUNS, "replay_bars"):
        tails.show_left_out(plan.models[name])
    for name in OF_SHADOW:
        tails.define(name)
    # Read once for each account, twice over: a table, though the file has a view.
    tails.make(plan.models["replay_bars"])
    runs = plan.tables[RUNS]
    tails.put(RUNS, carrier.run())
    tails.keep_rows(runs, _all_of(runs.stored, str(runs.model.place())))
    tails.connection.execute(
        "create table memory.main.reopened as select replayed, profile, trade.symbol, "
        "trade.trade_id from (select replayed, profile, unnest(trades) as trade "
        f"from {runs.model.place()})"
    )
    tails.define("replay_positions")
    for name in OF_TRADES:
        tails.make_of_trades(plan.tables[name], n_bars)
    tails.connection.execute(f"drop table {runs.model.place()}")
    tails.show(RUNS)
    tails.run("replay_symbols")
    tails.run("replay_equity", {"replay_legs": _legs_that_hold(tails)})
    tails.run("replay_profile_equity")


def _legs_that_hold(tails: Tails) -> str:
    """Return as SQL the legs that the last rows of equity are made of.

    An account of one symbol stands at the balance after its last leg; the part of a
    symbol in another is the sum of all of its legs.
    """
    looks_back = tails.plan.tables["replay_equity"].model.looks_back or LOOK_BACK
    starts = tails.starts_of_symbols(looks_back)
    legs = tails.rows("replay_legs")
    return (
        f"select legs.* from ({legs}) as legs left join ("
        "select replayed, profile, symbol, max(ts) as ts "
        f"from ({legs}) inner join {starts} as starts on symbol = starts.part "
        "where ts < start_at group by all) as held "
        "using (replayed, profile, symbol) "
        "where account != symbol or held.ts is null or legs.ts >= held.ts"
    )


def _all_of(stored: str, added: str) -> str:
    """Return as SQL the rows of `replay_runs` of a file with what was added to them."""
    sums = ", ".join(
        f"stored.{name} + added.{name} as {name}" for name in (*COUNTED, "liquidated")
    )
    of_symbol = ", ".join(
        f"{name} := part.{name} + stored.symbols[nth].{name}" for name in COUNTED
    )
    return (
        f"select added.* replace ({sums}, "
        "coalesce(stored.ruined_ts, added.ruined_ts) as ruined_ts, "
        "list_transform(added.symbols, lambda part, nth: struct_pack("
        f"symbol := part.symbol, {of_symbol})) as symbols, "
        "coalesce((select list(trade order by trade.trade_id) from ("
        "select unnest(list_concat("
        "list_filter(stored.trades, lambda trade: not list_contains(list_transform("
        "added.trades, lambda other: other.trade_id), trade.trade_id)), added.trades"
        ")) as trade)), []) as trades) "
        f"from {added} as added inner join {stored} as stored "
        "using (replayed, profile, account)"
    )
