"""The regimes of the market over time, what they explain, and what they are worth."""

from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from barsieve.report.charts import (
    Option,
    axis,
    chart,
    colour,
    curve,
    nothing,
    show,
    times,
    tip,
    zooms,
)
from barsieve.report.section import Section
from barsieve.report.source import Source
from barsieve.report.text import words

TONES = {"risk_on": "gain", "neutral": "faint", "risk_off": "warn", "crisis": "loss"}
UNKNOWN_TONE = "line"
DAY_SECONDS = 86_400
NO_DAY = nothing("No day has a belief yet.")
INPUTS = ("vix", "move", "dxy")

RUNS = """
    select distinct classifier, fit_window, reference_symbol from regime_days
    order by classifier, fit_window, reference_symbol
"""
DAYS = """
    select
        epoch(regime_days.known_at) as known_at,
        p_risk_on, p_neutral, p_risk_off, p_crisis,
        coalesce(regime, 'unknown') as regime,
        vix, move, dxy,
    from regime_days left join regime_observations using (reference_symbol, day)
    where classifier = $classifier and fit_window = $fit_window
        and reference_symbol = $reference_symbol
    order by day
"""
JUDGED = """
    select * exclude (first_day) from report_regimes
    order by reference_symbol, classifier, fit_window, regime
"""
WORTH = """
    from report_regime_worth where profile = $profile and symbol = $account
    order by span desc, classifier, figure
"""


def _name(run: dict[str, Any]) -> str:
    classifier, symbol = words(run["classifier"]), run["reference_symbol"]
    return f"{classifier}, {run['fit_window']}, days of {symbol}"


def _belief(state: str, data: dict[str, Any]) -> dict[str, Any]:
    tone = {"color": colour(TONES[state])}
    return {
        "name": words(state),
        "type": "line",
        "stack": "belief",
        "symbol": "none",
        "data": data,
        "lineStyle": {"width": 0},
        "itemStyle": tone,
        "areaStyle": tone | {"opacity": 0.8},
    }


def _input(name: str, data: dict[str, Any], place: int) -> dict[str, Any]:
    tone = {"color": colour("accent")}
    return {
        "name": name.upper(),
        "type": "line",
        "xAxisIndex": place,
        "yAxisIndex": place,
        "symbol": "none",
        "data": data,
        "lineStyle": tone | {"width": 1.2},
        "itemStyle": tone,
    }


def _input_axis(name: str, place: int) -> dict[str, Any]:
    return axis(
        gridIndex=place,
        scale=True,
        splitNumber=1,
        name=name.upper(),
        nameGap=4,
        nameTextStyle={"align": "left"},
    )


def _beliefs(name: str, curves: dict[str, Any]) -> dict[str, Any]:
    """Return the belief in each regime over time, and below it what it reads."""
    edges = {"left": 64, "right": 20}
    rows: list[Option] = [
        {"top": 30, "height": "36%"},
        *({"top": top, "height": "11%"} for top in ("46%", "60%", "74%")),
    ]
    places = list(enumerate(INPUTS, start=1))
    percent = {"formatter": show("share", 0)}
    return chart(
        f"Probability of each regime over time by {name}, with VIX, MOVE and DXY",
        {
            "grid": [edges | row for row in rows],
            "xAxis": [times(gridIndex=k, show=k == 3) for k in range(4)],
            "yAxis": [
                axis(max=1, splitNumber=2, axisLabel=percent),
                *(_input_axis(one, k) for k, one in places),
            ],
            "axisPointer": {"link": [{"xAxisIndex": "all"}], "label": {"show": False}},
            "legend": {"data": [words(state) for state in TONES]},
            "tooltip": {
                "trigger": "axis",
                "formatter": tip(
                    show("number", 2),
                    by_series={words(state): show("share") for state in TONES},
                    is_over_time=True,
                ),
            },
            "dataZoom": zooms(4),
            "series": [
                *(_belief(state, curves[f"p_{state}"]) for state in TONES),
                *(_input(one, curves[one], k) for k, one in places),
            ],
        },
        is_dense=True,
    )


def _stays(known_at: np.ndarray, regimes: list[str]) -> list[tuple[str, float, float]]:
    """Return unbroken stays: regime, start, end; a belief counts until the next."""
    ends = [*known_at[1:].tolist(), *(known_at[-1:] + DAY_SECONDS).tolist()]
    days = zip(regimes, known_at.tolist(), ends, strict=True)
    stays = []
    for regime, run in groupby(days, key=itemgetter(0)):
        own = list(run)
        stays.append((regime, own[0][1], own[-1][2]))
    return stays


def _ribbon(stays: list[tuple[str, float, float]]) -> dict[str, Any]:
    """Return the series that the price's chart shows in its third grid."""
    areas = [
        [
            {
                "xAxis": start * 1000,
                "itemStyle": {
                    "color": colour(TONES.get(regime, UNKNOWN_TONE)),
                    "opacity": 0.85,
                },
            },
            {"xAxis": end * 1000},
        ]
        for regime, start, end in stays
    ]
    return {
        "name": "regime",
        "type": "line",
        "xAxisIndex": 2,
        "yAxisIndex": 2,
        "symbol": "none",
        "silent": True,
        "data": [[start * 1000, 0] for _, start, _ in stays],
        "lineStyle": {"opacity": 0},
        "markArea": {"silent": True, "data": areas},
    }


def _run(source: Source, run: dict[str, Any]) -> dict[str, Any]:
    days, pack = source.arrays(DAYS, **run), source.pack
    at = pack.moments(days["known_at"])
    # A colour's height and a line: four decimals are more than a screen shows.
    curves = {
        name: curve(at, pack.rounded(values, 4))
        for name, values in days.items()
        if name not in ("known_at", "regime")
    }
    return {
        **run,
        "name": _name(run),
        "charts": pack.document({"regimes-chart": _beliefs(_name(run), curves)}),
        "ribbon": pack.document(
            _ribbon(_stays(days["known_at"], list(days["regime"])))
        ),
    }


def _own_run(runs: list[dict[str, Any]], profile: dict[str, Any]) -> int | None:
    """Return the number of the run that a profile's threshold follows, if any."""
    names = ("classifier", "fit_window", "reference_symbol")
    asked = [profile.get(name) for name in names]
    found = [k for k, run in enumerate(runs) if [run[n] for n in names] == asked]
    return found[0] if found else None


def collect(source: Source) -> dict[str, Any]:
    """Return charts of beliefs by run, verdicts on classifiers, worth by profile."""
    runs = source.rows(RUNS)
    return {
        "tones": {**TONES, "unknown": UNKNOWN_TONE},
        "runs": [_run(source, run) for run in runs],
        "empty": source.pack.document({"regimes-chart": NO_DAY}),
        "judged": [{**row, "name": _name(row)} for row in source.rows(JUDGED)],
        "profiles": [
            {
                "run": _own_run(runs, profile),
                "worth": source.rows(
                    WORTH, profile=profile["profile"], account=profile["account"]
                ),
            }
            for profile in source.profiles
        ],
    }


SECTION = Section(
    "regimes",
    "Regimes",
    (
        "regime_days", "regime_observations", "report_regimes", "report_regime_worth",
    ),
    collect,
    until="dbt build makes them; a build without the tag ml leaves them out.",
)  # fmt: skip
