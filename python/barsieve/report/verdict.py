"""The verdict of parity in words, and the first trades that differ."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from barsieve.report.source import Source, figures_key

MOST_TRADES, MOST_FIELDS = 8, 3

TOTALS = """
    select
        profile, symbol, promise, verdict, full_trades, focused_trades, identical,
        missing, invented, differs, recall, bars, bars_visited,
    from parity_summary order by profile
"""
# A profile that keeps a lossy promise may have trades that differ; these are of the
# profiles that broke theirs.
DIFFERING = """
    select
        parity.profile, parity.symbol, decision_ts, full_trade_id, focused_trade_id,
        parity.verdict,
        coalesce(fields_that_differ, '') as fields,
    from parity_trades as parity inner join parity_summary as summary using (profile)
    where summary.verdict = 'broken' and parity.verdict != 'identical'
    order by decision_ts, parity.profile, parity.symbol limit $most
"""
UNBALANCED = """
    select replayed, profile, account, end_balance, start_and_legs, last_equity
    from parity_equity where verdict != 'identical'
    order by profile, account, replayed
"""


@dataclass(frozen=True)
class Verdict:
    """`kind` is holds, broken or vacuous; headline and lines say it in words."""

    kind: str
    headline: str
    lines: list[str]
    profiles: list[dict[str, Any]]
    differing: list[dict[str, Any]] = field(default_factory=list)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _value(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _fields(source: Source, row: dict[str, Any]) -> list[dict[str, str]]:
    """Return the first fields that differ, as both replays have them."""
    trades = {
        trade["replayed"]: trade
        for trade in source.rows(
            "from replay_trades "
            "where profile = $profile and symbol = $symbol "
            "and decision_ts = to_timestamp($at)",
            **figures_key(row),
            at=row["decision_ts"],
        )
    }
    names = [name for name in row["fields"].split(",") if name][:MOST_FIELDS]
    return [
        {
            "name": name,
            "full": _value(trades["full"][name]),
            "focused": _value(trades["focused"][name]),
        }
        for name in names
        if len(trades) == 2
    ]


def _failures(source: Source, rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    for row in rows:
        if row["verdict"] != "broken":
            continue
        found = ", ".join(
            f"{row[name]:,} {name}"
            for name in ("identical", "missing", "invented", "differs")
        )
        recall = "" if row["recall"] is None else f"; recall {row['recall']:.2%}"
        lines.append(f"{row['profile']} promised '{row['promise']}': {found}{recall}.")
    lines += [
        f"{row['profile']} ({row['account']}), {row['replayed']}: the balance ends at "
        f"{row['end_balance']:,.2f}, its legs at {row['start_and_legs']:,.2f}, "
        f"its equity at {row['last_equity']:,.2f}."
        for row in source.rows(UNBALANCED)
    ]
    return lines


def _others_hold(counts: Counter[str]) -> list[str]:
    """Return that a broken promise says nothing of the other profiles."""
    holds = counts["holds"]
    if not holds:
        return []
    return [f"The other {_counted(holds, 'profile')} with trades kept theirs."]


def _exceptions(rows: list[dict[str, Any]]) -> list[str]:
    """Return what a reader of `holds` should still know."""
    lines = []
    for row in rows:
        if row["verdict"] == "vacuous":
            lines.append(f"{row['profile']}: no trade, so nothing was compared.")
        elif row["promise"] == "within":
            recall = "unknown" if row["recall"] is None else f"{row['recall']:.1%}"
            lines.append(
                f"{row['profile']} has a lossy screen and only promises to stay within "
                f"tolerances: {row['focused_trades']:,} of "
                f"{_counted(row['full_trades'], 'trade')}, recall {recall}."
            )
    return lines


def read_verdict(source: Source) -> Verdict:
    """Return the verdict over every profile of the database."""
    rows = source.rows(TOTALS)
    counts = Counter(row["verdict"] for row in rows)
    exact = [row for row in rows if row["promise"] == "exact"]
    identical = sum(row["identical"] for row in exact)
    compared = sum(row["full_trades"] for row in exact)
    if counts["broken"]:
        differing = source.rows(DIFFERING, most=MOST_TRADES)
        for row in differing:
            row["values"] = _fields(source, row)
        return Verdict(
            "broken",
            f"{_counted(counts['broken'], 'profile')} of {len(rows):,} broke "
            f"{'its' if counts['broken'] == 1 else 'their'} promise: "
            + ", ".join(row["profile"] for row in rows if row["verdict"] == "broken"),
            _failures(source, rows) + _others_hold(counts),
            rows,
            differing,
        )
    if not counts["holds"]:
        headline = "Parity is vacuous: no profile traded, nothing was compared"
        return Verdict("vacuous", headline, [], rows)
    visited = sum(row["bars_visited"] for row in exact)
    bars = sum(row["bars"] for row in exact)
    lines = [
        f"{identical:,} of {_counted(compared, 'trade')} under an exact promise are "
        "identical in every field; the focused replays stepped through "
        f"{visited / bars:.1%} of the bars."
    ] * bool(compared)
    headline = f"Parity holds in {counts['holds']} of {_counted(len(rows), 'profile')}"
    return Verdict("holds", headline, lines + _exceptions(rows), rows)
