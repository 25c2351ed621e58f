"""Bars of a symbol as every settings sees them, read once."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core.arrow import matching, numbers
from barsieve.replay.state import BAR, BAR_FIELDS, FLAT
from barsieve.signals.score import (
    ALIGNED,
    UNALIGNED,
    VOTES_LONG_ABOVE,
    VOTES_SHORT_BELOW,
)

SCORE = "score_"
"""Prefix of the column of a domain in `sweep_bars`."""

# What settings write into a bar; the rest of `BAR` comes from `sweep_bars`.
OF_SETTINGS = (
    "confidence", "threshold", "kelly_share", "side", "is_eligible", "has_sentinel",
)  # fmt: skip


def row_dtype(n_domains: int) -> np.dtype:
    """Return what an array of a `Row` is made of: 64 bytes each of five domains."""
    return np.dtype(
        [
            ("index", np.int32),
            ("knows", np.int16 if n_domains < 16 else np.int64),
            ("margin", np.int16),
            ("factor", np.float64),
            ("shift", np.float64),
            ("scores", np.float64, (n_domains,)),
        ],
        align=True,
    )


class Market(NamedTuple):
    """One symbol's history, shape (n_bars,) each; NaN where a number is unknown.

    `bars` hold no signal. `domains`: all that the build has, in their order; `scores`,
    shape (n_domains, n_bars), 0 for one that the profile does not name. `margin`: votes
    long minus votes short of those named. `shift`: what the base profile's regime adds
    to a threshold. `is_in_study`: where trading is allowed.
    """

    symbol: str
    domains: tuple[str, ...]
    bars: np.recarray
    bar_ts: pa.ChunkedArray
    known_at: pa.ChunkedArray
    scores: np.ndarray
    margin: np.ndarray
    is_known: np.ndarray
    is_aligned: np.ndarray
    atr_rank: np.ndarray
    block: np.ndarray
    shift: np.ndarray
    is_in_study: np.ndarray

    def blocks(self, cadence: str) -> np.ndarray:
        """Return the number of each bar's block: 4 hours of it, or the bar itself."""
        return self.block if cadence == "4h" else np.arange(len(self.bars))


def rows_at(market: Market, left: np.ndarray) -> np.recarray:
    """Return some bars, by their positions, as an array of `Row`."""
    rows = np.zeros(len(left), row_dtype(len(market.domains))).view(np.recarray)
    rows["index"] = left
    rows["factor"] = np.where(market.is_aligned[left], ALIGNED, UNALIGNED)
    rows["margin"], rows["shift"] = market.margin[left], market.shift[left]
    for bit in range(len(market.domains)):
        score = market.scores[bit, left]
        rows["scores"][:, bit] = np.nan_to_num(score)
        is_known = np.isfinite(score) & market.is_known[left]
        rows["knows"] |= is_known << rows["knows"].dtype.type(bit)
    return rows


def _has_sentinel(table: pa.Table, required: str | None) -> np.ndarray:
    """Tell at which bars one of the sentinels fired that a profile requires, if any."""
    if required is None:
        return np.ones(table.num_rows, bool)
    wanted = set(required.split(","))
    fired = table["sentinels"].to_pylist()
    return np.array([not wanted.isdisjoint((n or "").split(",")) for n in fired], bool)


def _silent_bars(table: pa.Table, required: str | None) -> np.recarray:
    bars = np.empty(table.num_rows, BAR)
    bars["index"] = np.arange(table.num_rows)
    for name in set(BAR_FIELDS[1:]) - set(OF_SETTINGS):
        bars[name] = numbers(table[name])
    for name in ("confidence", "threshold", "kelly_share"):
        bars[name] = np.nan
    bars["side"], bars["is_eligible"] = FLAT, False
    bars["has_sentinel"] = _has_sentinel(table, required)
    return bars.view(np.recarray)


def microseconds(column: pa.ChunkedArray) -> np.ndarray:
    """Return moments as numbers, shape (n,)."""
    return numbers(column.combine_chunks().view(pa.int64()))


def _shifts(
    table: pa.Table, regimes: DuckDBPyRelation, base: dict[str, Any], symbol: str
) -> np.ndarray:
    """Return the regime shift of each bar as `fusion_scores` has it, 0 where none."""
    shift = np.zeros(table.num_rows)
    if base["classifier"] == "off":
        return shift
    wanted = {
        name: base[name] for name in ("classifier", "fit_window", "reference_symbol")
    }
    of_symbol = matching(regimes, **wanted, symbol=symbol)
    known = of_symbol.select("bar_ts", "threshold_shift").to_arrow_table()
    at = np.searchsorted(microseconds(table["bar_ts"]), microseconds(known["bar_ts"]))
    shift[at] = np.nan_to_num(numbers(known["threshold_shift"]))
    return shift


def _numbered(starts: np.ndarray) -> np.ndarray:
    """Number blocks from 0 by their starts, ascending, shape (n_bars,)."""
    return np.cumsum(np.diff(starts, prepend=starts[:1]) != 0)


def is_within(
    known_at: np.ndarray, start: datetime | None, end: datetime | None
) -> np.ndarray:
    """Tell which closes, in µs, lie after a start and up to an end; None is open."""
    is_inside = np.ones(len(known_at), bool)
    if start is not None:
        is_inside &= known_at > start.timestamp() * 1e6
    if end is not None:
        is_inside &= known_at <= end.timestamp() * 1e6
    return is_inside


def read_bars(
    sweep_bars: DuckDBPyRelation, symbol: str, macro_signals: str
) -> pa.Table:
    """Return the bars of a symbol in the relation `sweep_bars`, in their order.

    Under the vetoes of a choice of macro signals, as `config_symbols` has it.
    """
    own = matching(sweep_bars, symbol=symbol, macro_signals=macro_signals)
    return own.order("bar_index").to_arrow_table()


def domains_of(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the domains of a build, in their order, by the columns of `sweep_bars`."""
    return tuple(name.removeprefix(SCORE) for name in columns if name.startswith(SCORE))


def _scores(
    table: pa.Table, domains: Sequence[str], named: Container[str]
) -> np.ndarray:
    return np.array(
        [
            numbers(table[SCORE + domain])
            if domain in named
            else np.zeros(table.num_rows)
            for domain in domains
        ]
    )


def _margin(
    scores: np.ndarray, domains: Sequence[str], named: Container[str]
) -> np.ndarray:
    """Return votes long less votes short of the domains named, shape (n_bars,)."""
    voting = scores[[domain in named for domain in domains]]
    votes_long: np.ndarray = (voting > VOTES_LONG_ABOVE).sum(axis=0)
    votes_short: np.ndarray = (voting < VOTES_SHORT_BELOW).sum(axis=0)
    margin: np.ndarray = votes_long - votes_short
    return margin


def market_of(
    table: pa.Table, regimes: DuckDBPyRelation, base: dict[str, Any], symbol: str
) -> Market:
    """Return the market of a symbol's bars, as `read_bars` has them, for a profile.

    `base` is a row of `config_symbols`: the domains of its `weights` vote, its
    classifier, looked up in the relation `regimes`, shifts the thresholds, its study
    and the sentinels that it requires limit trading.
    """
    domains, named = domains_of(table.column_names), base["weights"]
    scores = _scores(table, domains, named)
    return Market(
        symbol,
        domains,
        _silent_bars(table, base["required_sentinels"]),
        table["bar_ts"],
        table["known_at"],
        scores,
        _margin(scores, domains, named),
        ~np.isnan(numbers(table["alignment"])),
        numbers(table["is_aligned"]),
        numbers(table["atr_rank_100"]),
        _numbered(microseconds(table["block_start_at"])),
        _shifts(table, regimes, base, symbol),
        is_within(
            microseconds(table["known_at"]), base["study_start"], base["study_end"]
        ),
    )


def read_market(
    sweep_bars: DuckDBPyRelation,
    regimes: DuckDBPyRelation,
    base: dict[str, Any],
    symbol: str,
) -> Market:
    """Read a symbol from the relations `sweep_bars` and `regimes`; see `market_of`."""
    bars = read_bars(sweep_bars, symbol, base["macro_signals"])
    return market_of(bars, regimes, base, symbol)
