"""The findings of a built database, the worst first, and the profiles it marks."""

import duckdb

from barsieve.core.findings import Finding
from barsieve.database.connect import built_tables

# What changes how every other figure is to be read comes first; a kind that is on
# neither list stands between the two.
GRAVE = (
    "broken_promise",
    "left_out",
    "picked_of_many",
    "no_lstm",
    "price_step",
    "volume_always_zero",
    "funding_joins_nothing",
    "liquidated",
    "ruined",
    "lost_nearly_all",
    "no_trades",
    "many_refused",
    "many_lapsed",
    "no_macro",
    "no_funding",
    "bars_without_funding",
    "hole",
    "short_history",
)
SLIGHT = (
    "few_trades",
    "symbol_ended",
    "undeclared_series",
    "mostly_unknown_score",
    "mostly_unknown_column",
    "silent_signal",
    "silent_sentinel",
    "one_sided_score",
)

# More symbols than these are counted, not named.
MOST_NAMES = 10


def _rank(finding: Finding) -> tuple[int, int]:
    if finding.finding in GRAVE:
        return 0, GRAVE.index(finding.finding)
    if finding.finding in SLIGHT:
        return 2, SLIGHT.index(finding.finding)
    return 1, 0


def worst_first(findings: list[Finding]) -> list[Finding]:
    """Return findings in the order in which a reader should meet them."""
    return sorted(findings, key=lambda found: (*_rank(found), *found[:3]))


def read_findings(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Return the rows of `report_health`, the worst first."""
    rows = connection.execute(
        "select symbol, subject, finding, value, threshold, meaning from report_health"
    ).fetchall()
    return worst_first([Finding(*row) for row in rows])


def broken_profiles(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the profiles that `parity_summary` calls broken, each with what it did."""
    rows = connection.execute(
        "select profile, promise, full_trades, focused_trades, identical "
        "from parity_summary where verdict = 'broken' order by profile"
    ).fetchall()
    return {
        profile: f"it promised '{promise}', and its focused replay made {focused:,} "
        f"trades for {full:,}, {identical:,} of them identical"
        for profile, promise, full, focused, identical in rows
    }


def costs_paid(connection: duckdb.DuckDBPyConnection) -> str:
    """Return of which costs results are net; a symbol without funding pays none."""
    (rows,) = built_tables(connection, ["bars_funding"])
    paid = {symbol for (symbol,) in rows.select("symbol").distinct().fetchall()}
    (profiles,) = built_tables(connection, ["config_symbols"])
    traded = {symbol for (symbol,) in profiles.select("symbol").distinct().fetchall()}
    missing = sorted(traded - paid)
    if not missing:
        return "net of all costs"
    named = ", ".join(missing)
    if len(missing) > MOST_NAMES:
        named = f"{len(missing):,} of {len(traded):,} symbols"
    return f"net of fees and slippage; no funding for {named}"
