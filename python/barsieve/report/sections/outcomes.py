"""Outcomes of trades: multiples of R, exits, holding times, and what costs took."""

from itertools import pairwise
from typing import Any

from barsieve.report.charts import (
    SHADOW,
    axis,
    categories,
    chart,
    colour,
    grid,
    nothing,
    show,
    tip,
)
from barsieve.report.section import Section
from barsieve.report.sections.excursions import excursion_chart
from barsieve.report.source import Entry, Source, figures_key, members_key
from barsieve.report.text import DASH, money, number, words

R_BIN = 0.25

MULTIPLES = """
    select
        floor(r_multiple / $width)::integer as bin,
        count_if(net_pnl > 0)::integer as wins,
        count_if(net_pnl <= 0)::integer as losses,
    from trades where profile = $profile and list_contains($symbols, symbol)
    group by bin order by bin
"""
EXITS = """
    select
        exit_reason,
        count(*)::integer as trades,
        count_if(net_pnl > 0)::integer as wins,
        count_if(net_pnl <= 0)::integer as losses,
        sum(net_pnl order by symbol, trade_id) as net_pnl,
        avg(r_multiple order by symbol, trade_id) as mean_r,
        avg((net_pnl > 0)::integer) as win_rate,
    from trades where profile = $profile and list_contains($symbols, symbol)
    group by exit_reason order by trades desc, exit_reason
"""
# Each bin is twice as wide as the one before: most trades are short, some are not.
HOLDS = """
    select
        case
            when bars_held <= 1 then bars_held else 1 + ceil(log2(bars_held))
        end::integer as bin,
        count_if(net_pnl > 0)::integer as wins,
        count_if(net_pnl <= 0)::integer as losses,
    from trades where profile = $profile and list_contains($symbols, symbol)
    group by bin order by bin
"""
BRIDGE = """
    select gross_pnl, fees, slippage, funding, net_pnl
    from report_performance
    where profile = $profile and symbol = $symbol and strategy = 'strategy'
"""
OTHER_EXITS = """
    select exit_rule, trades, left_earlier, mean_r, gain_r, low, high
    from report_other_exits where profile = $profile and symbol = $symbol
    order by exit_rule != 'none', gain_r desc, exit_rule
"""

NO_TRADES = nothing("No trade to show.")


def _stacked(
    label: str,
    names: list[str],
    rows: list[dict[str, Any]],
    titles: list[str] | None = None,
    is_across: bool = False,
) -> dict[str, Any]:
    """Return bars of trades won and lost, one upon the other, by name."""
    told = (
        f"{name}: {row['wins']} won, {row['losses']} lost"
        for name, row in zip(names, rows, strict=True)
    )
    bars = {"type": "bar", "stack": "trades", "barCategoryGap": "22%"}
    counts = axis(minInterval=1, splitNumber=3)
    across = (counts, categories(names, inverse=True))
    x, y = across if is_across else (categories(names), counts)
    series = [
        bars
        | {"name": name, "data": [row[key] for row in rows]}
        | {"itemStyle": {"color": colour(tone), "borderRadius": 0}}
        for name, key, tone in (("won", "wins", "gain"), ("lost", "losses", "loss"))
    ]
    return chart(
        f"{label}. {'; '.join(told)}",
        {
            "grid": grid(top=28),
            "legend": {"data": ["won", "lost"]},
            "tooltip": {
                "trigger": "axis",
                "axisPointer": SHADOW,
                "formatter": tip(titles=titles),
            },
            "xAxis": x,
            "yAxis": y,
            "series": series,
        },
    )


def _multiples(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the distribution of results in R, its empty bins included."""
    if not rows:
        return NO_TRADES
    found = {row["bin"]: row for row in rows}
    bins = range(rows[0]["bin"], rows[-1]["bin"] + 1)
    edges = [number(bin_ * R_BIN, 2) for bin_ in (*bins, bins.stop)]
    return _stacked(
        "Distribution of trade results in R",
        edges[:-1],
        [found.get(bin_, {"wins": 0, "losses": 0}) for bin_ in bins],
        [f"{low} to {high} R" for low, high in pairwise(edges)],
    )


def _exits(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return NO_TRADES
    names = [words(row["exit_reason"]) for row in rows]
    return _stacked("Trades by exit reason", names, rows, is_across=True)


def _hold_name(bin_: int) -> str:
    if bin_ <= 1:
        return str(bin_)
    low, high = 2 ** (bin_ - 2) + 1, 2 ** (bin_ - 1)
    return str(high) if low == high else f"{low}{DASH}{high}"


def _holds(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return NO_TRADES
    names = [_hold_name(row["bin"]) for row in rows]
    titles = [f"{name} bars" for name in names]
    return _stacked("Trades by bars held", names, rows, titles)


def _steps(row: dict[str, Any]) -> list[tuple[str, float, float, str]]:
    """Return the bars of the bridge: name, where it begins and ends, its colour."""
    level = row["gross_pnl"]
    steps = [("Gross", 0.0, level, "gain" if level >= 0 else "loss")]
    for name in ("fees", "slippage", "funding"):
        after = level - row[name]
        steps.append((name.title(), level, after, "warn" if after < level else "gain"))
        level = after
    net = row["net_pnl"]
    return [*steps, ("Net", 0.0, net, "gain" if net >= 0 else "loss")]


def _bridge(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what took the gross result to the net one, step by step."""
    parts = ("gross_pnl", "fees", "slippage", "funding")
    if not rows or not any(rows[0][part] for part in parts):
        return nothing("No trade, no cost.")
    row, steps = rows[0], _steps(rows[0])
    # A floating bar is a candle without wicks: it may cross zero, a stack may not.
    candles = [
        {
            "value": [start, end, min(start, end), max(start, end)],
            "told": [["", money(end - start)]],
            "itemStyle": dict.fromkeys(
                ("color", "color0", "borderColor", "borderColor0"), colour(tone)
            ),
        }
        for _, start, end, tone in steps
    ]
    amounts = [
        {"value": max(start, end), "name": number(end - start, 0, is_signed=True)}
        for _, start, end, _ in steps
    ]
    return chart(
        f"From gross {money(row['gross_pnl'])} by fees, slippage and funding to net "
        f"{money(row['net_pnl'])}",
        {
            "grid": grid(top=28),
            "tooltip": {"formatter": tip()},
            "xAxis": categories([name for name, *_ in steps]),
            "yAxis": axis(splitNumber=4, axisLabel={"formatter": show("number")}),
            "series": [
                {
                    "name": "bridge",
                    "type": "candlestick",
                    "barWidth": "56%",
                    "data": candles,
                },
                {
                    "name": "amounts",
                    "type": "scatter",
                    "symbolSize": 0.01,
                    "silent": True,
                    "data": amounts,
                    "label": {
                        "show": True,
                        "position": "top",
                        "color": colour("ink"),
                        "formatter": "{b}",
                    },
                },
            ],
        },
    )


def _profile(source: Source, profile: Entry) -> dict[str, Any]:
    own = members_key(profile)
    exits = source.rows(EXITS, **own)
    multiples = source.rows(MULTIPLES, **own, width=R_BIN)
    charts = {
        "multiples-chart": _multiples(multiples),
        "exits-chart": _exits(exits),
        "holds-chart": _holds(source.rows(HOLDS, **own)),
        "bridge-chart": _bridge(source.rows(BRIDGE, **figures_key(profile))),
        "excursions-chart": excursion_chart(source, profile) or NO_TRADES,
    }
    return {
        "exits": exits,
        "others": source.rows(OTHER_EXITS, **figures_key(profile)),
        "charts": source.pack.document(charts),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return counts by bin and reason, and the bridge from gross to net, by profile."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


SECTION = Section(
    "outcomes",
    "Outcomes",
    ("trades", "report_performance", "report_other_exits"),
    collect,
)
