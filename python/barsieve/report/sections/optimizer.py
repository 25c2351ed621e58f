"""Optimizer: what it learned, month by month, and what that was worth afterwards."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source

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
    select
        fusion_learned.* exclude (reason),
    from fusion_learned inner join config_profiles using (profile)
    where symbol = $symbol
    qualify dense_rank() over (order by profile != $profile, profile) = 1
    order by regime, month, domain
"""


def _symbol(source: Source, symbol: str) -> dict[str, Any]:
    return {
        "figures": source.rows(FIGURES, symbol=symbol),
        "walks": source.rows(WALKS, symbol=symbol),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return figures and walks by symbol, and learned weights by profile."""
    return {
        "symbols": {symbol: _symbol(source, symbol) for symbol in source.symbols},
        "profiles": [
            {
                "learned": source.rows(
                    LEARNED, symbol=profile["symbol"], profile=profile["profile"]
                )
            }
            for profile in source.profiles
        ],
    }


SECTION = Section(
    "optimizer",
    "Optimizer",
    ("report_optimizer", "report_walk_forward", "fusion_learned"),
    collect,
    until="dbt build makes them; a build without the tag ml leaves them out.",
)
