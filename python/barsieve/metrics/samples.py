"""Samples of a profile: the history that it was picked on, and what came after.

A profile says itself, in `origin`, until when it saw history and out of how many
settings it was picked. What it made until then is the best of so many; what it made
after is what it is worth.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.paths import about_market, market_dir
from barsieve.core.times import epoch_us, read_moment
from barsieve.metrics.account import of_trades
from barsieve.metrics.performance import DAY_US, of_equity
from barsieve.metrics.performance_runs import (
    Built,
    Judged,
    wholes_and_parts,
)

IN_SAMPLE, OUT_OF_SAMPLE = "in_sample", "out_of_sample"
FIGURES = (
    "trades", "win_rate", "profit_factor", "mean_r", "gross_pnl", "net_pnl", "sharpe",
    "max_drawdown",
)  # fmt: skip


class Picked(NamedTuple):
    """Until when a profile saw history, on which market, and of how many settings.

    `market` is None where the profile does not name it.
    """

    until: datetime
    market: str | None
    tried: int

    def saw(self, market: str) -> bool:
        """Tell whether it was picked on a market of this name."""
        return self.market in (None, market)


def picked(document: str) -> Picked | None:
    """Return how a profile was picked; None where it does not say until when.

    `document`: its JSON.
    """
    origin = json.loads(document).get("origin") or {}
    if "until" not in origin:
        return None
    return Picked(read_moment(origin["until"]), origin.get("market"), origin["tried"])


def _sample(
    trades: list[dict[str, Any]], equity: np.ndarray, days: np.ndarray, before: float
) -> dict[str, Any]:
    """Return the figures of one part of a replay; `before`: equity at its begin."""
    # What it began with is that of the day before.
    curve, at = np.r_[before, equity], np.r_[days[:1] - 1, days]
    found = of_trades(trades) | of_equity(curve, at)
    return {
        **{name: found[name] for name in FIGURES},
        "days": len(np.unique(days)),
        "return_share": float(equity[-1]) / before - 1.0,
    }


def samples_of(until: datetime | None, judged: Judged) -> Iterator[dict[str, Any]]:
    """Yield the rows of both samples of one profile; one without a bar has none.

    A trade belongs to the sample in which it was decided upon, money to the hour.
    Without `until` all is out of sample.
    """
    until = until or datetime.min.replace(tzinfo=UTC)
    marks, before = judged.marks, judged.start
    is_before = marks.bar_ts < epoch_us(until)
    equity, days = marks.equity, marks.bar_ts // DAY_US
    for sample, own in ((IN_SAMPLE, is_before), (OUT_OF_SAMPLE, ~is_before)):
        if not own.any() or not before > 0.0:
            continue
        decided = [
            trade
            for trade in judged.trades
            if (trade["decision_ts"] < until) == (sample == IN_SAMPLE)
        ]
        yield {"sample": sample} | _sample(decided, equity[own], days[own], before)
        before = float(equity[own][-1])


def sample_rows(
    profiles: DuckDBPyRelation,
    equity: DuckDBPyRelation,
    profile_equity: DuckDBPyRelation,
    trades: DuckDBPyRelation,
    runs: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    fusion_scores: DuckDBPyRelation,
) -> pa.Table:
    """Return the samples of every profile that says until when it was picked.

    Parameters are relations of the built database; the rows are those of
    `evaluation_samples`. On a market that it was not picked on, all is out of sample.
    """
    market = about_market(market_dir())["market_name"]
    documents = dict(profiles.select("profile", "document").distinct().fetchall())
    built = Built(equity, profile_equity, trades, runs, bars, fusion_scores)
    rows: list[dict[str, Any]] = []
    told = {name: picked(document) for name, document in documents.items()}
    picks = {name: found for name, found in told.items() if found is not None}
    for judged in wholes_and_parts(profiles, built, picks):
        name = judged.own[0].profile
        found = picks[name]
        until = found.until if found.saw(market) else None
        about: dict[str, Any] = {"profile": name, "symbol": judged.symbol}
        about |= {"until_at": until, "tried": found.tried}
        rows += [about | row for row in samples_of(until, judged)]
    return pa.Table.from_pylist(rows, schema=schemas.SAMPLES)
