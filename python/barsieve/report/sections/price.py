"""Candles, candidate windows, and the confidence against the threshold in force.

The chart is described here without its data: the page thins out the candles to what is
in view (`page/level_of_detail.js`), draws the trades of the section `trades` into it,
and the ribbon of the section `regimes` below it (`page/price_series.js`).
"""

from typing import Any

import numpy as np

from barsieve.report.charts import axis, chart, colour, times, zooms
from barsieve.report.pack import decimals_for
from barsieve.report.section import Section, absent
from barsieve.report.source import Source, figures_key, is_whole
from barsieve.report.text import number

# More than the tooltip shows; the comparison with a threshold is in the trade table.
SCORE_DECIMALS = 5
PRICES = ("open", "high", "low", "close")
HOUR_SECONDS = 3600
LEAST_SPAN_SECONDS = 12 * HOUR_SECONDS
ONE_BY_ONE = (
    "A price is that of one symbol: choose one above, in the table of the portfolio, "
    "or a trade in the list below."
)

BARS = """
    select epoch(bar_ts) as at, open, high, low, close
    from bars_1h where symbol = $symbol order by bar_ts
"""
# A profile's rows stand beside the bars of its symbol, one for one. A streak of losses
# is one of the account, whichever of its symbols lost.
SIGNALS = """
    with shifts as (
        select exit_ts, arg_max(threshold_shift_after, account_leg)
            as threshold_shift_after
        from trades inner join trade_legs using (profile, symbol, account, trade_id)
        where profile = $profile and account = $account and kind = 'exit'
        group by exit_ts
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
    asof left join shifts on bars_1h.bar_ts >= shifts.exit_ts
    where bars_1h.symbol = $symbol
    order by bars_1h.bar_ts
"""
WINDOWS = """
    select epoch(start_ts) as start, epoch(end_ts) + 3600 as finish
    from candidate_windows where profile = $profile and symbol = $symbol
    order by start_ts
"""

TRADES = """
    select count(*) as trades
    from trades where profile = $profile and symbol = $symbol
"""


def _candles() -> dict[str, Any]:
    return {
        "name": "price",
        "type": "candlestick",
        "barMaxWidth": 12,
        "barMinWidth": 1,
        "z": 3,
        "itemStyle": {
            "color": colour("card"),
            "color0": colour("faint"),
            "borderColor": colour("muted"),
            "borderColor0": colour("muted"),
            "borderWidth": 1,
        },
        "markArea": {"silent": True, "itemStyle": {"color": colour("shade")}},
    }


def _trade_line(name: str, tone: str, **style: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "symbol": "none",
        "z": 5,
        "silent": True,
        "lineStyle": {"color": colour(tone)} | style,
        "itemStyle": {"color": colour(tone)},
    }


def _below(name: str, tone: str, **extra: Any) -> dict[str, Any]:
    """Return a series of the plot below the candles."""
    below = {"name": name, "xAxisIndex": 1, "yAxisIndex": 1}
    return below | {"itemStyle": {"color": colour(tone)}} | extra


def _signal_line(name: str, tone: str, width: float) -> dict[str, Any]:
    style = {"color": colour(tone), "width": width}
    return _below(name, tone, type="line", symbol="none", lineStyle=style)


def _series() -> list[dict[str, Any]]:
    """Return candles, trades, confidence and threshold, without their data."""
    allowed = _below("entry allowed", "accent", type="scatter", symbolSize=5)
    return [
        _candles(),
        _trade_line("won", "gain"),
        _trade_line("lost", "loss"),
        _trade_line("stop", "muted", type=[4, 3], width=1),
        _trade_line("chosen", "loss", width=4),
        {"name": "entries and exits", "type": "scatter", "z": 6},
        _signal_line("confidence", "muted", 1.2),
        _signal_line("threshold", "accent", 1.6) | {"step": "end"},
        allowed,
    ]


def _price(label: str, first: float, last: float) -> dict[str, Any]:
    """Return the price above the confidence, and a strip for the ribbon between."""
    edges = {"left": 64, "right": 20}
    own = {"nameGap": 6, "nameTextStyle": {"align": "left"}}
    ends = {"min": first * 1000, "max": last * 1000}
    muted = {"color": colour("muted")}
    return chart(
        label,
        {
            "grid": [
                edges | {"top": 30, "height": "57%"},
                edges | {"top": "72%", "height": "15%"},
                edges | {"top": "66.5%", "height": 8},
            ],
            "xAxis": [times(gridIndex=k, show=k == 1, **ends) for k in range(3)],
            "yAxis": [
                axis(scale=True, gridIndex=0),
                axis(scale=True, gridIndex=1, splitNumber=2, name="confidence", **own),
                {"gridIndex": 2, "show": False, "min": 0, "max": 1},
            ],
            "axisPointer": {
                "link": [{"xAxisIndex": "all"}],
                "lineStyle": muted,
                "label": {"show": False},
            },
            "legend": {
                "data": [
                    "won", "lost", "stop", "confidence", "threshold", "entry allowed",
                ]
            },
            "tooltip": {"trigger": "axis", "axisPointer": {"type": "line"}},
            "dataZoom": zooms(3, minValueSpan=LEAST_SPAN_SECONDS * 1000),
            "series": _series(),
        },
        is_dense=True,
    )  # fmt: skip


def _symbol(source: Source, symbol: str) -> dict[str, Any]:
    bars, pack = source.arrays(BARS, symbol=symbol), source.pack
    decimals = decimals_for(np.concatenate([bars[name] for name in PRICES]))
    prices = {name: pack.rounded(bars[name], decimals) for name in PRICES}
    return {"at": pack.rounded(bars["at"], 0), "decimals": decimals, **prices}


def _profile(source: Source, profile: dict[str, Any]) -> dict[str, Any]:
    if is_whole(profile):
        return absent(ONE_BY_ONE)
    pack, name, key = source.pack, profile["profile"], figures_key(profile)
    signals = source.arrays(SIGNALS, **key, account=profile["account"])
    windows = source.arrays(WINDOWS, **key)
    trades = source.rows(TRADES, **key)[0]["trades"]
    label = (
        f"Price of {profile['symbol']} with {number(trades)} trades of {name}, "
        "candidate windows, and confidence against the threshold in force"
    )
    at = signals["at"].tolist() or [0.0]
    return {
        "chart": pack.document(
            {"price-chart": _price(label, at[0], at[-1] + HOUR_SECONDS)}
        ),
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
        "least_span": LEAST_SPAN_SECONDS,
        "symbols": [_symbol(source, symbol) for symbol in source.symbols],
        "profiles": [_profile(source, profile) for profile in source.profiles],
    }


SECTION = Section(
    "price",
    "Price",
    ("bars_1h", "candidate_windows", "fusion_scores", "trades", "trade_legs"),
    collect,
)
