"""Screening from bars to entries: the funnel, its density, worth of the sentinels."""

from typing import Any

from barsieve.report.charts import (
    SHADOW,
    axis,
    categories,
    chart,
    colour,
    grid,
    show,
    tip,
)
from barsieve.report.section import Section
from barsieve.report.sections.sentinels import SENTINELS, worth
from barsieve.report.source import Entry, Source, figures_key, is_whole, members_key
from barsieve.report.text import month, number, share

GATES = """
    from report_screening where profile = $profile and symbol = $symbol
    order by gate_number
"""
WINDOWS = """
    select
        count(*)::integer as windows,
        coalesce(sum(last_index - first_index + 1), 0)::integer as window_bars,
    from candidate_windows
    where profile = $profile and list_contains($symbols, symbol)
"""
# What was visited of one symbol of several; the promise is that of all together.
PARITY_OF_ONE = """
    with steps as (
        select
            any_value(bars) as bars,
            any_value(bars_visited) filter (where replayed = 'focused') as bars_visited,
        from replay_symbols where profile = $profile and symbol = $symbol
    )
    select
        screen, steps.*, recall,
        (
            select any_value(candidate_share) from report_screening
            where profile = $profile and symbol = $symbol
        ) as candidate_share,
        1 - steps.bars_visited / steps.bars as share_skipped,
        steps.bars / nullif(steps.bars_visited, 0) as times_fewer,
    from parity_summary cross join steps where profile = $profile
"""
PARITY = """
    select
        screen, bars, bars_visited, candidate_share, recall,
        1 - bars_visited / bars as share_skipped,
        bars / nullif(bars_visited, 0) as times_fewer,
    from parity_summary where profile = $profile
"""
CANDIDATES = """
    select count(distinct (symbol, bar_ts))::integer as bars
    from candidates where profile = $profile and list_contains($symbols, symbol)
"""
MONTHS = """
    with months as (
        select date_trunc('month', bar_ts) as month, count(*) as bars
        from bars_1h where list_contains($symbols, symbol) group by month
    ),
    screened as (
        select
            date_trunc('month', bar_ts) as month,
            count(distinct (symbol, bar_ts)) as bars,
        from candidates
        where profile = $profile and list_contains($symbols, symbol) group by month
    ),
    entered as (
        select date_trunc('month', decision_ts) as month, count(*) as trades
        from trades
        where profile = $profile and list_contains($symbols, symbol) group by month
    )
    select
        epoch(month) as month,
        months.bars::integer as bars,
        coalesce(screened.bars, 0)::integer as candidates,
        coalesce(entered.trades, 0)::integer as entries,
    from months left join screened using (month) left join entered using (month)
    order by month
"""


Row = dict[str, Any]
Step = tuple[str, int, str]


def _steps(gates: list[Row], windows: Row, candidates: int) -> list[Step]:
    """Return the steps of the funnel: name, bars, and what they are."""
    left = {row["gate"]: row["bars"] for row in gates}
    return [
        ("bars", left.get("bars", 0), "every bar that there is"),
        (
            "eligible",
            left.get("eligible", 0),
            "volatility, trends and cadence allow a trade",
        ),
        ("candidates", candidates, "some configuration of the profile may enter"),
        (
            "bars in windows",
            windows["window_bars"],
            f"{number(windows['windows'])} windows: candidates and the bars after them",
        ),
        ("entries", left.get("entered", 0), "trades of the full replay"),
    ]


def _funnel(steps: list[Step]) -> Row:
    """Return what is left of all bars, step by step, on a scale of powers of ten."""
    names = [name for name, *_ in steps]
    every = steps[0][1] or 1
    bars = [
        {
            # A logarithm has no zero.
            "value": max(count, 1),
            "name": f"{number(count)}  ·  {share(count / every, 2)}",
            "told": [
                ["bars", number(count)],
                ["of all", share(count / every, 2)],
                [meaning, ""],
            ],
            "itemStyle": {
                "color": colour("accent", None if name == "entries" else 0.45),
                "borderRadius": [0, 3, 3, 0],
            },
        }
        for name, count, meaning in steps
    ]
    hidden = {"show": False}
    told = ", ".join(f"{name} {number(count)}" for name, count, _ in steps)
    return chart(
        f"From bars to entries: {told}",
        {
            "grid": grid(right=140, top=6),
            "tooltip": {"formatter": tip(titles=names)},
            "xAxis": axis(
                type="log",
                min=1,
                max=every,
                axisLabel=hidden,
                splitLine=hidden,
                axisLine=hidden,
            ),
            "yAxis": categories(
                names,
                inverse=True,
                axisLine=hidden | {"onZero": False},
                axisLabel={"color": colour("ink")},
            ),
            "series": [
                {
                    "name": "bars",
                    "type": "bar",
                    "barWidth": "62%",
                    "data": bars,
                    "label": {
                        "show": True,
                        "position": "right",
                        "color": colour("ink"),
                        "formatter": "{b}",
                    },
                }
            ],
        },
    )


def _density(rows: list[Row]) -> Row:
    """Return the share of each month's bars that are candidates, and its entries."""
    months = [month(row["month"]) for row in rows]
    shares = [row["candidates"] / row["bars"] for row in rows]
    candidates = [
        {
            "value": value,
            "told": [
                [
                    "candidates",
                    f"{number(row['candidates'])} of {number(row['bars'])} bars",
                ],
                ["share", share(value, 2)],
            ],
        }
        for value, row in zip(shares, rows, strict=True)
    ]
    return chart(
        "Share of each month's bars that are candidates, and entries of the month",
        {
            "grid": grid(right=0, top=30),
            "legend": {"data": ["candidates", "entries"]},
            "tooltip": {"trigger": "axis", "axisPointer": SHADOW, "formatter": tip()},
            "xAxis": categories(months),
            "yAxis": [
                axis(splitNumber=3, axisLabel={"formatter": show("share", 0)}),
                axis(
                    splitNumber=3,
                    minInterval=1,
                    splitLine={"show": False},
                    position="right",
                ),
            ],
            "series": [
                {
                    "name": "candidates",
                    "type": "bar",
                    "barCategoryGap": "25%",
                    "data": candidates,
                    "itemStyle": {"color": colour("accent", 0.45)},
                },
                {
                    "name": "entries",
                    "type": "line",
                    "yAxisIndex": 1,
                    "symbolSize": 4,
                    "data": [row["entries"] for row in rows],
                    "lineStyle": {"color": colour("warn"), "width": 1.5},
                    "itemStyle": {"color": colour("warn")},
                },
            ],
        },
    )


def _parity(source: Source, profile: Entry) -> list[Row]:
    """Return what the focused replay visited of an entry, and what it caught."""
    if is_whole(profile) or profile["n_symbols"] == 1:
        return source.rows(PARITY, profile=profile["profile"])
    return source.rows(PARITY_OF_ONE, **figures_key(profile))


def _profile(source: Source, profile: Entry) -> dict[str, Any]:
    key, own = figures_key(profile), members_key(profile)
    gates = source.rows(GATES, **key)
    windows = source.rows(WINDOWS, **own)[0]
    candidates = source.rows(CANDIDATES, **own)[0]["bars"]
    sentinels = source.rows(SENTINELS, **own)
    charts = {
        "funnel-chart": _funnel(_steps(gates, windows, candidates)),
        "density-chart": _density(source.rows(MONTHS, **own)),
        "sentinels-chart": worth(sentinels),
    }
    return {
        "screen": profile["screen"],
        "gates": gates,
        "windows": windows,
        "candidates": candidates,
        "parity": _parity(source, profile),
        "sentinels": sentinels,
        "charts": source.pack.document(charts),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return gates, windows, sentinels and charts, by profile."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


SECTION = Section(
    "screening",
    "Screening",
    (
        "report_screening", "parity_summary", "replay_symbols", "candidates",
        "candidate_windows", "sentinels", "trades", "bars_1h",
    ),
    collect,
)  # fmt: skip
