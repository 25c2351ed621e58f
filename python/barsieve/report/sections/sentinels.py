"""Worth of the sentinels, in the section Screening: where they fire, what they show."""

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
from barsieve.report.text import words

SENTINELS = """
    with
    fired as (
        select sentinel, symbol, bar_ts
        from sentinels where list_contains($symbols, symbol)
        union
        select 'any of them', symbol, bar_ts
        from sentinels where list_contains($symbols, symbol)
    ),
    bars as (
        select count(*) as bars from bars_1h where list_contains($symbols, symbol)
    ),
    entries as (
        select symbol, decision_ts, net_pnl, r_multiple
        from trades where profile = $profile and list_contains($symbols, symbol)
    ),
    names as (select sentinel, count(*) as fires from fired group by sentinel),
    pairs as (
        select names.*, entries.*, fired.bar_ts is not null as is_on
        from names cross join entries
        left join fired
            on fired.sentinel = names.sentinel and fired.symbol = entries.symbol
            and fired.bar_ts = entries.decision_ts
    )
    select
        names.sentinel,
        names.fires::integer as fires,
        names.fires / bars.bars as share_of_bars,
        count_if(is_on)::integer as entries_with,
        count_if(not is_on)::integer as entries_without,
        count_if(is_on) / nullif(count(decision_ts), 0) as share_of_entries,
        share_of_entries / nullif(share_of_bars, 0) as lift,
        avg(r_multiple order by decision_ts, pairs.symbol) filter (where is_on)
            as mean_r_with,
        avg(r_multiple order by decision_ts, pairs.symbol) filter (where not is_on)
            as mean_r_without,
        avg((net_pnl > 0)::integer) filter (where is_on) as win_rate_with,
        avg((net_pnl > 0)::integer) filter (where not is_on) as win_rate_without,
    from names cross join bars left join pairs using (sentinel)
    group by names.sentinel, names.fires, bars.bars
    order by names.sentinel = 'any of them', names.fires desc
"""


def worth(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how often each sentinel fires, and at how many of the entries."""
    if not rows:
        return nothing("No sentinel fired.")
    series = [
        {
            "name": name,
            "type": "bar",
            "data": [row[key] or 0 for row in rows],
            "itemStyle": {"color": tone, "borderRadius": [0, 3, 3, 0]},
        }
        for name, key, tone in (
            ("of bars", "share_of_bars", colour("muted", 0.6)),
            ("of entries", "share_of_entries", colour("accent")),
        )
    ]
    return chart(
        "Share of bars and share of entries, by sentinel",
        {
            "grid": grid(right=24, top=28),
            "legend": {"data": ["of bars", "of entries"]},
            "tooltip": {
                "trigger": "axis",
                "axisPointer": SHADOW,
                "formatter": tip(show("share")),
            },
            "xAxis": axis(splitNumber=4, axisLabel={"formatter": show("share", 0)}),
            "yAxis": categories(
                [words(row["sentinel"]) for row in rows],
                inverse=True,
                axisLabel={"color": colour("ink")},
            ),
            "series": series,
        },
    )
