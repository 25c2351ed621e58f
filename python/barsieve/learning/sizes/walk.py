"""Walk over months: each has a model of the results of trades that ended before it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import column, matching, numbers, rows_of, texts
from barsieve.core.extras import empty_without
from barsieve.learning.exits.walk import month_of, start_of
from barsieve.learning.sizes import LEAST_CALIBRATED, LEAST_TRADES, SEEN
from barsieve.learning.sizes.model import SizeModel, calibrated, fit

LEARNERS = "sizing_kind = 'kelly'"
# Of `shadow_seen`, by a side: what its confidence and its veto are.
BY_SIDE = """
    case {side} when 'long' then fusion_score else 1 - fusion_score end as confidence,
    atr_rank_100, adx_14_4h, volume_z_20, realized_vol_168,
    case {side} when 'long' then net_veto_long else net_veto_short end as net_veto
"""


class Results(NamedTuple):
    """Trades of a profile's shadow, shape (n_trades,), in the order of decisions.

    `seen`, shape (n_trades, len(SEEN)), at the decision; `r` the result in R.
    """

    seen: np.ndarray
    r: np.ndarray
    decided_at: np.ndarray
    known_at: np.ndarray


def _seen_of(table: pa.Table) -> np.ndarray:
    return np.column_stack(
        [np.empty((table.num_rows, 0))]
        + [numbers(table[name]).astype(np.float64) for name in SEEN]
    )


def _moments(table: pa.Table, name: str) -> np.ndarray:
    found: np.ndarray = numbers(table[name].combine_chunks().view(pa.int64()))
    return found.astype(np.int64)


def read_results(
    results: DuckDBPyRelation, seen: DuckDBPyRelation, profile: str
) -> Results:
    """Read what a profile's own shadow trades came to; open ones are left out."""
    own = matching(results, profile=profile, entries="own").select(
        "symbol, decision_ts as bar_ts, side, r_multiple, known_at as ended_at, "
        "exit_reason"
    )
    bars = matching(seen, profile=profile)
    joined = own.filter("exit_reason <> 'end_of_data'").join(bars, "symbol, bar_ts")
    chosen = joined.order("bar_ts, symbol").select(
        BY_SIDE.format(side="side") + ", r_multiple, bar_ts, ended_at"
    )
    table = chosen.to_arrow_table()
    return Results(
        _seen_of(table),
        numbers(table["r_multiple"]).astype(np.float64),
        _moments(table, "bar_ts"),
        _moments(table, "ended_at"),
    )


class Month(NamedTuple):
    """A month, when it begins in µs, and its model, of so many trades."""

    month: str
    starts_at: int
    trades: int
    model: SizeModel


def fit_known(found: Results, known: np.ndarray) -> SizeModel | None:
    """Return a model of some trades; None of too few, or where all end alike."""
    r = found.r[known]
    if len(r) < LEAST_TRADES or (r > 0).all() or (r <= 0).all():
        return None
    return fit(found.seen[known], r)


def walk(found: Results, last_at: int) -> Iterator[Month]:
    """Yield the model of each month, to that of the last bar, `last_at` in µs.

    Each is calibrated on what the models before it had said of trades now known.
    """
    if not len(found.r):
        return
    first, last = month_of(np.array([found.decided_at[0], last_at]))
    of_trade = month_of(found.decided_at)
    said = np.full(len(found.r), np.nan)
    for month in np.arange(first, last + 1):
        starts_at = start_of(str(month))
        known = found.known_at <= starts_at
        model = fit_known(found, known)
        if model is None:
            continue
        past = known & np.isfinite(said)
        if past.sum() >= LEAST_CALIBRATED:
            model = calibrated(model, said[past], found.r[past] > 0)
        own = of_trade == month
        said[own] = model.log_odds(found.seen[own])
        yield Month(str(month), starts_at, int(known.sum()), model)


SIDE_OF_BAR = "case when fusion_score >= 0.5 then 'long' else 'short' end"


def expected_at_bars(
    seen: DuckDBPyRelation, profile: str, symbols: list[str]
) -> np.ndarray:
    """Return what a size sees of the bars of some symbols, one after the other."""
    columns = f"symbol, bar_ts, {BY_SIDE.format(side=SIDE_OF_BAR)}"
    own = matching(seen, profile=profile).select(columns)
    parts = [
        matching(own, symbol=symbol).order("bar_ts").to_arrow_table()
        for symbol in sorted(symbols)
    ]
    return _seen_of(pa.concat_tables(parts))


def _of_months(
    profile: str, seen: DuckDBPyRelation, months: dict[str, Month]
) -> Iterator[dict[str, Any]]:
    """Yield columns of `sizing_learned` for each month's bars."""
    month_of_bar = "symbol, bar_ts, strftime(bar_ts, '%Y-%m') as month"
    own = matching(seen, profile=profile).select(
        f"{month_of_bar}, {BY_SIDE.format(side=SIDE_OF_BAR)}"
    )
    for name, month in months.items():
        table = matching(own, month=name).order("symbol, bar_ts").to_arrow_table()
        expected = month.model.expect(_seen_of(table))
        n = table.num_rows
        yield {
            "profile": texts([profile] * n),
            "symbol": table["symbol"].combine_chunks(),
            "bar_ts": table["bar_ts"].combine_chunks(),
            "month": texts([name] * n),
            "trades": column(np.full(n, month.trades)),
            "win_probability": column(expected.probability),
            "win_r": column(expected.win_r),
            "loss_r": column(expected.loss_r),
            "kelly_share": column(expected.kelly),
        }


def last_moment(seen: DuckDBPyRelation, profile: str) -> int | None:
    """Return when the last bar of a profile opens, in µs; None without any."""
    found = matching(seen, profile=profile).aggregate("epoch_us(max(bar_ts))")
    moment: int | None = found.fetchall()[0][0]
    return moment


@empty_without("ml", schemas.SIZING_LEARNED)
def sizing_learned(
    profiles: DuckDBPyRelation, results: DuckDBPyRelation, seen: DuckDBPyRelation
) -> pa.Table:
    """Return what trades are expected to pay, at each bar of what sizes by it.

    Relations `config_profiles`, `shadow_results` and `shadow_seen`.
    """
    tables = [schemas.SIZING_LEARNED.empty_table()]
    for row in rows_of(profiles.filter(LEARNERS).order("profile")):
        name = row["profile"]
        last = last_moment(seen, name)
        if last is None:
            continue
        walked = walk(read_results(results, seen, name), last)
        months = {month.month: month for month in walked}
        for columns in _of_months(name, seen, months):
            tables.append(pa.table(columns).cast(schemas.SIZING_LEARNED))
    return pa.concat_tables(tables)
