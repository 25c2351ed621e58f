"""Worth of regimes: each profile replayed with and without their shift.

The difference comes with an interval from a paired block bootstrap: the same blocks of
days are drawn for both replays, so that what both went through cancels out. Many
differences are shown, so the intervals hold all of them at once: in 95 of 100 markets
where regimes are worth nothing not one of them excludes 0.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.arrow import matching, numbers
from barsieve.core.extras import empty_without
from barsieve.core.remembered import Kept, packed, recall, unpacked
from barsieve.metrics.account import marks_of, nets_of
from barsieve.metrics.bootstrap import drawn_days, simultaneous
from barsieve.metrics.performance import (
    DAY_US,
    annual_sharpe,
    drawdowns,
    known,
    profit_factor,
)
from barsieve.regime import EXPANDING, HMM, KMEANS, VIX_BANDS
from barsieve.replay.learned_tables import LearnedTables
from barsieve.replay.runs import FULL, Inputs, Run, accounts, replay
from barsieve.signals.market import is_within

SPANS = {
    "q3_2024": (datetime(2024, 7, 1, tzinfo=UTC), datetime(2024, 10, 1, tzinfo=UTC)),
    "whole": (None, None),
}
FIGURES = ("trades", "win_rate", "profit_factor", "sharpe", "max_drawdown")


class Days(NamedTuple):
    """A replay by day, arrays of shape (n_days,).

    `returns` of the equity marked to market; `trades`, `wins`, `won` and `lost` (USD)
    of the trades that closed on the day.
    """

    returns: np.ndarray
    trades: np.ndarray
    wins: np.ndarray
    won: np.ndarray
    lost: np.ndarray


def _limited(inputs: Inputs, start: datetime | None, end: datetime | None) -> Inputs:
    """Return the inputs with entries limited to a span, as a study would."""
    known_at = numbers(inputs.known_at.view(pa.int64()))
    is_inside = inputs.is_in_study & is_within(known_at, start, end)
    bars = inputs.bars.copy()
    bars.is_eligible &= is_inside
    return inputs._replace(bars=bars, is_in_study=is_inside)


def by_day(run: Run) -> Days:
    """Return a replay by day of its study."""
    inputs, marks = run.inputs, marks_of([run])
    is_judged = inputs.is_judged
    day = marks.bar_ts[is_judged] // DAY_US
    is_last = np.diff(day, append=day[-1] + 1) > 0
    equity = np.maximum(marks.equity[is_judged][is_last], 1e-9)
    start = float(inputs.profile.start_balance)
    days = day[is_last]
    net = nets_of(run)
    exits = inputs.opens[run.trades.exit_index]
    # A position may be left after the span: its result belongs to the last day.
    at = np.clip(np.searchsorted(days, exits // DAY_US), 0, len(days) - 1)
    counted = [
        np.bincount(at, weights, minlength=len(days))
        for weights in (
            np.ones(len(net)), net > 0, np.maximum(net, 0), np.maximum(-net, 0),
        )
    ]  # fmt: skip
    return Days(np.diff(equity, prepend=start) / np.r_[start, equity[:-1]], *counted)


def figures(days: Days, drawn: np.ndarray) -> np.ndarray:
    """Return the figures of drawn days, shape (n_draws, len(FIGURES)), NaN undefined.

    `drawn`: positions of days, shape (n_draws, n_days).
    """
    trades, wins, won, lost = (
        column[drawn].sum(axis=1)
        for column in (days.trades, days.wins, days.won, days.lost)
    )
    returns = days.returns[drawn]
    falls = drawdowns(np.cumprod(1 + returns, axis=1), start=1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        win_rate = wins / trades
    factor, sharpe = profit_factor(won, lost), annual_sharpe(returns)
    return np.column_stack((trades, win_rate, factor, sharpe, falls.max(axis=1)))


def _compared(
    without: Days, drawn_without: np.ndarray, with_regime: Days, drawn: np.ndarray
) -> Iterator[dict[str, Any]]:
    whole = np.arange(drawn.shape[1])[None, :]
    before, after = figures(without, whole)[0], figures(with_regime, whole)[0]
    differences = figures(with_regime, drawn) - drawn_without
    for k, figure in enumerate(FIGURES):
        values = (before[k], after[k], after[k] - before[k])
        names = ("without_regime", "with_regime", "difference")
        drawn_differences = {"draws": differences[:, k], "n_days": drawn.shape[1]}
        yield (
            {"figure": figure}
            | dict(zip(names, map(known, values), strict=True))
            | drawn_differences
        )


def with_intervals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return compared figures with intervals that hold all of them at once.

    `draws` and `n_days` of a row become `low`, `high` and `comparisons`: how many
    figures vary, for which the intervals are corrected.
    """
    if not rows:
        return []
    points = [np.nan if r["difference"] is None else r["difference"] for r in rows]
    draws = np.stack([row.pop("draws") for row in rows])
    n_days = np.array([row.pop("n_days") for row in rows])
    low, high, n = simultaneous(np.array(points), draws, n_days)
    ends = [[known(end) for end in pair] for pair in zip(low, high, strict=True)]
    return [
        row | {"low": ends_of[0], "high": ends_of[1], "comparisons": n}
        for row, ends_of in zip(rows, ends, strict=True)
    ]


class Asked(NamedTuple):
    """Demands of a profile on regimes, whether or not it uses them.

    `reference_symbols`: whose volatility is read, by the symbol that is traded.
    """

    classifier: str
    fit_window: str
    reference_symbols: dict[str, str]


def _asked(profiles: duckdb.DuckDBPyRelation) -> dict[str, Asked]:
    rows = profiles.aggregate(
        "profile, any_value(classifier), any_value(fit_window), "
        "map(list(symbol), list(reference_symbol))"
    ).fetchall()
    return {name: Asked(*rest) for name, *rest in rows}


def _shifts(regimes, asked: Asked, classifier: str, inputs: Inputs):
    """Return the threshold shift of each bar; None when the classifier has no run."""
    shifts, has_run = np.zeros(len(inputs.bars)), False
    for part in inputs.symbols:
        wanted = {
            "classifier": classifier,
            "reference_symbol": asked.reference_symbols[part.symbol],
            "symbol": part.symbol,
            # Bands are not fitted and have one window.
            "fit_window": EXPANDING if classifier == VIX_BANDS else asked.fit_window,
        }
        rows = matching(regimes, **wanted)
        table = rows.select("bar_ts, threshold_shift").order("bar_ts").to_arrow_table()
        has_run = has_run or table.num_rows > 0
        opens = inputs.opens[part.start : part.stop]
        at = np.searchsorted(opens, table["bar_ts"].cast(pa.int64()).to_numpy())
        shifts[part.start + at] = table["threshold_shift"].to_numpy()
    return shifts if has_run else None


def _replayed(inputs: Inputs, threshold: np.ndarray) -> Days:
    bars = inputs.bars.copy()
    bars.threshold = threshold
    return by_day(replay(inputs._replace(bars=bars), FULL))


def _rows_of_profile(inputs: Inputs, asked: Asked, regimes) -> list[dict[str, Any]]:
    """Return the compared figures of an account, remembered by all that they are of."""
    shifts = {
        classifier: _shifts(regimes, asked, classifier, inputs)
        for classifier in (HMM, KMEANS, VIX_BANDS)
    }

    def make() -> Kept:
        rows = list(_rows_of_shifts(inputs, asked.classifier, shifts))
        draws = [row.pop("draws") for row in rows]
        return {"rows": packed(rows), "draws": np.array(draws)}

    kept = recall("replays of regimes", (inputs, asked.classifier, shifts), make)
    return [
        row | {"draws": draws}
        for row, draws in zip(unpacked(kept["rows"]), kept["draws"], strict=True)
    ]


def _rows_of_shifts(
    inputs: Inputs, classifier_used: str, shifts: dict[str, np.ndarray | None]
) -> Iterator[dict[str, Any]]:
    own = shifts.get(classifier_used)
    # Without any shift: the threshold in force, which a learned profile changes.
    plain = inputs.bars.threshold - (0.0 if own is None else own)
    for span, (start, end) in SPANS.items():
        limited = _limited(inputs, start, end)
        if not limited.is_in_study.any():
            continue
        without = _replayed(limited, plain)
        drawn = drawn_days(len(without.returns))
        drawn_without = figures(without, drawn)
        for classifier, shift in shifts.items():
            if shift is None:
                continue
            shifted = _replayed(limited, plain + shift)
            compared = _compared(without, drawn_without, shifted, drawn)
            about = {"profile": inputs.profile.profile, "symbol": inputs.profile.symbol}
            about |= {"classifier": classifier, "span": span}
            yield from (about | row for row in compared)


@empty_without("ml", schemas.REGIME_REPLAYS)
def regime_replays(
    profiles, bars, candidates, windows, regimes, exits, seen
) -> pa.Table:
    """Compare every profile without regimes and with each classifier.

    Parameters are relations of the built database. Spans that the market does not cover
    and classifiers without a run have no rows.
    """
    asked = _asked(profiles)
    rows: list[dict[str, Any]] = []
    for inputs in accounts(
        profiles, bars, candidates, windows, LearnedTables(exits, seen)
    ):
        rows += _rows_of_profile(inputs, asked[inputs.profile.profile], regimes)
    return pa.Table.from_pylist(with_intervals(rows), schema=schemas.REGIME_REPLAYS)
