"""Decisions of paper accounts as a built file has them: what the replay says, no more.

The state comes of the replay's own step over the bars from the account's opening on. So
what is told at an hour, and what a later build says of that hour, are one computation.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from math import isfinite
from typing import Any, NamedTuple, cast

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.analysis.decision import (
    Decision,
    action_of,
    order_of,
    position_of,
    state_after,
)
from barsieve.analysis.gates import gates_at
from barsieve.analysis.session import Traded
from barsieve.core.arrow import matching, numbers, rows_of
from barsieve.core.times import epoch_us
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.learned_tables import LearnedTables
from barsieve.replay.ledger import EXIT, KINDS
from barsieve.replay.runs import FULL, Inputs, accounts, replay
from barsieve.replay.state import BAR_FIELDS, DELISTED, END_OF_DATA, REASONS

Tables = Callable[[str], duckdb.DuckDBPyRelation]
"""Tables of a built file by their names."""
Key = tuple[str, str, datetime]
"""An account, a symbol and the open of a bar."""

# A table of the build that decisions are read of.
NEEDED = (
    "config_symbols", "config_profiles", "replay_bars", "candidates",
    "candidate_windows", "exit_learned", "shadow_seen", "fusion_scores", "votes",
    "features", "bars_1h",
)  # fmt: skip
PRICES = ("open", "high", "low", "close", "volume")
AGE = "_age_hours"
SHORT = 16


class Decided(NamedTuple):
    """A decision: whose, of which bar, what it was, and what it was made of.

    `decision` is JSON. `ages` are those of the macro inputs at the close, in hours.
    `bars` is a hash of all bars of the symbol up to this one, `read` of what the step
    read of it, `settings` of the profile.
    """

    account: str
    symbol: str
    bar_ts: datetime
    known_at: datetime
    decision: dict[str, Any]
    ages: dict[str, float]
    bars: str
    read: str
    settings: str

    @property
    def key(self) -> Key:
        """Return what names the decision."""
        return self.account, self.symbol, self.bar_ts


def plain(value: Any) -> Any:
    """Return a value as JSON has it: no NaN, no infinity, no number of numpy."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:SHORT]


def _bars_hashes(bars: duckdb.DuckDBPyRelation, symbol: str) -> Callable[[int], str]:
    """Return what gives a hash of a symbol's bars up to one; ask in ascending order."""
    found = matching(bars, symbol=symbol).order("bar_ts")
    table = found.select("bar_ts", *PRICES).to_arrow_table()
    opens = numbers(table["bar_ts"].combine_chunks().view(pa.int64()))
    columns = [numbers(table[name]) for name in PRICES]
    rows = np.stack([opens.view(np.float64), *columns], axis=1)
    digest, done = hashlib.sha256(), 0

    def up_to(moment: int) -> str:
        nonlocal done
        stop = int(np.searchsorted(opens, moment, side="right"))
        digest.update(np.ascontiguousarray(rows[done:stop]).data)
        done = max(done, stop)
        return digest.hexdigest()[:SHORT]

    return up_to


def _by_bar(
    relation: duckdb.DuckDBPyRelation, since: datetime, **own: str
) -> dict[datetime, dict[str, Any]]:
    wanted = duckdb.ColumnExpression("bar_ts") >= duckdb.ConstantExpression(since)
    return {
        row["bar_ts"]: row for row in rows_of(matching(relation, **own).filter(wanted))
    }


def _fills_by_bar(live: Inputs) -> dict[int, list[dict[str, Any]]]:
    """Return what was filled in each bar, by its position.

    What closes a position for want of further bars is none of a bar's.
    """
    run = replay(live, FULL)
    fills: dict[int, list[dict[str, Any]]] = {}
    for leg in run.legs:
        trade = run.trades[leg.trade]
        is_exit = leg.kind == EXIT
        if is_exit and trade.exit_reason in (END_OF_DATA, DELISTED):
            continue
        fills.setdefault(int(leg.index), []).append(
            {
                "kind": KINDS[leg.kind],
                "price": float(leg.price),
                "qty": float(leg.qty),
                "reason": REASONS[trade.exit_reason] if is_exit else None,
            }
        )
    return fills


def _document_of(
    traded: Traded, decision: Decision, fills: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what was decided at a close, as JSON."""
    state, position = decision.state, position_of(traded, decision)
    open_pnl = position["open_pnl"] if position else 0.0
    return {
        "action": action_of(state),
        "exit_reason": REASONS[state.orders.exit_reason],
        "side": decision.fusion["side"],
        "confidence": decision.fusion["confidence"],
        "threshold": sum_of_decimals(
            float(decision.bar.threshold), decision.threshold_shift
        ),
        "barred_by": [
            gate["gate"] for gate in gates_at(traded, decision) if not gate["passed"]
        ],
        "order": order_of(traded, decision, FULL),
        "position": position,
        "filled": fills,
        "close": float(decision.bar.close),
        "balance": state.account.balance,
        "equity": state.account.balance + open_pnl,
        "loss_streak": state.account.loss_streak,
    }


class _Symbol(NamedTuple):
    """Rows read of one symbol of an account at once, for all its bars."""

    traded: Traded
    fusion: dict[datetime, dict[str, Any]]
    votes: dict[datetime, dict[str, Any]]
    features: dict[datetime, dict[str, Any]]
    bars_hash: Callable[[int], str]


def _symbols(
    tables: Tables, live: Inputs, since: datetime, document: dict[str, Any]
) -> list[_Symbol]:
    found = []
    for number, part in enumerate(live.symbols):
        own = {"symbol": part.symbol}
        fusion = _by_bar(
            tables("fusion_scores"), since, profile=live.profile.profile, **own
        )
        # Nothing of what is asked here reads tables: the rows are handed in.
        traded = Traded(cast(Any, None), live, number, document)
        votes, features = (
            _by_bar(tables(name), since, **own) for name in ("votes", "features")
        )
        up_to = _bars_hashes(tables("bars_1h"), part.symbol)
        found.append(_Symbol(traded, fusion, votes, features, up_to))
    return found


def _of_account(
    tables: Tables,
    inputs: Inputs,
    document: dict[str, Any],
    settings: str,
    is_wanted: Callable[[Key], bool],
) -> Iterator[Decided]:
    opens = inputs.opens[inputs.is_in_study]
    if not len(opens):
        return
    live = inputs.since(int(opens.min()))
    bar_ts = live.bar_ts.to_pylist()
    name = live.profile.profile
    wanted = [
        (part.symbol, index)
        for part in live.symbols
        for index in range(part.start, part.stop)
        if is_wanted((name, part.symbol, bar_ts[index]))
    ]
    if not wanted:
        return
    since = min(bar_ts[index] for _, index in wanted)
    symbols = {s.traded.part.symbol: s for s in _symbols(tables, live, since, document)}
    fills = _fills_by_bar(live)
    for symbol, index in wanted:
        own, at = symbols[symbol], bar_ts[index]
        state, shift = state_after(own.traded, index, FULL)
        bar = live.bars[index]
        decision = Decision(index, at, state, shift, bar, own.fusion[at], own.votes[at])
        ages = {
            column.removesuffix(AGE): value
            for column, value in own.features[at].items()
            if column.endswith(AGE) and value is not None
        }
        read = _hash(*(bar[field].tobytes() for field in BAR_FIELDS[1:]))
        yield Decided(
            account=name,
            symbol=symbol,
            bar_ts=at,
            known_at=decision.known_at,
            decision=plain(_document_of(own.traded, decision, fills.get(index, []))),
            ages=plain(ages),
            bars=own.bars_hash(epoch_us(at)),
            read=read,
            settings=settings,
        )


def decisions(
    tables: Tables,
    names: list[str],
    is_wanted: Callable[[Key], bool] = lambda key: True,
) -> list[Decided]:
    """Return the decisions of paper accounts that a built file has, by bar.

    Of every symbol at every bar from the account's opening on, those that are wanted.
    An account that the file was not built with has none.
    """
    documents = {
        row["profile"]: row["document"]
        for row in rows_of(tables("config_profiles").select("profile", "document"))
    }
    found: list[Decided] = []
    for name in names:
        if name not in documents:
            continue
        document = json.loads(documents[name])
        settings = _hash(documents[name].encode())
        own = matching(tables("config_symbols"), profile=name)
        bars, candidates, windows = (
            tables(table)
            for table in ("replay_bars", "candidates", "candidate_windows")
        )
        learned = LearnedTables(tables("exit_learned"), tables("shadow_seen"))
        for inputs in accounts(own, bars, candidates, windows, learned):
            found += _of_account(tables, inputs, document, settings, is_wanted)
    return sorted(found, key=lambda one: (one.bar_ts, one.account, one.symbol))
