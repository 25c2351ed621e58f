"""The verdict of the oracle over a built database: the rows of `parity_features`."""

import math
from operator import itemgetter
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.arrow import matching, rows_of
from barsieve.oracle.features import feature_row
from barsieve.oracle.history import (
    NO_VINTAGES,
    History,
    Observation,
    Settlement,
    Vintages,
)
from barsieve.oracle.sampled_rows import SampledRows
from barsieve.oracle.scores import score_row

# Sums in another order differ in the last bits; differences of prices (MACD) magnify
# that. Relative to the column's own scale, nothing legitimate comes near it.
ORACLE_TOLERANCE = 1e-9

# Bars of a symbol that are worked out again: as many as give a thousand of all symbols,
# within these. The oracle is slow on purpose, and a market may have a hundred symbols.
LEAST_SAMPLED, SAMPLED_BARS, SAMPLED_OF_ALL = 8, 48, 1_000


def read_vintages(macro: duckdb.DuckDBPyRelation) -> dict[str, Vintages]:
    """Return the vintages of every series of `bars_macro`."""
    table = macro.select("series, observed_day, known_at, value").to_arrow_table()
    keys, days, known, values = table.sort_by("known_at").columns
    found: dict[str, list[Observation]] = {}
    for key, day, moment, value in zip(
        keys.to_pylist(),
        days.cast(pa.date32()).cast(pa.int32()).to_pylist(),
        known.cast(pa.int64()).to_pylist(),
        values.to_pylist(),
        strict=True,
    ):
        found.setdefault(key, []).append(Observation(day, moment / 1e6, value))
    return {key: Vintages(published) for key, published in found.items()}


def read_history(
    symbol: str,
    bars: duckdb.DuckDBPyRelation,
    vintages: dict[str, Vintages],
    funding: duckdb.DuckDBPyRelation,
    macro_series: duckdb.DuckDBPyRelation,
) -> History:
    """Return what the oracle may look at, from the relations of the bars layer.

    `vintages` are those of all series, whatever the symbol.
    """
    table = matching(bars, symbol=symbol).order("bar_ts").to_arrow_table()
    seconds = table["bar_ts"].cast(pa.int64()).to_numpy() / 1e6
    observations = dict(vintages)
    declared = rows_of(macro_series)
    for row in declared:
        if row["feature"] == "open_interest" and row["symbol"] == symbol:
            observations["OPEN_INTEREST"] = observations.get(row["series"], NO_VINTAGES)
    settled = rows_of(
        matching(funding, symbol=symbol)
        .select('epoch(settled_at) as "at", funding_rate as rate, stated_hours')
        .order('"at"')
    )
    return History(
        ts=seconds,
        **{
            name: table[name].to_numpy()
            for name in ("open", "high", "low", "close", "volume")
        },
        macro=observations,
        funding=[Settlement(**row) for row in settled],
        limits={r["feature"]: r["stale_after_hours"] for r in declared if r["feature"]},
    )


def sampled_bars(n_bars: int, n_symbols: int = 1) -> list[int]:
    """Return evenly spread bars of a symbol, with the first ones and the last."""
    wanted = int(np.clip(SAMPLED_OF_ALL // n_symbols, LEAST_SAMPLED, SAMPLED_BARS))
    spread = np.linspace(0, n_bars - 1, min(wanted, n_bars)).astype(int)
    return sorted({*spread.tolist(), *range(min(3, n_bars)), n_bars - 1})


def _difference(ours: Any, theirs: Any, scale: float) -> float:
    """Return how far two values lie apart, relative to the scale of their column."""
    if ours is None or theirs is None:
        return 0.0 if ours is theirs else math.inf
    if isinstance(theirs, str):
        return 0.0 if ours == theirs else math.inf
    apart: float = abs(ours - theirs)
    return apart / scale if scale else apart


def worst_of(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Return the verdict on pairs of values (ours, the oracle's) of one column."""
    known = [slow for _, slow in pairs if slow is not None]
    scale = max((abs(v) for v in known if not isinstance(v, str)), default=0.0)
    worst = max(_difference(fast, slow, scale) for fast, slow in pairs)
    if worst > ORACLE_TOLERANCE:
        verdict = "differs"
    else:
        verdict = "identical" if known else "vacuous"
    return {
        "values_compared": len(known),
        "worst_difference": worst,
        "verdict": verdict,
    }


def _verdict(symbol: str, column: str, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "feature": column,
        "rows_compared": len(pairs),
        "tolerance": ORACLE_TOLERANCE,
        **worst_of(pairs),
    }


def compare_features(
    features: duckdb.DuckDBPyRelation,
    scores: duckdb.DuckDBPyRelation,
    bars: duckdb.DuckDBPyRelation,
    macro: duckdb.DuckDBPyRelation,
    funding: duckdb.DuckDBPyRelation,
    macro_series: duckdb.DuckDBPyRelation,
) -> pa.Table:
    """Compare sampled bars of every symbol with the oracle, column by column.

    Parameters are relations of the built database: `features`, `scores`, `bars_1h`,
    `bars_macro`, `bars_funding` and the seed `macro_series`. Returns a row per symbol
    and column, `differs` where any sampled value lies beyond the tolerance.
    """
    verdicts, vintages = [], read_vintages(macro)
    counts = features.aggregate("symbol, count(*)").order("symbol").fetchall()
    sampled = {symbol: sampled_bars(n_bars, len(counts)) for symbol, n_bars in counts}
    numbered = {symbol: [t + 1 for t in own] for symbol, own in sampled.items()}
    of_features = SampledRows(features, "bar_index", numbered)
    fast_rows = {
        symbol: sorted(of_features.of(symbol), key=itemgetter("bar_index"))
        for symbol in sampled
    }
    moments = {
        symbol: [int(row["bar_ts"].timestamp()) for row in own]
        for symbol, own in fast_rows.items()
    }
    of_scores = SampledRows(scores, "epoch(bar_ts)::bigint", moments)
    for symbol, own in sampled.items():
        history = read_history(symbol, bars, vintages, funding, macro_series)
        fast_scores: dict[Any, dict[str, float]] = {}
        for row in of_scores.of(symbol):
            fast_scores.setdefault(row["bar_ts"], {})[row["domain"]] = row["score"]
        pairs: dict[str, list[tuple[Any, Any]]] = {}
        for t, fast in zip(own, fast_rows[symbol], strict=True):
            slow = feature_row(history, t)
            slow_scores = score_row(history, t, slow)
            for column, value in slow.items():
                pairs.setdefault(column, []).append((fast[column], value))
            for domain, value in slow_scores.items():
                found = fast_scores[fast["bar_ts"]][domain]
                pairs.setdefault(f"score_{domain}", []).append((found, value))
        verdicts += [_verdict(symbol, column, pairs[column]) for column in pairs]
    return pa.Table.from_pylist(verdicts, schema=schemas.PARITY_FEATURES)
