"""Rows of the worth of scores, as the model `evaluation_scores` keeps them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.arrow import numbers
from barsieve.core.extras import empty_without
from barsieve.metrics.performance import known
from barsieve.metrics.worth.hours import Hours, read_hours
from barsieve.metrics.worth.judged import ALL, LAGS, Bench, Judged, Judgement
from barsieve.metrics.worth.significance import Estimates, adjusted
from barsieve.metrics.worth.subjects import (
    Subject,
    Tables,
    read_columns,
    read_subjects,
)
from barsieve.metrics.worth.sums import Figures

INTERVALS = {"information_coefficient": "ic", "spread_bps": "spread", "hit_rate": "hit"}
LEAST_EVENTS = 30
"""Hours in the fifths, or events, that a test is made of."""

Columns = dict[str, Any]


def _with_ends(
    figures: Figures, estimates: Mapping[str, Estimates], is_event: bool
) -> Columns:
    """Return figures and their intervals as columns; an event has no correlation."""
    columns: Columns = figures._asdict()
    for name, short in INTERVALS.items():
        low, high = estimates[name].interval()
        columns |= {f"{short}_low": low, f"{short}_high": high}
    if is_event:
        nothing = np.full(len(figures.spread_bps), np.nan)
        names = ("information_coefficient", "ic_low", "ic_high")
        columns |= dict.fromkeys(names, nothing)
    return columns


def _cost(judged: Judged, is_event: bool, leg_bps: float) -> Columns:
    """Return what the spread has to beat, and the cost of a leg that it could bear.

    A spread of two fifths is earned with two positions, one of an event with one.
    """
    traded = judged.turnover * (1 if is_event else 2)
    spread = np.abs(judged.figures.spread_bps)
    with np.errstate(divide="ignore", invalid="ignore"):
        can_bear = np.where(traded > 0, spread / traded, np.nan)
    return {
        "turnover": judged.turnover,
        "cost_bps": traded * leg_bps,
        "break_even_bps": can_bear,
    }


def _tested(judged: Judged, is_event: bool) -> Columns:
    """Return the p-value of what is tested: correlation of a score, spread of events.

    `error` and `freedom` tell what could be seen, when all p-values are counted.
    """
    name = "spread_bps" if is_event else "information_coefficient"
    estimate = judged.estimates[name]
    p = np.where(judged.active >= LEAST_EVENTS, estimate.p_value(), np.nan)
    known = np.isfinite(p)
    return {
        "p_value": p,
        "error": np.where(known, estimate.error, np.nan),
        "freedom": np.where(known, estimate.freedom, np.nan),
    }


def _records(columns: Columns) -> Iterator[dict[str, Any]]:
    """Yield columns of numbers as rows, None where a figure has no value."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, map(known, values), strict=True))


def _months(judgement: Judgement, horizon: int, whole: float | None) -> dict[str, Any]:
    """Return the stability of a correlation: its months, and how many have its sign."""
    found = list(judgement.months(horizon)) if whole is not None else []
    values = np.array([value for *_, value in found if np.isfinite(value)])
    n = len(values)
    return {
        "months": n,
        "month_ic_mean": float(values.mean()) if n else None,
        "month_ic_sd": float(values.std(ddof=1)) if n > 1 else None,
        "months_same_sign": float((values * whole > 0).mean()) if n else None,
        "by_month": [
            {"month": month, "hours": hours, "information_coefficient": known(value)}
            for month, hours, value in found
        ],
    }


def _decay(judgement: Judgement) -> list[dict[str, Any]]:
    columns = _with_ends(*judgement.decay(), judgement.subject.is_event)
    kept = [field.name for field in schemas.SCORE_LAG[1:]]
    rows = _records({name: columns[name] for name in kept})
    return [{"lag_hours": lag} | row for lag, row in zip(LAGS, rows, strict=True)]


def _rows_of_subject(judgement: Judgement, leg_bps: float) -> Iterator[dict[str, Any]]:
    judged, subject = judgement.judged(), judgement.subject
    is_event = subject.is_event
    columns = (
        _with_ends(judged.figures, judged.estimates, is_event)
        | _cost(judged, is_event, leg_bps)
        | _tested(judged, is_event)
        | {"coverage": judged.coverage}
        | {"hours": judged.n, "days": judged.days, "active_hours": judged.active}
    )
    tested = "spread_bps" if is_event else "information_coefficient"
    decay = _decay(judgement)
    for group, row in zip(judged.groups, _records(columns), strict=True):
        about = {"horizon_hours": group.hours, "regime": group.regime, "tested": tested}
        row |= about | {"decay": decay}
        if group.regime == ALL:
            ic = row["information_coefficient"]
            row |= _months(judgement, group.hours, ic)
        yield row
        # A subject has one decay.
        decay = []


def rows_of(
    hours: Hours, subjects: Iterable[Subject], leg_bps: float
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a symbol's subjects, each over every horizon and regime.

    `leg_bps`: what a leg costs, basis points. p-values are not corrected yet.
    """
    if not len(hours.open_us):
        return
    bench = Bench(hours)
    for subject in subjects:
        about = {"kind": subject.kind, "name": subject.name, "symbol": hours.symbol}
        for row in _rows_of_subject(Judgement(bench, subject), leg_bps):
            yield about | row


def corrected(
    rows: list[dict[str, Any]], earlier: Sequence[float] = ()
) -> list[dict[str, Any]]:
    """Return rows with p-values corrected for all of them, and what could be seen.

    `earlier` are p-values that were looked at before.
    """
    p, error, freedom = (
        np.array([np.nan if row[name] is None else row[name] for row in rows], float)
        for name in ("p_value", "error", "freedom")
    )
    looked_at = np.concatenate([p, np.asarray(earlier, float)])
    n = int(np.isfinite(looked_at).sum())
    seen = Estimates(np.zeros(len(rows)), error, freedom).detectable(n)
    found = {"p_adjusted": adjusted(looked_at)[: len(rows)], "detectable": seen}
    about = {"comparisons": n}
    return [
        row | new | about for row, new in zip(rows, _records(found), strict=True)
    ]  # fmt: skip


def leg_cost(profiles: DuckDBPyRelation) -> float:
    """Return the cheapest leg among the profiles, basis points; 0 without any."""
    found = profiles.aggregate("min(fees_bps + slippage_bps)").fetchall()[0][0]
    return float(found or 0.0)


def _table(
    bars: DuckDBPyRelation,
    profiles: DuckDBPyRelation,
    subjects_of: Callable[[Hours], Iterable[Subject]],
    earlier: Sequence[float] = (),
) -> pa.Table:
    leg_bps = leg_cost(profiles)
    rows: list[dict[str, Any]] = []
    for (symbol,) in bars.select("symbol").distinct().order("symbol").fetchall():
        hours = read_hours(bars, symbol)
        rows += rows_of(hours, subjects_of(hours), leg_bps)
    return pa.Table.from_pylist(corrected(rows, earlier), schema=schemas.SCORE_WORTHS)


@empty_without("ml", schemas.SCORE_WORTHS)
def worth_of_scores(**relations: DuckDBPyRelation) -> pa.Table:
    """Judge domains, sentinels, macro signals and named columns of every symbol.

    Parameters are the relations of `Tables`. Returns the rows of `evaluation_scores`.
    """
    tables = Tables(**relations)
    return _table(tables.bars, tables.profiles, partial(read_subjects, tables=tables))


def worth_of_columns(
    bars: DuckDBPyRelation, profiles: DuckDBPyRelation, earlier: pa.Table
) -> pa.Table:
    """Judge the columns of bars alone, after the rows that were judged before."""
    looked_at = numbers(earlier["p_value"])
    return _table(bars, profiles, partial(read_columns, bars=bars), looked_at.tolist())
