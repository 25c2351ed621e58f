"""Walk over months: each has a model of trades that had ended before it began."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import matching, rows_of
from barsieve.core.extras import empty_without, missing
from barsieve.learning.exits import LEAST_TRADES, LSTM, MOST_ROWS
from barsieve.learning.exits.models import LISTS, Fit
from barsieve.learning.exits.paths import Paths, read_paths
from barsieve.learning.exits.remembered import fitted

LEARNERS = "learned_model is not null"


class Month(NamedTuple):
    """A month and its model; `month` as `2024-08`, `starts_at` in µs."""

    month: str
    starts_at: int
    trades: int
    rows: int
    fitted_on: str
    fit: Fit


def start_of(month: str) -> int:
    """Return when a month begins, in µs."""
    return int(np.datetime64(month, "M").astype("datetime64[us]").astype(np.int64))


def month_of(moments: np.ndarray) -> np.ndarray:
    """Return the months of moments in µs, as numpy has them."""
    months: np.ndarray = moments.astype("datetime64[us]").astype("datetime64[M]")
    return months


def known_rows(paths: Paths, moment: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of trades that had ended by a moment, and where each begins.

    The last `MOST_ROWS` at most, of whole trades.
    """
    chosen = paths.is_known & (paths.ended_at <= moment)
    lengths = np.where(chosen, np.diff(paths.starts), 0)
    later = np.cumsum(lengths[::-1])[::-1]
    chosen &= later <= max(MOST_ROWS, lengths.max(initial=0))
    rows = np.flatnonzero(paths.of_trades(chosen))
    starts = np.concatenate([[0], np.cumsum(np.diff(paths.starts)[chosen])])
    return rows, starts.astype(np.int64)


def fit_known(paths: Paths, model: str, moment: int) -> tuple[Fit, int, str] | None:
    """Return a model of what was known at a moment, its trades, and their digest.

    None of too few trades.
    """
    rows, starts = known_rows(paths, moment)
    if len(starts) - 1 < LEAST_TRADES:
        return None
    fit, digest = fitted(model, paths.features[rows], paths.rest[rows], starts)
    return fit, len(starts) - 1, digest


def walk(paths: Paths, model: str, last_at: int) -> Iterator[Month]:
    """Yield the model of each month, to that of the last bar, `last_at` in µs."""
    if not len(paths.decided_at):
        return
    first, last = month_of(np.array([paths.decided_at[0], last_at]))
    for month in np.arange(first, last + 1):
        starts_at = start_of(str(month))
        if found := fit_known(paths, model, starts_at):
            fit, trades, digest = found
            rows = len(known_rows(paths, starts_at)[0])
            yield Month(str(month), starts_at, trades, rows, digest, fit)


def month_row(profile: str, month: Month) -> dict[str, Any]:
    """Return a month's model as a row of `exit_learned`."""
    numbers = month.fit.numbers
    return {
        "profile": profile,
        "month": month.month,
        "model": month.fit.model,
        "trades": month.trades,
        "closes": month.rows,
        "fitted_on": month.fitted_on,
        "base": month.fit.base,
        **{name: numbers[name].ravel() if name in numbers else [] for name in LISTS},
    }


def fit_of(row: dict[str, Any]) -> Fit:
    """Return the model in a row of `exit_learned`."""
    numbers = {name: np.array(row[name]) for name in LISTS}
    return Fit(row["model"], row["base"], numbers)


@empty_without("ml", schemas.EXIT_LEARNED)
def exit_learned(
    profiles: DuckDBPyRelation,
    paths: DuckDBPyRelation,
    seen: DuckDBPyRelation,
    is_deep: bool = False,
) -> pa.Table:
    """Return the models of every profile that learns its exits, a row a month.

    Relations `config_profiles`, `trade_paths` and `shadow_seen`. An LSTM is fitted
    where `is_deep` and the extra is installed; else its profile has no rows.
    """
    made = []
    for row in rows_of(profiles.filter(LEARNERS).order("profile")):
        name, model = row["profile"], row["learned_model"]
        if model == LSTM and (not is_deep or missing("deep")):
            continue
        bars = matching(seen, profile=name)
        last = bars.aggregate("epoch_us(max(bar_ts))").fetchall()[0][0]
        if last is None:
            continue
        found = walk(read_paths(paths, seen, name), model, last)
        made += [month_row(name, month) for month in found]
    return pa.Table.from_pylist(made, schema=schemas.EXIT_LEARNED)
