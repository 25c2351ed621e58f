"""Result of each profile, beside buy-and-hold and random entries, in every figure."""

from typing import Any

from barsieve.metrics.labels import OF_ACCOUNT, OF_TRADES, Labels
from barsieve.report.section import Section
from barsieve.report.source import Source, figures_key
from barsieve.report.text import written

Row = dict[str, Any]

OWN = "profile = $profile and symbol = $symbol"
FUNDING = """
    select count(*) > 0 as has_any from bars_funding
    where list_contains($symbols, symbol)
"""
# A promise is that of a profile, on all of its symbols.
PARITY = "from parity_summary where profile = $profile"


def _rows(labels: Labels, *found: Row) -> list[list[str]]:
    """Return a row of text for each figure, with a cell for each of what was found."""
    return [
        [label, *(written(one.get(name), pattern) for one in found)]
        for name, (label, pattern) in labels.items()
    ]


def _figures(strategies: list[Row], sides: list[Row]) -> dict[str, Any]:
    """Return the figures of the trades, longs and shorts apart, and of the account."""
    by_strategy = {row["strategy"]: row for row in strategies}
    by_side = {row["side"]: row for row in sides}
    own, hold = (by_strategy.get(name, {}) for name in ("strategy", "buy_and_hold"))
    apart = [by_side.get(side, {}) for side in ("long", "short")]
    return {
        "trades": _rows(OF_TRADES, own, *apart),
        "account": _rows(OF_ACCOUNT, own, hold),
    }


def _profile(source: Source, profile: Row) -> Row:
    key = figures_key(profile)
    strategies = source.rows(f"from report_performance where {OWN}", **key)
    sides = source.rows(f"from report_sides where {OWN}", **key)
    return {
        "strategies": strategies,
        "figures": _figures(strategies, sides),
        "samples": source.rows(
            f"from report_samples where {OWN} order by sample", **key
        ),
        "has_funding": source.rows(FUNDING, symbols=profile["symbols"])[0]["has_any"],
        "parity": source.rows(PARITY, profile=profile["profile"]),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return the rows of report_performance and parity_summary, by profile."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


SECTION = Section(
    "result",
    "Result",
    (
        "report_performance", "report_sides", "report_samples", "parity_summary",
        "bars_funding",
    ),
    collect,
)  # fmt: skip
