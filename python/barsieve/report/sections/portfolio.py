"""Portfolio of a profile: what its symbols add up to, and how they go together."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from barsieve.core.keys import ALL
from barsieve.report.charts import (
    axis,
    categories,
    chart,
    colour,
    curve,
    grid,
    nothing,
    pick,
    rows,
    show,
    times,
    tip,
    tip_of_values,
    zooms,
)
from barsieve.report.pack import Pack
from barsieve.report.section import Section, absent
from barsieve.report.sections.sweep_terrain import scale
from barsieve.report.source import Entry, Source, is_whole
from barsieve.report.text import money, number, share

SYMBOLS = """
    from report_portfolio where profile = $profile
    order by symbol != '*', contribution desc, symbol
"""
RESULTS = """
    select symbol, epoch(day) as at, equity - start_balance as result
    from report_days inner join config_symbols using (profile, symbol)
    where profile = $profile and strategy = 'strategy'
    order by symbol, day
"""
EQUITY = """
    select
        epoch(day) as at,
        any_value(equity) filter (where strategy = 'strategy') as own,
        any_value(equity) filter (where strategy = 'buy_and_hold') as hold,
    from report_days where profile = $profile and symbol = '*'
    group by day order by day
"""
# Of a day the mean; a lost account has nothing that its positions could be a share of.
EXPOSURE = """
    select
        epoch(date_trunc('day', bar_ts)) as opened_at,
        avg(long_notional / nullif(greatest(equity, 0), 0) order by bar_ts) as longs,
        -avg(short_notional / nullif(greatest(equity, 0), 0) order by bar_ts) as shorts,
        max(positions)::double as positions,
    from profile_equity where profile = $profile
    group by opened_at order by opened_at
"""
CORRELATIONS = """
    select symbol, other_symbol, correlation
    from report_correlations
    where profile = $profile and other_symbol != '*' and correlation is not null
    order by symbol, other_symbol
"""

# More symbols than these are one band: whose results moved least.
HUES = ("hue1", "hue2", "hue3", "hue4", "hue5", "hue6")
SHARE_DECIMALS = 5
CORRELATION_DECIMALS = 3
EDGES = {"left": 64, "right": 20}
# So many cells have room for their numbers.
MOST_NUMBERS = 12
NO_DAY = nothing("No day of the study has a bar.")

Row = dict[str, Any]


class Days(NamedTuple):
    """Days of a profile as its charts show them: columns of the queries, by name."""

    results: dict[str, np.ndarray]
    equity: dict[str, np.ndarray]
    exposure: dict[str, np.ndarray]


class Results(NamedTuple):
    """Results of symbols since the start, at the end of each day, USD.

    `at`, shape (n_days,), are Unix seconds; `by_symbol` are arrays of that shape.
    """

    at: np.ndarray
    by_symbol: dict[str, np.ndarray]


def results_of(found: dict[str, np.ndarray]) -> Results:
    """Return the results of all symbols on all days, from the rows of `RESULTS`.

    A symbol stands at nothing before its first day, and where it stood after its last.
    """
    of_row, at = found["symbol"].astype(str), np.unique(found["at"])
    by_symbol = {}
    for name in np.unique(of_row).tolist():
        # The rows are in the order of symbols.
        start = np.searchsorted(of_row, name)
        end = np.searchsorted(of_row, name, side="right")
        known = np.concatenate([[0.0], found["result"][start:end]])
        place = np.searchsorted(found["at"][start:end], at, side="right")
        by_symbol[name] = known[place]
    return Results(at, by_symbol)


def _bands(results: Results) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield name, colour and results of each band; the last is of all others."""

    def reach(name: str) -> float:
        return float(np.abs(results.by_symbol[name]).max(initial=0.0))

    by_reach = sorted(results.by_symbol, key=reach, reverse=True)
    shown = sorted(by_reach[: len(HUES)])
    for name, hue in zip(shown, HUES, strict=False):
        yield name, hue, results.by_symbol[name]
    others = by_reach[len(HUES) :]
    if others:
        total = np.sum([results.by_symbol[name] for name in others], axis=0)
        yield f"{number(len(others))} others", "faint", total


def _results(pack: Pack, profile: str, results: Results) -> Row:
    """Return the results by symbol, gains upon gains and losses below losses."""
    if not len(results.at):
        return NO_DAY
    at, bands = pack.moments(results.at), list(_bands(results))
    whole = np.sum(list(results.by_symbol.values()), axis=0)
    together = {
        "name": "all together",
        "type": "line",
        "symbol": "none",
        "z": 4,
        "data": curve(at, pack.rounded(whole, 2)),
        "lineStyle": {"color": colour("ink"), "width": 1.8},
        "itemStyle": {"color": colour("ink")},
    }
    stacked = [
        {
            "name": name,
            "type": "line",
            "stack": "results",
            "symbol": "none",
            "data": curve(at, pack.rounded(values, 2)),
            "lineStyle": {"width": 0},
            "itemStyle": {"color": colour(hue)},
            "areaStyle": {"color": colour(hue), "opacity": 0.75},
        }
        for name, hue, values in bands
    ]
    ends = ", ".join(f"{name} {money(float(of[-1]))}" for name, _, of in bands)
    return chart(
        f"Result of {profile} by symbol over time, USD: {ends}; all together "
        f"{money(float(whole[-1]))}",
        {
            "grid": EDGES | {"top": 34, "bottom": 56},
            "legend": {"data": [*(name for name, *_ in bands), "all together"]},
            "tooltip": {
                "trigger": "axis",
                "formatter": tip(show("money"), is_over_time=True),
            },
            "xAxis": times(),
            "yAxis": axis(axisLabel={"formatter": show("number")}),
            "dataZoom": zooms(1),
            "series": [*stacked, together],
        },
        is_dense=True,
    )


def _line(name: str, tone: str, data: Row, **extra: Any) -> Row:
    return {
        "name": name,
        "type": "line",
        "symbol": "none",
        "data": data,
        "lineStyle": {"color": colour(tone), "width": 1.6},
        "itemStyle": {"color": colour(tone)},
    } | extra


def _beside_holding(pack: Pack, own: Row, days: dict[str, np.ndarray]) -> Row:
    """Return the equity of the whole beside that of holding the symbols instead."""
    if not len(days["at"]):
        return NO_DAY
    at = pack.moments(days["at"])
    lines = [
        _line(name, tone, curve(at, pack.rounded(days[key], 2)))
        for name, tone, key in (
            ("the profile", "accent", "own"),
            ("equal parts, held", "warn", "hold"),
        )
    ]
    return chart(
        f"Equity of all symbols together, return {share(own['return_share'])}, beside "
        f"an equal part of the money in each, held: {share(own['hold_return_share'])}",
        {
            "grid": grid(top=34, right=20),
            "legend": {"data": [line["name"] for line in lines]},
            "tooltip": {
                "trigger": "axis",
                "formatter": tip(show("number", 2), is_over_time=True),
            },
            "xAxis": times(),
            "yAxis": axis(scale=True, axisLabel={"formatter": show("number")}),
            "series": lines,
        },
        is_dense=True,
    )


def _exposure(pack: Pack, own: Row, days: dict[str, np.ndarray]) -> Row:
    """Return what was held long and short over the equity, and how many positions."""
    at = pack.moments(days["opened_at"])
    percent = {"formatter": show("share", 0)}
    areas = [
        _line(
            name,
            tone,
            curve(at, pack.rounded(days[key], SHARE_DECIMALS)),
            areaStyle={"color": colour(tone), "opacity": 0.35},
            lineStyle={"color": colour(tone), "width": 1},
        )
        for name, tone, key in (("long", "gain", "longs"), ("short", "loss", "shorts"))
    ]
    below = {"xAxisIndex": 1, "yAxisIndex": 1, "step": "end"}
    positions = curve(at, pack.rounded(days["positions"], 0))
    return chart(
        f"Value held over the equity, mean {share(own['mean_gross_exposure'])}, at "
        f"most {share(own['max_gross_exposure'])}; most positions of each day, at most "
        f"{number(own['max_positions'])}",
        {
            "grid": [
                EDGES | {"top": 30, "height": "50%"},
                EDGES | {"top": "70%", "height": "14%"},
            ],
            "xAxis": [times(show=False), times(gridIndex=1)],
            "yAxis": [
                axis(axisLabel=percent),
                axis(gridIndex=1, splitNumber=2, minInterval=1, min=0),
            ],
            "axisPointer": {"link": [{"xAxisIndex": "all"}], "label": {"show": False}},
            "legend": {"data": ["long", "short", "positions"]},
            "tooltip": {
                "trigger": "axis",
                "formatter": tip(
                    show("share"),
                    by_series={"positions": show("number")},
                    is_over_time=True,
                ),
            },
            "dataZoom": zooms(2),
            "series": [*areas, _line("positions", "muted", positions, **below)],
        },
        is_dense=True,
    )


def _matrix(pack: Pack, names: list[str], found: list[Row]) -> Row:
    """Return the correlation of each symbol's days with those of each other."""
    if not found:
        return nothing("No two symbols have days that can be compared.")
    place = {name: k for k, name in enumerate(names)}
    pairs = [(place[row["symbol"]], place[row["other_symbol"]]) for row in found]
    one, other = (np.array(side, float) for side in zip(*pairs, strict=True))
    values = np.array([row["correlation"] for row in found])
    columns = [
        pack.rounded(np.concatenate([one, other]), 0),
        pack.rounded(np.concatenate([other, one]), 0),
        pack.rounded(np.concatenate([values, values]), CORRELATION_DECIMALS),
    ]
    signed = show("number", 2, True)
    return chart(
        f"Correlation of the daily results of {number(len(names))} symbols: "
        f"{number(float(values.min()), 2, is_signed=True)} to "
        f"{number(float(values.max()), 2, is_signed=True)}",
        {
            "grid": grid(top=40),
            "tooltip": {
                "formatter": tip_of_values(
                    "{0} and {1}",
                    [pick(names), pick(names), signed],
                    {"correlation": 2},
                )
            },
            "xAxis": categories(names, axisLabel={"color": colour("ink")}),
            "yAxis": categories(
                names, inverse=True, axisLabel={"color": colour("ink")}
            ),
            "visualMap": scale(1, is_signed=True)
            | {
                "dimension": 2,
                "formatter": signed,
                "text": [number(1, is_signed=True), number(-1, is_signed=True)],
            },
            "series": [
                {
                    "name": "correlation",
                    "type": "heatmap",
                    "data": rows(columns),
                    "itemStyle": {"borderColor": colour("line"), "borderWidth": 1},
                    "label": {
                        "show": len(names) <= MOST_NUMBERS,
                        "formatter": "{@[2]}",
                        "color": colour("ink"),
                    },
                    "emphasis": {"itemStyle": {"borderColor": colour("ink")}},
                }
            ],
        },
        is_dense=True,
    )


def charts_of(
    pack: Pack, whole: Row, days: Days, correlations: list[Row]
) -> dict[str, Row]:
    """Return the charts of a portfolio, by the ids of their places.

    `whole`: its row of `report_portfolio`; `correlations`: rows of that query.
    """
    results = results_of(days.results)
    return {
        "portfolio-results-chart": _results(pack, whole["profile"], results),
        "portfolio-equity-chart": _beside_holding(pack, whole, days.equity),
        "portfolio-exposure-chart": _exposure(pack, whole, days.exposure),
        "portfolio-correlations-chart": _matrix(
            pack, sorted(results.by_symbol), correlations
        ),
    }


def _ended(whole: Row, count: str, amount: str, why: str) -> str:
    n, net = whole[count], whole[amount]
    if not n:
        return f"none because {why}"
    return f"{number(n)} because {why}, net {money(net)} USD"


def _forced(whole: Row) -> str:
    """Return how much the end of the data decided, in words."""
    delisted = _ended(
        whole, "delisted_exits", "delisted_net_pnl", "its symbol had no bar any more"
    )
    ended = _ended(
        whole, "end_of_data_exits", "end_of_data_net_pnl", "the market ended"
    )
    return (
        f"Of {number(whole['trades'])} trades, {delisted}; {ended}. All of them came "
        f"to {money(whole['net_pnl'])} USD."
    )


def _entries(source: Source, profile: Entry) -> str:
    """Return which symbols have an entry of their own, where not all have one."""
    own = [e for e in source.profiles if e["profile"] == profile["profile"]]
    count = len(own) - 1
    if count == profile["n_symbols"]:
        return ""
    return (
        f"Of {number(profile['n_symbols'])} symbols, the {number(count)} with most "
        "trades have an entry of their own in this page."
    )


def _profile(source: Source, profile: Entry) -> Row:
    name, pack = profile["profile"], source.pack
    if not is_whole(profile):
        is_part = profile["n_symbols"] > 1
        return absent(PART.format(name=name) if is_part else ALONE)
    whole, *parts = source.rows(SYMBOLS, profile=name)
    days = Days(*(source.arrays(q, profile=name) for q in (RESULTS, EQUITY, EXPOSURE)))
    correlations = source.rows(CORRELATIONS, profile=name)
    return {
        "is_shared": profile["account"] == ALL,
        "max_positions": profile["max_positions"],
        "whole": whole,
        "symbols": parts,
        "forced": _forced(whole),
        "entries": _entries(source, profile),
        "charts": pack.document(charts_of(pack, whole, days, correlations)),
    }


ALONE = "This profile trades one symbol."
PART = "All symbols of {name} together have an entry of their own: choose it above."


def collect(source: Source) -> Row:
    """Return what the symbols of each profile add up to, by entry."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


SECTION = Section(
    "portfolio",
    "Portfolio",
    (
        "report_portfolio", "report_correlations", "report_days", "profile_equity",
        "config_symbols",
    ),
    collect,
)  # fmt: skip
