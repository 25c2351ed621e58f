"""Equity marked to market, drawdown, and the return of each month."""

from typing import Any

import numpy as np

from barsieve.metrics.performance import drawdowns, max_drawdown
from barsieve.report.charts import (
    axis,
    chart,
    colour,
    curve,
    show,
    times,
    tip,
    zooms,
)
from barsieve.report.section import Section
from barsieve.report.source import Source, figures_key, is_whole
from barsieve.report.text import number, share

CURVES = """
    select
        epoch(bars_1h.bar_ts) as at,
        full_replay.equity as full_replay,
        focused_replay.equity as focused_replay,
    from bars_1h
    left join replay_equity as full_replay
        on full_replay.symbol = bars_1h.symbol and full_replay.bar_ts = bars_1h.bar_ts
        and full_replay.profile = $profile and full_replay.replayed = 'full'
    left join replay_equity as focused_replay
        on focused_replay.symbol = bars_1h.symbol
        and focused_replay.bar_ts = bars_1h.bar_ts
        and focused_replay.profile = $profile and focused_replay.replayed = 'focused'
    where bars_1h.symbol = $symbol
    order by bars_1h.bar_ts
"""
CURVES_OF_WHOLE = """
    select
        epoch(bar_ts) as at,
        any_value(equity) filter (where replayed = 'full') as full_replay,
        any_value(equity) filter (where replayed = 'focused') as focused_replay,
    from replay_profile_equity where profile = $profile
    group by bar_ts order by bar_ts
"""
# A month's return is on the equity at the end of the month before, a year's on that of
# the year before.
MONTHS = """
    with marks as (
        select
            year(bar_ts) as year,
            month(bar_ts) as month,
            arg_max(equity, bar_ts) as equity,
        from {marks}
        group by grouping sets ((year, month), (year))
    )
    select
        year,
        month,
        equity / nullif(
            coalesce(
                lag(equity) over (partition by month is null order by year, month),
                $start
            ), 0
        ) - 1 as return_share,
    from marks order by year, month
"""
DRAWDOWNS = """
    select start_ts, trough_ts, end_ts, depth, days
    from report_drawdowns
    where profile = $profile and symbol = $symbol and strategy = 'strategy'
    order by drawdown_number
"""
# Four decimals of a percent: the page shows two.
FALL_DECIMALS = 6
MARKS = "equity where profile = $profile and symbol = $symbol"
MARKS_OF_WHOLE = "profile_equity where profile = $profile"
SAME = "The focused replay's equity is that of the full one at every bar."
LOSSY = "The focused replay's equity differs from the full one's: its screen is lossy."
MARKED = "Marked to market at each close, costs included."
SHARED = "The part of one symbol: the start balance, and what it made of it."


def _decimals(balance: float) -> int:
    """Return the decimals of a hundred-thousandth of a percent of the balance."""
    return int(np.clip(7 - np.floor(np.log10(max(balance, 1e-9))), 0, 9))


def _line(
    name: str,
    data: dict[str, Any],
    tone: str,
    opacity: float | None = None,
    **style: Any,
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": data,
        "symbol": "none",
        "sampling": "minmax",
        "lineStyle": {"color": colour(tone, opacity), "width": 1.8} | style,
        "itemStyle": {"color": colour(tone, opacity)},
    }


def _series(curves: dict[str, Any], start: float) -> list[dict[str, Any]]:
    """Return a broad band, a thin line that should lie on it, and the falls below."""
    broad = {"width": 5, "cap": "round", "join": "round"}
    began = {
        "silent": True,
        "symbol": "none",
        "label": {"show": False},
        "lineStyle": {"color": colour("muted"), "type": "dotted"},
        "data": [{"yAxis": start}],
    }
    below = {
        "xAxisIndex": 1,
        "yAxisIndex": 1,
        "areaStyle": {"color": colour("loss", 0.18)},
    }
    return [
        _line("full replay", curves["full_replay"], "accent", 0.4, **broad)
        | {"markLine": began},
        _line("focused replay", curves["focused_replay"], "ink", width=1.2),
        _line("drawdown", curves["drawdown"], "loss", width=1) | below,
    ]


def _equity(label: str, curves: dict[str, Any], start: float) -> dict[str, Any]:
    """Return the equity of both replays and, below it, the full one's drawdown."""
    edges = {"left": 64, "right": 20}
    percent = {"formatter": show("share", 0)}
    return chart(
        label,
        {
            "grid": [
                edges | {"top": 30, "height": "54%"},
                edges | {"top": "70%", "height": "16%"},
            ],
            "xAxis": [times(show=False), times(gridIndex=1)],
            "yAxis": [
                axis(scale=True),
                axis(gridIndex=1, splitNumber=2, max=0, axisLabel=percent),
            ],
            "axisPointer": {"link": [{"xAxisIndex": "all"}], "label": {"show": False}},
            "legend": {"data": ["full replay", "focused replay", "drawdown"]},
            "tooltip": {
                "trigger": "axis",
                "formatter": tip(
                    show("number", 2),
                    by_series={"drawdown": show("share", 2)},
                    is_over_time=True,
                ),
            },
            "dataZoom": zooms(2),
            "series": _series(curves, start),
        },
        is_dense=True,
    )


def _profile(source: Source, profile: dict[str, Any]) -> dict[str, Any]:
    name, start = profile["profile"], profile["start_balance"]
    key, of_name = figures_key(profile), {"profile": name}
    whole = is_whole(profile)
    curves_of, asked = (CURVES_OF_WHOLE, of_name) if whole else (CURVES, key)
    columns = source.arrays(curves_of, **asked)
    months = MONTHS.format(marks=MARKS_OF_WHOLE if whole else MARKS)
    pack, decimals = source.pack, _decimals(start)
    at = pack.moments(columns.pop("at"))
    full, focused = columns["full_replay"], columns["focused_replay"]
    curves = {k: curve(at, pack.rounded(v, decimals)) for k, v in columns.items()}
    # 0 where there is no fall: none is written as -0.
    falls = 0 - drawdowns(full)
    curves["drawdown"] = curve(at, pack.rounded(falls, FALL_DECIMALS))
    label = (
        f"Equity of {name} ({profile['title']}) from {number(start)}, full and focused "
        f"replay, to {number(full[-1] if len(full) else None, 2)}; "
        f"deepest drawdown {share(-max_drawdown(full))}"
    )
    is_same = np.array_equal(full, focused, equal_nan=True)
    notes = [SAME if is_same else LOSSY, MARKED]
    if profile["account"] not in (None, profile["symbol"]):
        notes.append(SHARED)
    return {
        "note": " ".join(notes),
        "drawdowns": source.rows(DRAWDOWNS, **key),
        "returns": source.rows(months, **asked, start=start),
        "charts": pack.document({"equity-chart": _equity(label, curves, start)}),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return the chart of both replays and the months of the full one, by profile."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


SECTION = Section(
    "equity",
    "Equity",
    (
        "equity", "replay_equity", "profile_equity", "replay_profile_equity",
        "report_drawdowns", "bars_1h",
    ),
    collect,
)  # fmt: skip
