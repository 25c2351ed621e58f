"""Live: a paper account's decisions in time and late, and whether the build agrees."""

from typing import Any

from barsieve.report.section import Section, absent
from barsieve.report.source import Entry, Source, members_key

TIMINGS = """
    from report_live
    where profile = $profile and list_contains($symbols, symbol)
    order by symbol, timing
"""
VERDICTS = """
    select verdict, cause, count(*)::integer as decisions,
        epoch(min(bar_ts)) as first, epoch(max(bar_ts)) as last
    from parity_live
    where profile = $profile and list_contains($symbols, symbol)
    group by verdict, cause order by verdict, cause
"""
# The first ones: what follows from them has their cause.
DIFFERING = """
    select symbol, epoch(known_at) as at, verdict, cause, fields_that_differ, action,
        action_built
    from parity_live
    where profile = $profile and list_contains($symbols, symbol)
        and verdict != 'identical'
    order by bar_ts, symbol limit 10
"""
NO_ACCOUNT = "This profile is no paper account: barsieve paper open makes one of it."


def _profile(source: Source, profile: Entry) -> dict[str, Any]:
    key = members_key(profile)
    verdicts = source.rows(VERDICTS, **key)
    if not verdicts:
        return absent(NO_ACCOUNT)
    return {
        "timings": source.rows(TIMINGS, **key),
        "verdicts": verdicts,
        "differing": source.rows(DIFFERING, **key),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return what was said of each account against what the build says, by entry."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


def has_journal(source: Source) -> bool:
    """Tell whether the market of a database was ever traded on paper."""
    return "parity_live" in source.tables and bool(
        source.rows("select 1 from parity_live limit 1")
    )


SECTION = Section(
    "live", "Live", ("report_live", "parity_live"), collect, is_shown=has_journal
)
