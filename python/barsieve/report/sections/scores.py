"""Scores: what each knows of the hours that follow, before any replay."""

from collections.abc import Iterable
from itertools import cycle
from typing import Any

from barsieve.metrics.worth.verdict import best, verdict
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
from barsieve.report.section import Section, absent
from barsieve.report.source import Source, is_whole
from barsieve.report.text import DASH, number, words

SCORES = """
    from report_scores where symbol = $symbol
    order by kind, name, regime != 'all', regime, horizon_hours
"""
MONTHS = """
    select name, horizon_hours, month, information_coefficient
    from report_score_months where symbol = $symbol
    order by name, horizon_hours, month
"""
DECAY = "from report_score_decay where symbol = $symbol order by name, lag_hours"

Row = dict[str, Any]
ONE_BY_ONE = "Scores are judged on one symbol: choose one above."
IC, SPREAD = "information_coefficient", "spread_bps"
ENDS = {IC: ("ic_low", "ic_high"), SPREAD: ("spread_low", "spread_high")}
DECIMALS = {IC: 3, SPREAD: 1}
UNITS = {IC: "information coefficient", SPREAD: "basis points"}
TONES = ("ink", "gain", "faint", "warn", "loss")
CHARTS = ("score-horizons-chart", "score-decay-chart", "score-months-chart")


def _figure(row: Row, tested: str) -> str:
    """Return a figure with its interval, as a tooltip tells it."""
    value, *ends = (
        number(row[name], DECIMALS[tested], is_signed=True)
        for name in (tested, *ENDS[tested])
    )
    return value if DASH in ends else f"{value} ({' to '.join(ends)})"


def _horizons(name: str, rows: list[Row]) -> Row:
    """Return the tested figure by horizon, a series a regime."""
    tested = rows[0]["tested"]
    if all(row[tested] is None for row in rows):
        return nothing(f"{words(name)} has no value, or always the same one.")
    regimes = list(dict.fromkeys(row["regime"] for row in rows))
    hours = sorted({row["horizon_hours"] for row in rows})
    bars = [
        {
            "name": words(regime),
            "type": "bar",
            "itemStyle": {"color": colour(tone)},
            "data": [
                {
                    "value": row[tested],
                    "told": [[words(regime), _figure(row, tested)]],
                }
                for row in rows
                if row["regime"] == regime
            ],
        }
        for regime, tone in zip(regimes, cycle(TONES), strict=False)
    ]
    return chart(
        f"{words(name)}: {UNITS[tested]} with the return over {hours} hours, by regime",
        {
            "grid": grid(top=30),
            "legend": {"data": [words(regime) for regime in regimes]},
            "tooltip": {"trigger": "axis", "axisPointer": SHADOW, "formatter": tip()},
            "xAxis": categories([f"{h} h" for h in hours], axisLine={"onZero": False}),
            "yAxis": axis(splitNumber=4),
            "series": bars,
        },
    )


def _decay(name: str, rows: list[Row], tested: str) -> Row:
    """Return what is still known of a single hour, the later it begins."""
    if not rows or all(row[tested] is None for row in rows):
        return nothing(f"{words(name)} has no value, or always the same one.")
    line = {"type": "line", "symbol": "none"}
    told = [[["known", _figure(row, tested)]] for row in rows]
    known = [
        {"value": row[tested], "told": one} for row, one in zip(rows, told, strict=True)
    ]
    ends = [
        line
        | {"name": end, "data": [row[key] for row in rows], "silent": True}
        | {"lineStyle": {"color": colour("faint"), "type": "dashed", "width": 1}}
        | {"itemStyle": {"color": colour("faint")}}
        for end, key in zip(("low", "high"), ENDS[tested], strict=True)
    ]
    shape = {"lineStyle": {"color": colour("accent")}, "symbol": "circle"}
    return chart(
        f"{words(name)}: {UNITS[tested]} with the single hour so long after",
        {
            "grid": grid(top=14),
            "tooltip": {
                "trigger": "axis",
                "formatter": tip(show("number", DECIMALS[tested], True)),
            },
            "xAxis": categories(
                [f"{row['lag_hours']} h" for row in rows], axisLine={"onZero": False}
            ),
            "yAxis": axis(splitNumber=4),
            "series": [
                line
                | shape
                | {"name": "known", "data": known}
                | {"itemStyle": {"color": colour("accent")}},
                *ends,
            ],
        },
    )


def _months(name: str, rows: list[Row], horizon: int) -> Row:
    """Return the correlation of each month, over the horizon least by chance."""
    own = [row for row in rows if row["horizon_hours"] == horizon]
    if not own:
        return nothing("No correlation by month is told of events and states.")
    return chart(
        f"{words(name)}: information coefficient of each month, over {horizon} hours",
        {
            "grid": grid(),
            "tooltip": {
                "trigger": "axis",
                "axisPointer": SHADOW,
                "formatter": tip(show("number", 3, True)),
            },
            "xAxis": categories(
                [row["month"] for row in own], axisLine={"onZero": False}
            ),
            "yAxis": axis(splitNumber=4),
            "series": [
                {
                    "name": f"over {horizon} h",
                    "type": "bar",
                    "itemStyle": {"color": colour("accent")},
                    "data": [row[IC] for row in own],
                }
            ],
        },
    )


def _by_name(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return found


def _symbol(source: Source, symbol: str) -> Row:
    rows = source.rows(SCORES, symbol=symbol)
    months = _by_name(source.rows(MONTHS, symbol=symbol))
    decay = _by_name(source.rows(DECAY, symbol=symbol))
    chosen = best(rows)
    horizon = {row["name"]: row["horizon_hours"] for row in chosen}
    charts = {
        name: dict(
            zip(
                CHARTS,
                (
                    _horizons(name, own),
                    _decay(name, decay.get(name, []), own[0]["tested"]),
                    _months(name, months.get(name, []), horizon[name]),
                ),
                strict=True,
            )
        )
        for name, own in _by_name(rows).items()
    }
    if not charts:
        sentence = nothing(f"Nothing was judged on {symbol}.")
        charts["none"] = dict.fromkeys(CHARTS, sentence)
    return {
        "best": chosen,
        "verdicts": {name: verdict(own) for name, own in _by_name(rows).items()},
        "charts": source.pack.document(charts),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return what was judged on each symbol, with charts and a verdict by name."""
    return {
        "symbols": {symbol: _symbol(source, symbol) for symbol in source.symbols},
        "profiles": [
            absent(ONE_BY_ONE) if is_whole(p) else {} for p in source.profiles
        ],
    }


SECTION = Section(
    "scores",
    "Scores",
    ("report_scores", "report_score_months", "report_score_decay"),
    collect,
    until="dbt build makes them; a build without the tag ml leaves them out.",
)
