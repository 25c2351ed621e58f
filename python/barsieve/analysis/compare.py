"""Two runs, trade by trade: which are identical, differ, are missing or invented.

The verdicts are those of the table `parity_trades`: trades are matched on the decision
that opened them, and every other field must agree to the last bit. The number of a
trade is no field of it: one trade more would make all after it differ.
"""

from typing import Any, NamedTuple

from barsieve.analysis.named_runs import NamedRun
from barsieve.core.errors import refuse
from barsieve.metrics.account import CURVE, by_side, of_trades

NOT_COMPARED = {"replayed", "profile", "symbol", "decision_ts", "trade_id", "legs"}


class Comparison(NamedTuple):
    """Verdicts by trade, their counts, and the figures of both runs."""

    trades: list[dict[str, Any]]
    counts: dict[str, int]
    metrics: list[dict[str, Any]]

    @property
    def verdict(self) -> str:
        """Return `identical`, `differs`, or `vacuous` when there was nothing."""
        if not self.trades:
            return "vacuous"
        is_same = self.counts["identical"] == len(self.trades)
        return "identical" if is_same else "differs"


def _by_decision(run: NamedRun) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for trade in run.trades:
        key = (trade["decision_ts"], trade["symbol"])
        if key in found:
            refuse(
                run.name,
                f"decision {key[0].isoformat()}",
                expected="one trade a decision",
                found="two",
                fix="compare one run at a time",
            )
        found[key] = trade
    return found


def _differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, list[Any]]:
    shared = [key for key in one if key in other and key not in NOT_COMPARED]
    return {key: [one[key], other[key]] for key in shared if one[key] != other[key]}


def _verdict(
    key: tuple[Any, ...], one: dict[str, Any] | None, other: dict[str, Any] | None
) -> dict[str, Any]:
    fields = _differing(one, other) if one and other else {}
    if one is None:
        verdict = "invented"
    elif other is None:
        verdict = "missing"
    else:
        verdict = "differs" if fields else "identical"
    known = one or other or {}
    return {
        "decision_ts": key[0],
        "symbol": key[1],
        "side": known["side"],
        "verdict": verdict,
        "a_trade_id": (one or {}).get("trade_id"),
        "b_trade_id": (other or {}).get("trade_id"),
        "fields": fields,
    }


def _figures(run: NamedRun) -> dict[str, Any]:
    """Return the figures of a run by name; those of a side begin with its name."""
    apart = {
        f"{side}_{name}": value
        for side, found in by_side(run.trades).items()
        for name, value in found.items()
    }
    account = {name: run.account.get(name) for name in CURVE}
    return of_trades(run.trades) | account | apart


def _metrics(a: NamedRun, b: NamedRun) -> list[dict[str, Any]]:
    ours, theirs = _figures(a), _figures(b)
    rows = []
    for figure, one in ours.items():
        other = theirs[figure]
        difference = None if one is None or other is None else other - one
        rows.append({"figure": figure, "a": one, "b": other, "difference": difference})
    return rows


def compare(a: NamedRun, b: NamedRun) -> Comparison:
    """Return what sets two runs apart; `missing` is in A alone, `invented` in B."""
    ours, theirs = _by_decision(a), _by_decision(b)
    trades = [
        _verdict(key, ours.get(key), theirs.get(key))
        for key in sorted(ours.keys() | theirs.keys())
    ]
    names = ("identical", "differs", "missing", "invented")
    counts = {name: sum(t["verdict"] == name for t in trades) for name in names}
    return Comparison(trades, counts, _metrics(a, b))


def is_within(
    a: NamedRun, b: NamedRun, trades_tolerance: float, win_rate_tolerance: float
) -> bool:
    """Tell whether B keeps the promise `within` against A, as `parity_summary` does.

    The number of trades may differ by a share of A's, the win rate by a fraction. A run
    without trades is within nothing: there is no win rate to compare.
    """
    ours, theirs = of_trades(a.trades), of_trades(b.trades)
    apart = abs(theirs["trades"] - ours["trades"])
    if not ours["trades"] or not theirs["trades"]:
        return False
    if apart > trades_tolerance * ours["trades"]:
        return False
    is_near: bool = abs(theirs["win_rate"] - ours["win_rate"]) <= win_rate_tolerance
    return is_near
