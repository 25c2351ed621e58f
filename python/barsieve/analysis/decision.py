"""Decision of the replay at one close, and everything that it decided upon.

Nothing is decided here: the state comes of the replay's own step over the bars up to
that close, and what was read comes of the tables.
"""

from datetime import datetime, timedelta
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from barsieve.analysis.session import Study
from barsieve.core.arrow import numbers
from barsieve.core.errors import refuse
from barsieve.replay.ledger import Outcome
from barsieve.replay.runs import Inputs, replay
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


def outcome_after(inputs: Inputs, index: int, replayed: str) -> Outcome:
    """Return how a replay stands after a bar, with what it ordered for the next."""
    seen = inputs.bars[: index + 1].view(np.recarray)
    # Later bars are not known of, and so no end of the market.
    return replay(inputs._replace(bars=seen, hours_after=0.0), replayed).outcome


def last_known(study: Study, at: datetime | None) -> int:
    """Return the position of the last bar that has closed at a moment (or at all).

    Raises InputError for a moment before the first close.
    """
    if at is None:
        return len(study.inputs.bars) - 1
    closes = numbers(study.inputs.known_at.view("int64"))
    index = int(np.searchsorted(closes, at.timestamp() * 1e6, side="right")) - 1
    if index < 0:
        first = study.inputs.known_at[0].as_py()
        refuse(
            f"--at {at.isoformat()}",
            expected="a moment with a closed bar",
            found="one before all bars",
            fix=f"the first closes at {first.isoformat()}",
        )
    return index


def index_of(study: Study, bar_ts: datetime) -> int:
    """Return the position of the bar that opened at a moment."""
    opens = numbers(study.inputs.bar_ts.view("int64"))
    return int(np.searchsorted(opens, bar_ts.timestamp() * 1e6))


def decision_at(study: Study, index: int, replayed: str) -> Decision:
    """Return what the replay decides at the close of the bar at a position."""
    profile, scratch = study.inputs.profile, study.scratch
    bar_ts = study.inputs.bar_ts[index].as_py()
    fusion = scratch.rows(
        "select * from {fusion_scores} where profile = ? and bar_ts = ?",
        profile.profile, bar_ts,
    )[0]  # fmt: skip
    votes = scratch.rows(
        "select * from {votes} where symbol = ? and bar_ts = ?",
        profile.symbol, bar_ts,
    )[0]  # fmt: skip
    outcome = outcome_after(study.inputs, index, replayed)
    bar = study.inputs.bars[index]
    return Decision(
        index,
        fusion["bar_ts"],
        outcome.state,
        outcome.threshold_shift,
        bar,
        fusion,
        votes,
    )


def domain_votes(study: Study, decision: Decision) -> list[dict[str, Any]]:
    """Return the domains of the profile: score, vote, and the weight in force."""
    found = study.scratch.rows(
        "select domain, vote from {scores} where symbol = ? and bar_ts = ?",
        study.inputs.profile.symbol, decision.bar_ts,
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


def signals_in_force(study: Study, decision: Decision) -> list[dict[str, Any]]:
    """Return the macro signals in force at the close."""
    return study.scratch.rows(
        "select signal, veto_long, veto_short, greenlight from {macro_signals} "
        "where symbol = ? and bar_ts = ? order by signal",
        study.inputs.profile.symbol, decision.bar_ts,
    )  # fmt: skip


def input_ages(study: Study, decision: Decision) -> list[dict[str, Any]]:
    """Return the age of each input at the close, hours since it became known.

    A value that is None is too old to count, or was never known.
    """
    scratch, symbol = study.scratch, study.inputs.profile.symbol
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
    after["index"], after["hours_since"] = bar["index"] + 1, 1.0
    return after.view(np.recarray)


def _level(price: float) -> float | None:
    """Return a price level; None where the profile has none."""
    return price if isfinite(price) else None


def order_of(study: Study, decision: Decision, replayed: str) -> dict[str, Any] | None:
    """Return the entry ordered at the close; None without one.

    Side, confidence, risk and stop distance are settled at the close. Quantity, stop
    and target follow from the next open, so here they are those of an open at the
    close: the step is run over a bar that opens there. A quantity of 0 is an order
    below the smallest notional, or one that costs all there is: it is not filled.
    """
    orders = decision.state.orders
    if orders.entry_side == FLAT:
        return None
    inputs, index = study.inputs, decision.index
    rules = inputs.profile.rules
    bars = np.concatenate([inputs.bars[: index + 1], _hypothetical(decision.bar)])
    extended = inputs._replace(bars=bars.view(np.recarray), hours_after=0.0)
    position = replay(extended, replayed).outcome.state.position
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


def position_of(study: Study, decision: Decision) -> dict[str, Any] | None:
    """Return the open position at the close; None when flat.

    `partial_qty` is what the partial closes, or has closed.
    """
    position, close = decision.state.position, float(decision.bar.close)
    rules = study.inputs.profile.rules
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


def action_of(decision: Decision) -> str:
    """Return what the next open shall do, in two or three words."""
    position, orders = decision.state.position, decision.state.orders
    side = SIDES[orders.entry_side]
    if position.side == FLAT:
        return f"enter {side}" if side else "stay flat"
    if orders.exit_reason != NO_REASON:
        return f"reverse to {side}" if side else "exit"
    return "take partial" if orders.is_partial else "hold"
