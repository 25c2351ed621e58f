"""Candles, candidate windows, and the confidence against the threshold in force.

The page draws the trades of the section `trades` into the chart, and the ribbon of the
section `regimes` below it.
"""

from typing import Any

import numpy as np

from barsieve.report.pack import decimals_for
from barsieve.report.section import Section
from barsieve.report.source import Source

# More than the tooltip shows; the comparison with a threshold is in the trade table.
SCORE_DECIMALS = 5
PRICES = ("open", "high", "low", "close")

BARS = """
    select epoch(bar_ts) as at, open, high, low, close
    from bars_1h where symbol = $symbol order by bar_ts
"""
# A profile's rows stand beside the bars of its symbol, one for one.
SIGNALS = """
    with shifts as (
        select symbol, exit_ts, arg_max(threshold_shift_after, trade_id)
            as threshold_shift_after
        from trades where replayed = 'full' and profile = $profile
        group by symbol, exit_ts
    )
    select
        epoch(bars_1h.bar_ts) as at,
        fusion_scores.confidence,
        -- A sum of decimals, as the replay makes it (macro decimal_sum).
        floor(
            (fusion_scores.threshold + coalesce(shifts.threshold_shift_after, 0))
            * 1e12 + 0.5
        ) / 1e12 as threshold,
        coalesce(is_eligible::integer + is_entry::integer, 0)::double as state,
    from bars_1h left join fusion_scores
        on fusion_scores.symbol = bars_1h.symbol
        and fusion_scores.bar_ts = bars_1h.bar_ts
        and fusion_scores.profile = $profile
    asof left join shifts
        on bars_1h.symbol = shifts.symbol and bars_1h.bar_ts >= shifts.exit_ts
    where bars_1h.symbol = $symbol
    order by bars_1h.bar_ts
"""
WINDOWS = """
    select epoch(start_ts) as start, epoch(end_ts) + 3600 as finish
    from candidate_windows where profile = $profile order by start_ts
"""


def _symbol(source: Source, symbol: str) -> dict[str, Any]:
    bars, pack = source.arrays(BARS, symbol=symbol), source.pack
    decimals = decimals_for(np.concatenate([bars[name] for name in PRICES]))
    prices = {name: pack.rounded(bars[name], decimals) for name in PRICES}
    return {"at": pack.rounded(bars["at"], 0), "decimals": decimals, **prices}


def _profile(source: Source, profile: dict[str, Any]) -> dict[str, Any]:
    pack, name = source.pack, profile["profile"]
    signals = source.arrays(SIGNALS, profile=name, symbol=profile["symbol"])
    windows = source.arrays(WINDOWS, profile=name)
    return {
        "symbol": source.symbols.index(profile["symbol"]),
        "confidence": pack.rounded(signals["confidence"], SCORE_DECIMALS),
        "threshold": pack.rounded(signals["threshold"], SCORE_DECIMALS),
        "state": pack.rounded(signals["state"], 0),
        "windows": {
            "start": pack.rounded(windows["start"], 0),
            "finish": pack.rounded(windows["finish"], 0),
        },
    }


def collect(source: Source) -> dict[str, Any]:
    """Return bars by symbol, and signals and windows by profile, packed."""
    return {
        "symbols": [_symbol(source, symbol) for symbol in source.symbols],
        "profiles": [_profile(source, profile) for profile in source.profiles],
    }


SECTION = Section(
    "price",
    "Price",
    ("bars_1h", "candidate_windows", "fusion_scores", "trades"),
    collect,
)
