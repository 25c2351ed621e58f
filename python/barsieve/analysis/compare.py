"""Two runs, trade by trade: which are identical, differ, are missing or invented.

The verdicts are those of the table `parity_trades`: trades are matched on the decision
that opened them, and every other field must agree to the last bit. The number of a
trade is no field of it: one trade more would make all after it differ.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from barsieve.analysis.trade_log import SUFFIX, read_log
from barsieve.core import paths
from barsieve.core.arrow import rows_of
from barsieve.core.errors import refuse
from barsieve.core.times import Span
from barsieve.metrics.account import of_trades
from barsieve.metrics.performance import of_equity

MODES = ("full", "focused")
NOT_COMPARED = {"replayed", "profile", "symbol", "decision_ts", "trade_id", "legs"}


class NamedRun(NamedTuple):
    """A run to compare: how it was named, its trades, and figures of its equity.

    `broken` says how its profile broke its promise in the build that holds it.
    """

    name: str
    trades: list[dict[str, Any]]
    risk: dict[str, Any]
    broken: str | None = None


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


def _split(name: str, database: Path | None) -> tuple[Path, str, str]:
    """Return database, profile and kind of a run named `[database::]profile[:kind]`."""
    named, sign, rest = name.rpartition("::")
    profile, _, mode = rest.partition(":")
    if (mode and mode not in MODES) or not profile:
        refuse(
            name,
            expected=(
                "profile, profile:focused, database.duckdb::profile[:full] "
                f"or a trade log (*{SUFFIX})"
            ),
            found=f"'{rest}'",
            fix="correct the name",
        )
    path = Path(named).expanduser() if sign else database or paths.database_path()
    return path, profile, mode or "full"


def _built_run(name: str, span: Span, database: Path | None) -> NamedRun:
    """Return a run that a build replayed; only trades decided in the span."""
    from barsieve.database.connect import open_database
    from barsieve.database.health import broken_profiles

    path, profile, mode = _split(name, database)
    connection = open_database(path)
    start, end = span
    values = [mode, profile]
    found = connection.execute(
        "select count(*) from replay_runs where replayed = ? and profile = ?", values
    ).fetchall()[0][0]
    if not found:
        names = connection.execute("select profile from config_profiles order by 1")
        known = ", ".join(row[0] for row in names.fetchall())
        refuse(
            str(path),
            "profile",
            expected=f"one of {known}",
            found=f"'{profile}'",
            fix="correct the name",
        )
    found = connection.execute(
        "select * from replay_trades where replayed = ? and profile = ? "
        "order by trade_id",
        values,
    )
    trades = rows_of(found)
    marks = connection.execute(
        "select equity, epoch(bar_ts)::bigint // 86400 as day from replay_equity "
        "where replayed = ? and profile = ? "
        "and bar_ts >= coalesce(?::timestamptz, '-infinity'::timestamptz) "
        "and bar_ts < coalesce(?::timestamptz, 'infinity'::timestamptz) "
        "order by bar_ts",
        [*values, start, end],
    ).fetchnumpy()
    broken = broken_profiles(connection).get(profile)
    connection.close()
    risk = of_equity(np.asarray(marks["equity"]), np.asarray(marks["day"]))
    return NamedRun(name, within(trades, span), risk, broken)


def within(trades: Sequence[dict[str, Any]], span: Span) -> list[dict[str, Any]]:
    """Return the trades that were decided within a span."""
    start, end = span
    return [
        trade
        for trade in trades
        if (start is None or trade["decision_ts"] >= start)
        and (end is None or trade["decision_ts"] < end)
    ]


def read_run(
    name: str, span: Span = (None, None), database: Path | None = None
) -> NamedRun:
    """Return a run: a trade log's by its path, else one that a database holds.

    A name without a database is of `database`, by default the one in force. Only trades
    decided within the span [start, end) are kept. Raises InputError for a name that
    stands for nothing.
    """
    if name.endswith(SUFFIX):
        trades = within(read_log(Path(name).expanduser()), span)
        return NamedRun(name, trades, {"sharpe": None, "max_drawdown": None})
    return _built_run(name, span, database)


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


def _metrics(a: NamedRun, b: NamedRun) -> list[dict[str, Any]]:
    ours, theirs = (of_trades(run.trades) | run.risk for run in (a, b))
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
