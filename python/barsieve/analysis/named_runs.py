"""Runs by their names: a profile of a built database, or a trade log."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np

from barsieve.analysis.trade_log import SUFFIX, read_log
from barsieve.core import paths
from barsieve.core.arrow import row_of, rows_of
from barsieve.core.errors import refuse
from barsieve.core.times import Span
from barsieve.metrics.account import CURVE, Marks, of_curve

MODES = ("full", "focused")


class NamedRun(NamedTuple):
    """A run to compare: how it was named, its trades, and figures of its account.

    `broken` says how its profile broke its promise in the build that holds it.
    """

    name: str
    trades: list[dict[str, Any]]
    account: dict[str, Any]
    broken: str | None = None


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
        "order by entry_ts, account, trade_id",
        values,
    )
    trades = within(rows_of(found), span)
    account = _account(connection, mode, profile, span, trades)
    broken = broken_profiles(connection).get(profile)
    connection.close()
    return NamedRun(name, trades, account, broken)


MARKS = """
    select
        epoch_us(bar_ts) as bar_ts,
        equity,
        positions != 0 as is_held,
        bar_ts >= coalesce($start::timestamptz, '-infinity'::timestamptz) as is_begun,
    from replay_profile_equity
    semi join (from fusion_scores where profile = $profile and is_in_study)
        using (bar_ts)
    where replayed = $mode and profile = $profile
        and bar_ts < coalesce($end::timestamptz, 'infinity'::timestamptz)
    order by bar_ts
"""


def _account(
    connection: duckdb.DuckDBPyConnection,
    mode: str,
    profile: str,
    span: Span,
    trades: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Return the figures of a run's account within the span; `trades` are those in it.

    It begins with what the account had before, which is the start balance at first.
    """
    start, end = span
    names = {"mode": mode, "profile": profile}
    columns = connection.execute(
        MARKS, names | {"start": start, "end": end}
    ).fetchnumpy()
    before = int(np.count_nonzero(~columns.pop("is_begun")))
    marks = Marks(**{name: np.asarray(of)[before:] for name, of in columns.items()})
    (balance,) = row_of(
        connection.execute(
            "select sum(start_balance) from replay_runs "
            "where replayed = $mode and profile = $profile",
            names,
        )
    )
    if before:
        balance = columns["equity"][before - 1]
    last = marks.equity[-1] if len(marks.equity) else balance
    notional = sum(trade["notional"] for trade in trades)
    return of_curve(marks, float(balance), float(last), notional)


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
        return NamedRun(name, trades, dict.fromkeys(CURVE))
    return _built_run(name, span, database)
