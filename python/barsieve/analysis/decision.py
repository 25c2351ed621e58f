"""Decision of the replay at one close, and everything that it decided upon.

Nothing is decided here: the state comes of the replay's own step over the bars up to
that close, and what was read comes of the tables.
"""

from datetime import datetime, timedelta
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from barsieve.analysis.session import Traded
from barsieve.core.arrow import column, numbers
from barsieve.core.errors import refuse
from barsieve.replay.records import replaced
from barsieve.replay.runs import HOUR_US, Inputs, Part, replay
from barsieve.replay.state import (
    BAR,
    BAR_FIELDS,
    FLAT,
    LONG,
    NO_REASON,
    REASONS,
    State,
)

HOUR = timedelta(hours=1)
SIDES = {LONG: "long", -LONG: "short", FLAT: None}


class Decision(NamedTuple):
    """A close: its position among the bars, the step's state after it, the rows read.

    `threshold_shift` is what the streak of losses adds to the threshold there. `fusion`
    is the profile's row of `fusion_scores`, `votes` that of `votes`.
    """

    index: int  # type: ignore[assignment]  # a tuple has a method of this name
    bar_ts: datetime
    state: State
    threshold_shift: float
    bar: np.record
    fusion: dict[str, Any]
    votes: dict[str, Any]

    @property
    def known_at(self) -> datetime:
        """Return the close of the bar."""
        known_at: datetime = self.fusion["known_at"]
        return known_at


def state_after(
    traded: Traded, index: int, replayed: str, *, opened: bool = False
) -> tuple[State, float]:
    """Return how a replay stands after a bar, with what it ordered for the next.

    And what the streak of losses adds to the threshold. `opened`: after another bar of
    the same hour and later, which opens and stays where that closed.
    """
    seen = traded.inputs.until(traded.inputs.opens[index])
    run = replay(_opened(seen) if opened else seen, replayed)
    state, first = run.states[traded.number], run.inputs.symbols[traded.number].start
    # Its last exit by the bars of the whole, as `index` is.
    moved = state.account.last_exit_index + traded.part.start - first
    account = replaced(state.account, last_exit_index=moved)
    return replaced(state, account=account), run.outcome.threshold_shift


def last_known(traded: Traded, at: datetime | None) -> int:
    """Return the position of the symbol's last bar that has closed at a moment.

    Of all where the moment is None. Raises InputError for one before the first close.
    """
    part = traded.part
    if at is None:
        return part.stop - 1
    known_at = traded.inputs.known_at
    closes = numbers(known_at.view("int64"))[part.start : part.stop]
    index = int(np.searchsorted(closes, at.timestamp() * 1e6, side="right")) - 1
    if index < 0:
        first = known_at[part.start].as_py()
        refuse(
            f"--at {at.isoformat()}",
            expected="a moment with a closed bar",
            found="one before all bars",
            fix=f"the first closes at {first.isoformat()}",
        )
    return part.start + index


def index_of(traded: Traded, bar_ts: datetime) -> int:
    """Return the position of the symbol's bar that opened at a moment.

    That before it where none did.
    """
    part = traded.part
    opens = traded.inputs.opens[part.start : part.stop]
    at = np.searchsorted(opens, bar_ts.timestamp() * 1e6, side="right")
    return part.start + int(at) - 1


def decision_at(traded: Traded, index: int, replayed: str) -> Decision:
    """Return what the replay decides at the close of the bar at a position."""
    profile, scratch = traded.profile, traded.scratch
    bar_ts = traded.inputs.bar_ts[index].as_py()
    fusion = scratch.rows(
        "select * from {fusion_scores} "
        "where profile = ? and symbol = ? and bar_ts = ?",
        profile.profile, profile.symbol, bar_ts,
    )[0]  # fmt: skip
    votes = scratch.rows(
        "select * from {votes} where symbol = ? and bar_ts = ?",
        profile.symbol, bar_ts,
    )[0]  # fmt: skip
    state, threshold_shift = state_after(traded, index, replayed)
    bar = traded.inputs.bars[index]
    return Decision(index, fusion["bar_ts"], state, threshold_shift, bar, fusion, votes)


def domain_votes(traded: Traded, decision: Decision) -> list[dict[str, Any]]:
    """Return the domains of the profile: score, vote, and the weight in force."""
    found = traded.scratch.rows(
        "select domain, vote from {scores} where symbol = ? and bar_ts = ?",
        traded.part.symbol, decision.bar_ts,
    )  # fmt: skip
    votes = {row["domain"]: row["vote"] for row in found}
    return [
        {
            "domain": domain,
            "score": decision.votes[f"score_{domain}"],
            "vote": votes[domain],
            "weight": weight,
        }
        for domain, weight in decision.fusion["weights"].items()
    ]


def signals_in_force(traded: Traded, decision: Decision) -> list[dict[str, Any]]:
    """Return the macro signals in force at the close."""
    return traded.scratch.rows(
        "select signal, veto_long, veto_short, greenlight from {macro_signals} "
        "where symbol = ? and bar_ts = ? order by signal",
        traded.part.symbol, decision.bar_ts,
    )  # fmt: skip


def input_ages(traded: Traded, decision: Decision) -> list[dict[str, Any]]:
    """Return the age of each input at the close, hours since it became known.

    A value that is None is too old to count, or was never known.
    """
    scratch, symbol = traded.scratch, traded.part.symbol
    row = scratch.rows(
        "select * from {features} where symbol = ? and bar_ts = ?",
        symbol, decision.bar_ts,
    )[0]  # fmt: skip
    ages = [{"input": "bar", "value": row["close"], "age_hours": 0.0}]
    for frame in ("4h", "1d"):
        found = scratch.rows(
            f"select max_by(close, known_at) as close, max(known_at) as known_at "
            f"from {{bars_{frame}}} where symbol = ? and known_at <= ?",
            symbol, decision.known_at,
        )[0]  # fmt: skip
        known_at = found["known_at"]
        age = (decision.known_at - known_at) / HOUR if known_at else None
        ages.append(
            {"input": f"bar_{frame}", "value": found["close"], "age_hours": age}
        )
    suffix = "_age_hours"
    for name in [n.removesuffix(suffix) for n in row if n.endswith(suffix)]:
        age = row[name + suffix]
        ages.append({"input": name, "value": row[name], "age_hours": age})
    return ages


def _hypothetical(bar: np.record) -> np.recarray:
    """Return a bar that opens and stays at the close of another, with nothing known."""
    after = np.zeros(1, BAR)
    for name in BAR_FIELDS:
        if after[name].dtype.kind == "f":
            after[name] = np.nan
    for name in ("open", "high", "low", "close"):
        after[name] = bar["close"]
    after["hours_since"] = 1.0
    return after.view(np.recarray)


def _opened(seen: Inputs) -> Inputs:
    """Return inputs with an hour more, at which all symbols open at their last closes.

    All that had a bar in the last hour: their orders compete for the same money.
    """
    last = seen.opens.max()
    bars, opens = [], []
    parts: list[Part] = []
    for part in seen.symbols:
        own, at = seen.bars[part.start : part.stop], seen.opens[part.start : part.stop]
        if len(at) and at[-1] == last:
            own = np.concatenate([own, _hypothetical(own[-1])])
            at = np.append(at, last + HOUR_US)
        start = parts[-1].stop if parts else 0
        bars.append(own)
        opens.append(at)
        parts.append(Part(part.symbol, start, start + len(at)))
    made = np.concatenate(bars).view(np.recarray)
    made["index"] = np.arange(len(made))
    bar_ts = column(np.concatenate(opens)).view(seen.bar_ts.type)
    before = np.array([part.start for part in seen.symbols])
    moved = np.array([part.start for part in parts]) - before
    of_part = np.searchsorted(before, seen.entry_bars, side="right") - 1
    return seen._replace(
        bars=made,
        bar_ts=bar_ts,
        known_at=bar_ts,
        is_in_study=np.ones(len(made), bool),
        entry_bars=seen.entry_bars + moved[of_part],
        parts=tuple(parts),
    )


def _level(price: float) -> float | None:
    """Return a price level; None where the profile has none."""
    return price if isfinite(price) else None


def order_of(
    traded: Traded, decision: Decision, replayed: str
) -> dict[str, Any] | None:
    """Return the entry ordered at the close; None without one.

    Side, confidence, risk and stop distance are settled at the close. Quantity, stop
    and target follow from the next open, so here they are those of an open at the
    close: the step is run over a bar that opens there. A quantity of 0 is an order
    below the smallest notional, or one that costs all there is: it is not filled.
    """
    orders = decision.state.orders
    if orders.entry_side == FLAT:
        return None
    rules = traded.profile.rules
    after, _ = state_after(traded, decision.index, replayed, opened=True)
    position = after.position
    is_filled = position.side == orders.entry_side and position.bars_held == 1
    close, distance = float(decision.bar.close), orders.entry_risk_distance
    qty = position.qty if is_filled else 0.0
    return {
        "side": SIDES[orders.entry_side],
        "confidence": orders.entry_confidence,
        "risk_share": orders.entry_risk_share,
        "risk_distance": distance,
        "assumed_open": close,
        "qty": qty,
        "notional": qty * close,
        "stop": close - orders.entry_side * distance,
        "target": _level(close + orders.entry_side * rules.target_r * distance),
        "is_filled": is_filled,
    }


def position_of(traded: Traded, decision: Decision) -> dict[str, Any] | None:
    """Return the open position at the close; None when flat.

    `partial_qty` is what the partial closes, or has closed.
    """
    position, close = decision.state.position, float(decision.bar.close)
    rules = traded.profile.rules
    if position.side == FLAT:
        return None
    profit = position.side * (close - position.entry_price)
    return {
        "side": SIDES[position.side],
        "qty": position.qty,
        "entry_price": position.entry_price,
        "bars_held": position.bars_held,
        "stop": position.stop,
        "stop_kind": REASONS[position.stop_reason],
        "target": _level(position.target),
        "has_partial": bool(position.has_partial),
        "partial_qty": rules.partial_share * position.entry_qty,
        "open_pnl": profit * position.qty,
        "profit_r": profit / position.risk_distance,
    }


def action_of(state: State) -> str:
    """Return what the next open shall do, in two or three words."""
    position, orders = state.position, state.orders
    side = SIDES[orders.entry_side]
    if position.side == FLAT:
        return f"enter {side}" if side else "stay flat"
    if orders.exit_reason != NO_REASON:
        return f"reverse to {side}" if side else "exit"
    return "take partial" if orders.is_partial else "hold"
