"""Optimizer: what it learned, month by month, and what that was worth afterwards."""

import re
from itertools import cycle
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
from barsieve.report.section import Section, absent
from barsieve.report.source import Source, figures_key, is_whole
from barsieve.report.text import words

FIGURES = """
    select * exclude (symbol) from report_optimizer
    where symbol = $symbol order by all
"""
WALKS = """
    select test_from, in_sample_r, out_of_sample_r, average_r, share_beaten
    from report_walk_forward where symbol = $symbol order by test_from
"""
# The profile's own, else that of the first profile of its symbol that learns.
LEARNED = """
    select * exclude (reason, symbol)
    from fusion_learned where symbol = $symbol
    qualify dense_rank() over (order by profile != $profile, profile) = 1
    order by regime, month, domain
"""


Row = dict[str, Any]
ONE_BY_ONE = "The sweep of each symbol teaches it alone: choose a symbol above."
TONES = ("accent", "warn", "faint", "loss")
DOMAIN_TONES = ("accent", "loss", "warn", "gain", "faint")


def _groups(
    label: str,
    names: list[str],
    groups: dict[str, list[float | None]],
    is_across: bool = False,
) -> Row:
    """Return bars of several series side by side, a group a name."""
    value = axis(splitNumber=4)
    category = categories(
        names,
        inverse=is_across,
        axisLine={"onZero": False},
        axisLabel={"color": colour("ink")},
    )
    x, y = (value, category) if is_across else (category, value)
    series = [
        {
            "name": name,
            "type": "bar",
            "data": data,
            "itemStyle": {"color": colour(tone)},
        }
        for (name, data), tone in zip(groups.items(), cycle(TONES), strict=False)
    ]
    return chart(
        label,
        {
            "grid": grid(top=30, right=10),
            "legend": {"data": list(groups)},
            "tooltip": {
                "trigger": "axis",
                "axisPointer": SHADOW,
                "formatter": tip(show("number", 3, True)),
            },
            "xAxis": x,
            "yAxis": y,
            "series": series,
        },
    )


def _values(rows: list[Row], subjects: list[str], figure: str) -> list[float | None]:
    found = {row["subject"]: row["value"] for row in rows if row["figure"] == figure}
    return [found.get(subject) for subject in subjects]


def _each(rows: list[Row], field: str) -> list[str]:
    """Return the values of a field, each once, in their order."""
    return list(dict.fromkeys(row[field] for row in rows))


def _fits(figures: list[Row]) -> Row:
    rows = [row for row in figures if row["section"] == "model"]
    values = {r["subject"]: r["value"] for r in rows if r["figure"] == "in_sample_r2"}
    learners = [s for s in _each(rows, "subject") if values.get(s) is not None]
    if not learners:
        return nothing("No model was fitted.")
    return _groups(
        "R² in sample and walked forward, by model",
        [words(name) for name in learners],
        {
            "in sample": _values(rows, learners, "in_sample_r2"),
            "walked forward": _values(rows, learners, "walk_forward_r2"),
        },
    )


def _importance(figures: list[Row]) -> Row:
    rows = [
        row
        for row in figures
        if row["section"] == "importance" and " / " not in row["subject"]
    ]
    if not rows:
        return nothing("No month was predicted.")
    inputs = _each(rows, "subject")
    return _groups(
        "Walked-forward R² lost without each group of inputs, by model",
        [name if re.fullmatch("[A-Z]+", name) else words(name) for name in inputs],
        {words(model): _values(rows, inputs, model) for model in _each(rows, "figure")},
        is_across=True,
    )


def _walks(rows: list[Row]) -> Row:
    if not rows:
        return nothing("Too few months to walk forward.")
    return _groups(
        "Best configuration of each training year: result there, in the month after, "
        "and the average",
        [row["test_from"] for row in rows],
        {
            "in training": [row["in_sample_r"] for row in rows],
            "month after": [row["out_of_sample_r"] for row in rows],
            "all configurations": [row["average_r"] for row in rows],
        },
    )


def _line(name: str, values: list[float | None], tone: str, **style: Any) -> Row:
    return {
        "name": words(name),
        "type": "line",
        "step": "end",
        "symbol": "none",
        "data": values,
        "itemStyle": {"color": colour(tone)},
        "lineStyle": {"color": colour(tone), "width": 2} | style,
    }


def _learned(rows: list[Row]) -> Row:
    """Return the learned weights and threshold of a regime, month by month."""
    domains = _each(rows, "domain")
    of_domain = {name: [r for r in rows if r["domain"] == name] for name in domains}
    weights = [
        _line(name, [row["weight"] for row in of_domain[name]], tone)
        for name, tone in zip(domains, cycle(DOMAIN_TONES), strict=False)
    ]
    thresholds = [row["threshold"] for row in of_domain[domains[0]]]
    return chart(
        f"Learned weights and threshold of {rows[0]['profile']} by month",
        {
            "grid": grid(top=34, right=10),
            "legend": {"data": [*map(words, domains), "threshold"]},
            "tooltip": {"trigger": "axis", "formatter": tip(show("number", 3))},
            "xAxis": categories(_each(rows, "month")),
            "yAxis": axis(min=0, splitNumber=4),
            "series": [
                *weights,
                _line("threshold", thresholds, "ink", width=1.5, type="dashed"),
            ],
        },
    )


def _symbol(source: Source, symbol: str) -> Row:
    figures = source.rows(FIGURES, symbol=symbol)
    charts = {
        "fits-chart": _fits(figures),
        "importance-chart": _importance(figures),
        "walks-chart": _walks(source.rows(WALKS, symbol=symbol)),
    }
    return {"figures": figures, "charts": source.pack.document(charts)}


def _profile(source: Source, profile: Row) -> Row:
    """Return what a profile learned: a chart for each regime, or a sentence."""
    if is_whole(profile):
        return absent(ONE_BY_ONE)
    symbol = profile["symbol"]
    rows = source.rows(LEARNED, **figures_key(profile))
    charts = {
        regime: {"learned-chart": _learned([r for r in rows if r["regime"] == regime])}
        for regime in _each(rows, "regime")
    }
    learned = [{"profile": rows[0]["profile"], "regime": regime} for regime in charts]
    if not rows:
        sentence = nothing(f"No profile of {symbol} learns its weights.")
        charts["none"] = {"learned-chart": sentence}
    return {"learned": learned, "charts": source.pack.document(charts)}


def collect(source: Source) -> dict[str, Any]:
    """Return figures and charts by symbol, and charts of what profiles learned."""
    return {
        "symbols": {symbol: _symbol(source, symbol) for symbol in source.symbols},
        "profiles": [_profile(source, profile) for profile in source.profiles],
    }


SECTION = Section(
    "optimizer",
    "Optimizer",
    ("report_optimizer", "report_walk_forward", "fusion_learned"),
    collect,
    until="dbt build makes them; a build without the tag ml leaves them out.",
)
