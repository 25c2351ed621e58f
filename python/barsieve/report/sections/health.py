"""Findings, coverage and age of every series, gaps in the bars."""

from typing import Any

from barsieve.database.health import read_findings
from barsieve.report.charts import (
    categories,
    chart,
    colour,
    grid,
    nothing,
    pick,
    show,
    tip_of_values,
)
from barsieve.report.section import Section
from barsieve.report.source import Source
from barsieve.report.text import month

BARS = """
    select
        symbol,
        count(*)::integer as bars,
        epoch(min(bar_ts)) as first,
        epoch(max(bar_ts)) as last,
        count_if(gap_hours > 0)::integer as gaps,
        coalesce(sum(gap_hours), 0)::integer as missing_hours,
        count_if(volume = 0)::integer as without_volume,
        count_if(high = low)::integer as without_range,
    from bars_1h group by symbol order by symbol
"""
GAPS = """
    select
        epoch(bar_ts) as at,
        gap_hours,
        string_agg(symbol, ', ' order by symbol) as symbols,
    from bars_1h where gap_hours > 0
    group by bar_ts, gap_hours order by gap_hours desc, bar_ts limit 8
"""
OBSERVATIONS = """
    select series, count(*)::integer as observations,
        epoch(min(known_at)) as first, epoch(max(known_at)) as last
    from bars_macro group by series
    union all
    select 'FUNDING', count(*)::integer, epoch(min(settled_at)), epoch(max(settled_at))
    from bars_funding having count(*) > 0
"""
SERIES = """
    select series, feature, symbol, source, unit, stale_after_hours, description
    from macro_series order by series
"""
ORACLE = """
    select
        count(*)::integer as columns,
        count_if(verdict = 'identical')::integer as identical,
        count_if(verdict = 'vacuous')::integer as vacuous,
        sum(values_compared)::bigint as values_compared,
        max(worst_difference) as worst_difference,
    from parity_features
"""
# The feature is null where it is stale; its age goes on.
COVERAGE = """
    select
        avg(({value} is not null)::integer) as coverage,
        avg({age}) as mean_age_hours,
        max({age}) as oldest_hours,
        arg_max_null({age}, bar_ts) as last_age_hours,
        arg_max_null({value} is not null, bar_ts) as is_known_at_end,
    from features where symbol = coalesce($symbol, symbol)
"""
MONTHS = """
    select epoch(date_trunc('month', bar_ts)) as month,
        avg(({value} is not null)::integer) as coverage,
    from features where symbol = coalesce($symbol, symbol)
    group by month order by month
"""


def _flags(series: dict[str, Any], first_bar: float) -> list[str]:
    if not series["observations"]:
        is_read = series["feature"] is not None
        return ["no observation: what asks for it stays open"] if is_read else []
    if "coverage" not in series:
        return []
    flags = []
    if series["first"] > first_bar:
        flags.append("begins after the first bar")
    if not series["is_known_at_end"]:
        flags.append("stale at the last bar")
    if series["coverage"] < 0.95:
        flags.append("unknown on more than 5 % of the bars")
    return flags


def _in_features(source: Source, series: dict[str, Any]) -> dict[str, Any]:
    """Return how well a series covers the bars, where `features` has its column."""
    columns = {row["column_name"] for row in source.rows("describe features")}
    value, age = series["feature"], f"{series['feature']}_age_hours"
    if not {value, age} <= columns:
        return {}
    names = {"value": f'"{value}"', "age": f'"{age}"'}
    symbol = series["symbol"]
    return {
        **source.rows(COVERAGE.format(**names), symbol=symbol)[0],
        "months": source.rows(MONTHS.format(**names), symbol=symbol),
    }


def _coverage(series: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how much of each month every series was known, a row a series."""
    shown = [one for one in series if one.get("months")]
    if not shown:
        return nothing("No series reaches the features.")
    names = [one["series"] for one in shown]
    months = sorted({row["month"] for one in shown for row in one["months"]})
    titles = [month(one) for one in months]
    cells = [
        [months.index(row["month"]), k, round(row["coverage"], 5)]
        for k, one in enumerate(shown)
        for row in one["months"]
    ]
    scale = [colour("loss"), colour("paper"), colour("gain", 0.75)]
    return chart(
        "Coverage of each series by month",
        {
            "grid": grid(bottom=50),
            "tooltip": {
                "formatter": tip_of_values(
                    "{1}, {0}",
                    [pick(titles), pick(names), show("share")],
                    {"known and fresh": 2},
                )
            },
            "xAxis": categories(titles),
            "yAxis": categories(
                names, inverse=True, axisLabel={"color": colour("ink")}
            ),
            "visualMap": {
                "min": 0,
                "max": 1,
                "calculable": False,
                "orient": "horizontal",
                "left": "center",
                "bottom": 0,
                "itemHeight": 90,
                "itemWidth": 10,
                "text": ["always known", "never"],
                "textStyle": {"color": colour("muted")},
                "inRange": {"color": scale},
            },
            "series": [
                {
                    "name": "coverage",
                    "type": "heatmap",
                    "itemStyle": {"borderColor": colour("paper"), "borderWidth": 1},
                    "data": cells,
                }
            ],
        },
    )


def collect(source: Source) -> dict[str, Any]:
    """Return symbols, gaps, series with their flags, and the verdict of the oracle."""
    bars = source.rows(BARS)
    observed = {row.pop("series"): row for row in source.rows(OBSERVATIONS)}
    none = {"observations": 0, "first": None, "last": None}
    series = []
    for row in source.rows(SERIES):
        known = {**row, **observed.get(row["series"], none)}
        known |= _in_features(source, known) if known["observations"] else {}
        first_bar = min((b["first"] for b in bars), default=0)
        series.append({**known, "flags": _flags(known, first_bar)})
    charts = {"coverage-chart": _coverage(series)}
    for row in series:
        row.pop("months", None)
    return {
        "charts": source.pack.document(charts),
        "findings": [row._asdict() for row in read_findings(source.connection)],
        "bars": bars,
        "gaps": source.rows(GAPS),
        "series": series,
        "oracle": source.rows(ORACLE)[0],
    }


SECTION = Section(
    "health",
    "Data health",
    (
        "bars_1h", "bars_macro", "bars_funding", "macro_series", "features",
        "parity_features", "report_health",
    ),
    collect,
)  # fmt: skip
