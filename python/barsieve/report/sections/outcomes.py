"""Outcomes of trades: multiples of R, exits, holding times, and what costs took."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source

R_BIN = 0.25

MULTIPLES = """
    select
        floor(r_multiple / $width)::integer as bin,
        count_if(net_pnl > 0)::integer as wins,
        count_if(net_pnl <= 0)::integer as losses,
    from trades where replayed = 'full' and profile = $profile
    group by bin order by bin
"""
EXITS = """
    select
        exit_reason,
        count(*)::integer as trades,
        count_if(net_pnl > 0)::integer as wins,
        count_if(net_pnl <= 0)::integer as losses,
        sum(net_pnl order by trade_id) as net_pnl,
        avg(r_multiple order by trade_id) as mean_r,
    from trades where replayed = 'full' and profile = $profile
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
    from trades where replayed = 'full' and profile = $profile
    group by bin order by bin
"""
BRIDGE = """
    select gross_pnl, fees, slippage, funding, net_pnl
    from report_performance where profile = $profile and strategy = 'strategy'
"""


def _profile(source: Source, name: str) -> dict[str, Any]:
    return {
        "multiples": source.rows(MULTIPLES, profile=name, width=R_BIN),
        "exits": source.rows(EXITS, profile=name),
        "holds": source.rows(HOLDS, profile=name),
        "bridge": source.rows(BRIDGE, profile=name),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return counts by bin and reason, and the bridge from gross to net, by profile."""
    return {
        "r_bin": R_BIN,
        "profiles": [_profile(source, p["profile"]) for p in source.profiles],
    }


SECTION = Section("outcomes", "Outcomes", ("trades", "report_performance"), collect)
