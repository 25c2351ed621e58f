"""Result of each profile, beside buy-and-hold and random entries."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source


def collect(source: Source) -> dict[str, Any]:
    """Return the rows of report_performance and parity_summary, by profile."""
    return {
        "profiles": [
            {
                "strategies": source.rows(
                    "from report_performance where profile = $profile",
                    profile=profile["profile"],
                ),
                "samples": source.rows(
                    "from report_samples where profile = $profile order by sample",
                    profile=profile["profile"],
                ),
                "has_funding": source.rows(
                    "select count(*) > 0 as has_any from bars_funding "
                    "where symbol = $symbol",
                    symbol=profile["symbol"],
                )[0]["has_any"],
                "parity": source.rows(
                    "from parity_summary where profile = $profile",
                    profile=profile["profile"],
                ),
            }
            for profile in source.profiles
        ]
    }


SECTION = Section(
    "result",
    "Result",
    ("report_performance", "report_samples", "parity_summary", "bars_funding"),
    collect,
)
