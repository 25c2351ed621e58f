"""Screening from bars to entries: the funnel, its density, worth of the sentinels."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source

WINDOWS = """
    select
        count(*)::integer as windows,
        coalesce(sum(last_index - first_index + 1), 0)::integer as window_bars,
    from candidate_windows where profile = $profile
"""
CANDIDATES = """
    select count(distinct bar_ts)::integer as bars
    from candidates where profile = $profile
"""
MONTHS = """
    with months as (
        select date_trunc('month', bar_ts) as month, count(*) as bars
        from bars_1h where symbol = $symbol group by month
    ),
    screened as (
        select date_trunc('month', bar_ts) as month, count(distinct bar_ts) as bars
        from candidates where profile = $profile group by month
    ),
    entered as (
        select date_trunc('month', decision_ts) as month, count(*) as trades
        from trades where replayed = 'full' and profile = $profile group by month
    )
    select
        epoch(month) as month,
        months.bars::integer as bars,
        coalesce(screened.bars, 0)::integer as candidates,
        coalesce(entered.trades, 0)::integer as entries,
    from months left join screened using (month) left join entered using (month)
    order by month
"""
SENTINELS = """
    with
    fired as (
        select sentinel, bar_ts from sentinels where symbol = $symbol
        union
        select 'any of them', bar_ts from sentinels where symbol = $symbol
    ),
    bars as (select count(*) as bars from bars_1h where symbol = $symbol),
    entries as (
        select decision_ts, net_pnl, r_multiple
        from trades where replayed = 'full' and profile = $profile
    ),
    names as (select sentinel, count(*) as fires from fired group by sentinel),
    pairs as (
        select names.*, entries.*, fired.bar_ts is not null as is_on
        from names cross join entries
        left join fired
            on fired.sentinel = names.sentinel and fired.bar_ts = entries.decision_ts
    )
    select
        names.sentinel,
        names.fires::integer as fires,
        names.fires / bars.bars as share_of_bars,
        count_if(is_on)::integer as entries_with,
        count_if(not is_on)::integer as entries_without,
        count_if(is_on) / nullif(count(decision_ts), 0) as share_of_entries,
        avg(r_multiple order by decision_ts) filter (where is_on) as mean_r_with,
        avg(r_multiple order by decision_ts) filter (where not is_on) as mean_r_without,
        avg((net_pnl > 0)::integer) filter (where is_on) as win_rate_with,
        avg((net_pnl > 0)::integer) filter (where not is_on) as win_rate_without,
    from names cross join bars left join pairs using (sentinel)
    group by names.sentinel, names.fires, bars.bars
    order by names.sentinel = 'any of them', names.fires desc
"""


def _profile(source: Source, profile: dict[str, Any]) -> dict[str, Any]:
    name = {"profile": profile["profile"]}
    both = {**name, "symbol": profile["symbol"]}
    parity = "from parity_summary where profile = $profile"
    gates = "from report_screening where profile = $profile order by gate_number"
    return {
        "screen": profile["screen"],
        "gates": source.rows(gates, **name),
        "windows": source.rows(WINDOWS, **name)[0],
        "candidates": source.rows(CANDIDATES, **name)[0]["bars"],
        "parity": source.rows(parity, **name),
        "months": source.rows(MONTHS, **both),
        "sentinels": source.rows(SENTINELS, **both),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return gates, windows, months and sentinels, by profile."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


SECTION = Section(
    "screening",
    "Screening",
    (
        "report_screening", "parity_summary", "candidates", "candidate_windows",
        "sentinels", "trades", "bars_1h",
    ),
    collect,
)  # fmt: skip
