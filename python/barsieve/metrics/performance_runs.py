"""Performance of profiles beside buy-and-hold: rows of `evaluation_performance`.

A profile of one symbol has one figure set. One of many has one of all that it trades,
and one of each symbol: that of its own account, or its part of the one they share.
"""

from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import matching, numbers, rows_of
from barsieve.metrics.account import Marks, by_side, of_curve, of_trades, when_all
from barsieve.metrics.performance import DAY_US, ends_of_days
from barsieve.profiles.rules import BPS
from barsieve.profiles.settings import ALL, Profile, read_profiles
from barsieve.replay.runs import FULL

RESULTS = (
    "side", "net_pnl", "r_multiple", "gross_pnl", "fees", "slippage", "funding",
    "shortfall", "mae_r", "mfe_r", "notional",
)  # fmt: skip


class Built(NamedTuple):
    """Relations of the built database that the figures are made of.

    `equity`, `profile_equity`, `trades`, `replay_runs`, `bars_1h` and `fusion_scores`.
    """

    equity: DuckDBPyRelation
    profile_equity: DuckDBPyRelation
    trades: DuckDBPyRelation
    runs: DuckDBPyRelation
    bars: DuckDBPyRelation
    fusion_scores: DuckDBPyRelation


class Prices(NamedTuple):
    """Prices of a symbol on the hours that are judged, arrays of shape (n_bars,).

    Opens and closes, by `bar_ts` in µs.
    """

    bar_ts: np.ndarray
    open: np.ndarray
    close: np.ndarray


class Judged(NamedTuple):
    """A profile, or a symbol of it, as far as it is judged.

    `own`: the profile on its symbols. `start` and `end`: what its money was, USD, and
    `ruined_at` since when it could enter no more. `trades`: rows of that table.
    """

    own: Sequence[Profile]
    marks: Marks
    prices: list[Prices]
    start: float
    end: float
    ruined_at: datetime | None
    trades: list[dict[str, Any]]

    @property
    def symbol(self) -> str:
        """Return the symbol, or `ALL`."""
        return self.own[0].symbol if len(self.own) == 1 else ALL


def _moments(table: pa.Table) -> np.ndarray:
    return numbers(table["bar_ts"].combine_chunks().view(pa.int64()))


def prices_of(profile: Profile, built: Built) -> Prices:
    """Return the prices of a profile's symbol on the hours of the study."""
    of_symbol = {"profile": profile.profile, "symbol": profile.symbol}
    judged = matching(built.fusion_scores, **of_symbol, is_in_study=True)
    bars = matching(built.bars, symbol=profile.symbol)
    table = (
        bars.select("bar_ts", "open", "close")
        .join(judged.select("bar_ts"), "bar_ts", how="semi")
        .order("bar_ts")
        .to_arrow_table()
    )
    return Prices(_moments(table), numbers(table["open"]), numbers(table["close"]))


def _marks(own: Sequence[Profile], prices: list[Prices], built: Built) -> Marks:
    """Return the equity of a profile, or of its one symbol, on the hours judged."""
    name = own[0].profile
    if len(own) == 1:
        rows = matching(built.equity, profile=name, symbol=own[0].symbol)
        rows = rows.select("bar_ts, equity, position != 0 as is_held")
    else:
        rows = matching(built.profile_equity, profile=name)
        rows = rows.select("bar_ts, equity, positions != 0 as is_held")
    table = rows.order("bar_ts").to_arrow_table()
    bar_ts = _moments(table)
    hours = np.concatenate([of_symbol.bar_ts for of_symbol in prices])
    judged = np.isin(bar_ts, hours)
    equity, is_held = numbers(table["equity"]), numbers(table["is_held"])
    return Marks(equity[judged], is_held[judged].astype(bool), bar_ts[judged])


def _money(
    own: Sequence[Profile], built: Built, trades: list[dict[str, Any]]
) -> tuple[float, float, datetime | None]:
    """Return what the accounts began and ended with, and when they were ruined.

    Of a symbol that shares an account: start balance, and that with its own results.
    """
    name = own[0].profile
    of_profile = matching(built.runs, replayed=FULL, profile=name)
    # Without the trades nested in them, which may be a million values; in an order, so
    # that the sum of accounts has one set of bits.
    runs = rows_of(
        of_profile.select("account", "start_balance", "end_balance", "ruined_ts").order(
            "account"
        )
    )
    accounts = {profile.account for profile in own}
    mine = [run for run in runs if run["account"] in accounts]
    start = sum(run["start_balance"] for run in mine)
    if len(own) == 1 and own[0].account == ALL:
        nets = sum(trade["net_pnl"] + trade["shortfall"] for trade in trades)
        return start, start + nets, None
    end = sum(run["end_balance"] for run in mine)
    return start, end, when_all(run["ruined_ts"] for run in mine)


def judged_of(own: Sequence[Profile], built: Built, prices: list[Prices]) -> Judged:
    """Return a profile on some of its symbols, as far as it is judged.

    `prices`: those of the symbols, in their order.
    """
    of_profile = matching(built.trades, profile=own[0].profile)
    if len(own) == 1:
        of_profile = matching(of_profile, symbol=own[0].symbol)
    columns = ("decision_ts", "symbol", *RESULTS)
    trades = rows_of(of_profile.order("symbol, trade_id").select(*columns))
    start, end, ruined_at = _money(own, built, trades)
    return Judged(
        own, _marks(own, prices, built), prices, start, end, ruined_at, trades
    )


def equity_by_day(marks: Marks) -> list[dict[str, Any]]:
    """Return the equity at the last close of each UTC day that has one."""
    days = marks.bar_ts // DAY_US
    last = ends_of_days(days)
    dates = days[last].astype("datetime64[D]").tolist()
    return [
        {"day": day, "equity": equity}
        for day, equity in zip(dates, marks.equity[last].tolist(), strict=True)
    ]


def own_figures(judged: Judged) -> dict[str, Any]:
    """Return the figures of a full replay.

    The net result is what the accounts came to, which cannot lose what they never had.
    """
    start, end, trades = judged.start, judged.end, judged.trades
    notional = sum(row["notional"] for row in trades)
    return {
        "strategy": "strategy",
        **of_trades(trades),
        **of_curve(judged.marks, start, end, notional),
        "sides": [{"side": side} | found for side, found in by_side(trades).items()],
        "net_pnl": end - start,
        "return_share": (end - start) / start,
        "ruined_at": judged.ruined_at,
        "days": equity_by_day(judged.marks),
    }


def buy_and_hold(judged: Judged) -> dict[str, Any]:
    """Return the figures of holding the symbols, an equal part of the money in each.

    All in at the first open of a symbol, out at its last close; until it begins, its
    part is cash. Costs are those of the profile, on both legs; spot, so without
    funding.
    """
    start, rules = judged.start, judged.own[0].rules
    cost_rate = (rules.fees_bps + rules.slippage_bps) * BPS
    hours = judged.marks.bar_ts
    equity, gross, notional, n_held = np.zeros(len(hours)), 0.0, 0.0, 0
    for of_symbol in judged.prices:
        part = start / len(judged.prices)
        if not len(of_symbol.bar_ts):
            equity += part
            continue
        first, last = of_symbol.open[0], of_symbol.close[-1]
        qty = part / (first * (1 + cost_rate))
        at = np.searchsorted(of_symbol.bar_ts, hours, side="right") - 1
        value = qty * of_symbol.close[np.maximum(at, 0)] * (1 - cost_rate)
        equity += np.where(at < 0, part, value)
        gross += qty * (last - first)
        notional += qty * (first + last)
        n_held += 1
    marks = Marks(equity, np.ones(len(hours), bool), hours)
    return {
        "strategy": "buy_and_hold",
        "trades": n_held,
        "gross_pnl": gross,
        "net_pnl": equity[-1] - start,
        **of_curve(marks, start, equity[-1], notional),
        "days": equity_by_day(marks),
    }


def wholes_and_parts(
    profiles: DuckDBPyRelation, built: Built, names: Container[str] | None = None
) -> Iterator[Judged]:
    """Yield every profile on all of its symbols, each before it on one of them.

    `profiles`: the relation `config_symbols`; `names`: those wanted, all unless told.
    The prices of a symbol are read once.
    """
    by_name: dict[str, list[Profile]] = {}
    for one in read_profiles(profiles):
        if names is None or one.profile in names:
            by_name.setdefault(one.profile, []).append(one)
    for own in by_name.values():
        prices = [prices_of(one, built) for one in own]
        yield judged_of(own, built, prices)
        if len(own) > 1:
            for one, of_symbol in zip(own, prices, strict=True):
                yield judged_of([one], built, [of_symbol])


def performance_runs(
    profiles: DuckDBPyRelation,
    equity: DuckDBPyRelation,
    profile_equity: DuckDBPyRelation,
    trades: DuckDBPyRelation,
    runs: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    fusion_scores: DuckDBPyRelation,
) -> pa.Table:
    """Return what each profile's full replay came to, and what holding would have.

    Parameters are relations of the built database: `config_symbols`, and those of
    `Built`. No bar in the study, nothing to hold.
    """
    built = Built(equity, profile_equity, trades, runs, bars, fusion_scores)
    rows = []
    for judged in wholes_and_parts(profiles, built):
        about = {"profile": judged.own[0].profile, "symbol": judged.symbol}
        rows.append(about | own_figures(judged))
        if len(judged.marks.bar_ts):
            rows.append(about | buy_and_hold(judged))
    return pa.Table.from_pylist(rows, schema=schemas.PERFORMANCE_RUNS)
