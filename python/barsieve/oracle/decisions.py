"""The verdict of the oracle on decisions: the rows of `parity_decisions`.

Each layer is worked out from the tables of the layer before, which have an oracle of
their own: signals from features, entries from scores, candidates from entries.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.arrow import rows_of
from barsieve.oracle.candidates import admissible, legacy
from barsieve.oracle.compare import ORACLE_TOLERANCE, read_vintages, worst_of
from barsieve.oracle.entries import (
    decide_block,
    entry_row,
    has_one_of,
    is_traded,
    weight_columns,
)
from barsieve.oracle.history import HOUR, NO_VINTAGES, Vintages
from barsieve.oracle.sampled_rows import SampledRows
from barsieve.oracle.sentinels import sentinel_row
from barsieve.oracle.signals import Row, signal_row, veto_row, was_last_above

# Blocks of 4 hours: some evenly spread, and some in which something happens.
SPREAD_BLOCKS = 24
MOMENTS = [0.0, 0.5, 1.0]
# Of more symbols than these fewer of each are looked at; the oracle is slow on purpose.
MANY_SYMBOLS, LEAST_BLOCKS = 20, 4
BLOCK = 4 * HOUR
BLOCK_OF_BAR = f"epoch(bar_ts)::bigint // {BLOCK}"
AMOUNTS = ("veto_long", "veto_short", "greenlight")

# (relation, subject, column): what SQL says and what the oracle says, per bar.
Pairs = dict[tuple[str, str, str], list[tuple[Any, Any]]]


class Sample(NamedTuple):
    """Whole blocks of one symbol's bars, and what the tables say of them.

    `features`: by bar index, with two bars before each block. `bars`: the indexes of
    the blocks' own bars. The others are by `bar_ts`: lists of rows.
    """

    symbol: str
    features: dict[int, Row]
    bars: list[int]
    tables: dict[str, dict[Any, list[Row]]]

    def at(self, relation: str, moment: Any, **wanted: Any) -> list[Row]:
        """Return the rows of a relation at a bar that have some values."""
        found = self.tables[relation].get(moment, [])
        return [r for r in found if all(r[k] == v for k, v in wanted.items())]

    def blocks(self) -> Iterator[list[Row]]:
        """Yield the features of the bars of each block, in order."""
        found: dict[float, list[Row]] = {}
        for index in self.bars:
            row = self.features[index]
            found.setdefault(row["bar_ts"].timestamp() // BLOCK, []).append(row)
        yield from found.values()


def _spread(features: duckdb.DuckDBPyRelation, n_blocks: int) -> dict[str, set[int]]:
    """Return, by symbol, so many blocks evenly spread over its history."""
    span = "symbol, min(epoch(bar_ts)) as first, max(epoch(bar_ts)) as last"
    return {
        symbol: {int(b) for b in np.linspace(first // BLOCK, last // BLOCK, n_blocks)}
        for symbol, first, last in features.aggregate(span).order("symbol").fetchall()
    }


def _eventful(
    relation: duckdb.DuckDBPyRelation, subject: str, moments: list[float]
) -> Iterator[tuple[str, list[int]]]:
    """Yield, by symbol and subject, blocks of some moments at which it has a row."""
    spread = f"quantile_disc({BLOCK_OF_BAR}, {moments})"
    found = relation.aggregate(f"symbol, {subject}, {spread} as blocks").fetchall()
    for symbol, _, blocks in found:
        yield symbol, blocks


def _chosen_blocks(relations: dict[str, Any]) -> dict[str, set[int]]:
    """Return, by symbol, the blocks at which its decisions are worked out again."""
    chosen = _spread(relations["features"], SPREAD_BLOCKS)
    moments = MOMENTS
    if len(chosen) > MANY_SYMBOLS:
        n_blocks = max(LEAST_BLOCKS, SPREAD_BLOCKS * MANY_SYMBOLS // len(chosen))
        chosen, moments = _spread(relations["features"], n_blocks), [0.5]
    eventful = [
        (relations["macro_signals"], "signal"),
        (relations["sentinels"], "sentinel"),
        (relations["candidates"], "profile || side"),
        (relations["fusion_scores"].filter("is_entry"), "profile || side"),
    ]
    for relation, subject in eventful:
        for symbol, blocks in _eventful(relation, subject, moments):
            chosen[symbol] |= set(blocks)
    return chosen


def take_samples(relations: dict[str, Any]) -> Iterator[Sample]:
    """Yield, of each symbol, the blocks at which its decisions are worked out again."""
    chosen = _chosen_blocks(relations)
    tables = {
        name: SampledRows(relations[name], BLOCK_OF_BAR, chosen)
        for name in (
            "scores", "macro_signals", "macro_vetoes", "sentinels", "regimes",
            "fusion_scores", "candidates",
        )
    }  # fmt: skip
    features = SampledRows(relations["features"], BLOCK_OF_BAR, chosen)
    own_bars = {
        symbol: sorted(row["bar_index"] for row in features.of(symbol))
        for symbol in chosen
    }
    before = {
        symbol: {i - k for i in bars for k in (1, 2)}.difference(bars)
        for symbol, bars in own_bars.items()
    }
    features_before = SampledRows(relations["features"], "bar_index", before)
    for symbol, bars in own_bars.items():
        rows = features.of(symbol) + features_before.of(symbol)
        by_moment: dict[str, dict[Any, list[Row]]] = {name: {} for name in tables}
        for name, found in by_moment.items():
            for row in tables[name].of(symbol):
                found.setdefault(row["bar_ts"], []).append(row)
        by_index = {row["bar_index"]: row for row in rows}
        yield Sample(symbol, by_index, bars, by_moment)


def _add(pairs: Pairs, relation: str, subject: str, fast: Row, slow: Row) -> None:
    for column, value in slow.items():
        pairs.setdefault((relation, subject, column), []).append((fast[column], value))


def _add_macro(pairs: Pairs, sample: Sample, vix: Vintages, limits: Row) -> None:
    band = (limits["vix_risk_off__vix_on_above"], limits["vix_risk_off__vix_off_below"])
    for index in sample.bars:
        row = sample.features[index]
        at = row["known_at"].timestamp()
        signals = signal_row(row, was_last_above(vix, at, *band), limits)
        for name, amounts in signals.items():
            found = sample.at("macro_signals", row["bar_ts"], signal=name)
            fast = found[0] if found else dict.fromkeys(AMOUNTS, 0.0)
            slow = dict(zip(AMOUNTS, map(float, amounts), strict=True))
            _add(pairs, "macro_signals", name, fast, slow)
        for vetoes in sample.at("macro_vetoes", row["bar_ts"]):
            chosen = [n for n in vetoes["macro_signals"].split(",") if n]
            if set(chosen) <= set(signals):
                slow = veto_row(row, {name: signals[name] for name in chosen})
                _add(pairs, "macro_vetoes", "", vetoes, slow)


def _add_sentinels(pairs: Pairs, sample: Sample) -> None:
    for index in sample.bars:
        row, before, two_before = (sample.features.get(index - k, {}) for k in range(3))
        for name, side in sentinel_row(row, before, two_before).items():
            found = sample.at("sentinels", row["bar_ts"], sentinel=name)
            fast = found[0]["side"] if found else None
            _add(pairs, "sentinels", name, {"side": fast}, {"side": side})


def _scores_at(sample: Sample, moment: Any) -> dict[str, float | None]:
    return {row["domain"]: row["score"] for row in sample.at("scores", moment)}


def _entries(
    sample: Sample, block: list[Row], profile: Row, learned: dict[Any, Any]
) -> list[Row]:
    keys = ("classifier", "fit_window", "reference_symbol")
    entries = []
    for row in block:
        moment = row["bar_ts"]
        beliefs = sample.at("regimes", moment, **{key: profile[key] for key in keys})
        (vetoes,) = sample.at(
            "macro_vetoes", moment, macro_signals=profile["macro_signals"]
        )
        belief = beliefs[0] if beliefs else None
        scores = _scores_at(sample, moment)
        fired = [r["sentinel"] for r in sample.at("sentinels", moment)]
        entries.append(entry_row(row, scores, vetoes, profile, belief, learned, fired))
    decide_block(entries, profile)
    return entries


def _add_entries(
    pairs: Pairs, sample: Sample, profile: Row, learned: dict[Any, Any]
) -> None:
    name = profile["profile"]
    for block in sample.blocks():
        for row, entry in zip(
            block, _entries(sample, block, profile, learned), strict=True
        ):
            moment = row["bar_ts"]
            (fast,) = sample.at("fusion_scores", moment, profile=name)
            fast |= weight_columns(fast["weights"])
            _add(pairs, "fusion_scores", name, fast, entry)
            fired = [r["sentinel"] for r in sample.at("sentinels", moment)]
            if profile["screen"] == "admissible":
                shifts = [r["threshold_shift"] for r in sample.at("regimes", moment)]
                shift = min([s for s in shifts if s is not None] + [0.0])
                scores = _scores_at(sample, moment)
                sides = admissible(row, scores, entry, profile, shift)
            else:
                is_looked_at = has_one_of(profile["screen_sentinels"], fired)
                sides = legacy(row) if is_looked_at else {}
                sides = {s: v for s, v in sides.items() if is_traded(s, profile)}
            reason = ",".join(sorted(fired)) or None
            for side in ("long", "short"):
                found = sample.at("candidates", moment, profile=name, side=side)
                slow: Row = {"side": None, "score": None, "reason": None}
                if side in sides:
                    slow = {"side": side, "score": sides[side], "reason": reason}
                fast = found[0] if found else dict.fromkeys(slow)
                _add(pairs, "candidates", name, fast, slow)


def _proposals(
    learned: duckdb.DuckDBPyRelation,
) -> dict[tuple[str, ...], dict[str, Row]]:
    found: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows_of(learned):
        key = (row["profile"], row["symbol"], row["month"], row["regime"])
        found.setdefault(key, {})[row["domain"]] = row
    return found


def compare_decisions(**relations: duckdb.DuckDBPyRelation) -> pa.Table:
    """Work out signals, sentinels, entries and candidates of sampled bars again.

    `relations` are those of the built database by name: `features`, `scores`,
    `bars_macro`, `config_macro_signals`, `macro_signals`, `macro_vetoes`, `sentinels`,
    `config_symbols`, `regimes`, `fusion_learned`, `fusion_scores`, `candidates`.
    Returns a row per symbol, table, subject (signal, sentinel or profile) and column.
    """
    vix = read_vintages(relations["bars_macro"].filter("series = 'VIX'")).get(
        "VIX", NO_VINTAGES
    )
    (limits,) = rows_of(relations["config_macro_signals"])
    profiles = rows_of(relations["config_symbols"].order("profile"))
    learned = _proposals(relations["fusion_learned"])
    verdicts = []
    for sample in take_samples(relations):
        pairs: Pairs = {}
        _add_macro(pairs, sample, vix, limits)
        _add_sentinels(pairs, sample)
        for profile in profiles:
            if profile["symbol"] == sample.symbol:
                _add_entries(pairs, sample, profile, learned)
        for (relation, subject, column), found in pairs.items():
            verdicts.append(
                {
                    "symbol": sample.symbol,
                    "relation": relation,
                    "subject": subject,
                    "column": column,
                    "rows_compared": len(found),
                    "tolerance": ORACLE_TOLERANCE,
                    **worst_of(found),
                }
            )
    return pa.Table.from_pylist(verdicts, schema=schemas.PARITY_DECISIONS)
