"""The bars that all configurations of a sweep share, read once per symbol."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from barsieve.core.arrow import matching
from barsieve.profiles.schema import DOMAINS
from barsieve.replay.state import BAR, BAR_FIELDS, FLAT

# What a configuration writes into its bars; the rest of `BAR` comes from `sweep_bars`.
OF_CONFIGURATION = ("confidence", "threshold", "side", "is_eligible")


class Market(NamedTuple):
    """One symbol's history, shape (n_bars,) each; NaN where a number is unknown.

    `bars` hold no signal. `shift`: what the base profile's regime adds to a threshold.
    `margin`: votes long minus votes short. `is_in_study`: where trading is allowed.
    """

    symbol: str
    bars: np.recarray
    bar_ts: pa.ChunkedArray
    scores: np.ndarray
    margin: np.ndarray
    is_known: np.ndarray
    is_aligned: np.ndarray
    atr_rank: np.ndarray
    block: np.ndarray
    shift: np.ndarray
    is_in_study: np.ndarray


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return column.to_numpy().astype(np.float64)


def _silent_bars(table: pa.Table) -> np.recarray:
    bars = np.empty(table.num_rows, BAR)
    bars["index"] = np.arange(table.num_rows)
    for name in set(BAR_FIELDS[1:]) - set(OF_CONFIGURATION):
        bars[name] = table[name].to_numpy()
    bars["confidence"] = bars["threshold"] = np.nan
    bars["side"], bars["is_eligible"] = FLAT, False
    return bars.view(np.recarray)


def _shifts(table: pa.Table, regimes, base: dict[str, Any], symbol: str) -> np.ndarray:
    """Return the regime shift of each bar as `fusion_scores` has it, 0 where none."""
    shift = np.zeros(table.num_rows)
    if base["classifier"] == "off":
        return shift
    wanted = {name: base[name] for name in ("fit_window", "reference_symbol")}
    wanted |= {"classifier": base["classifier"], "symbol": symbol}
    of_symbol = matching(regimes, **wanted)
    known = of_symbol.select("bar_ts", "threshold_shift").to_arrow_table()
    opens = table["bar_ts"].cast(pa.int64()).to_numpy()
    at = np.searchsorted(opens, known["bar_ts"].cast(pa.int64()).to_numpy())
    shift[at] = np.nan_to_num(known["threshold_shift"].to_numpy())
    return shift


def _is_in_study(table: pa.Table, base: dict[str, Any]) -> np.ndarray:
    known_at = table["known_at"].cast(pa.int64()).to_numpy()
    is_inside = np.ones(len(known_at), bool)
    if base["study_start"] is not None:
        is_inside &= known_at > base["study_start"].timestamp() * 1e6
    if base["study_end"] is not None:
        is_inside &= known_at <= base["study_end"].timestamp() * 1e6
    return is_inside


def read_market(sweep_bars, regimes, base: dict[str, Any], symbol: str) -> Market:
    """Read a symbol from the relations `sweep_bars` and `regimes`.

    `base` is a row of `config_profiles`: its classifier shifts the thresholds and its
    study limits trading.
    """
    table = matching(sweep_bars, symbol=symbol).order("bar_index").to_arrow_table()
    blocks = table["block_start_at"].cast(pa.int64()).to_numpy()
    return Market(
        symbol,
        _silent_bars(table),
        table["bar_ts"],
        np.array([_floats(table[domain]) for domain in DOMAINS]),
        table["votes_long"].to_numpy() - table["votes_short"].to_numpy(),
        ~np.isnan(_floats(table["alignment"])),
        table["is_aligned"].to_numpy().astype(bool),
        _floats(table["atr_rank_100"]),
        np.unique(blocks, return_inverse=True)[1],
        _shifts(table, regimes, base, symbol),
        _is_in_study(table, base),
    )
