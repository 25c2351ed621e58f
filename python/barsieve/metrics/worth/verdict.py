"""Verdict on a score, in words: what it was found to know, and what it has to beat."""

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def effect(row: Row) -> str:
    """Return the figure that was tested, with its sign and unit."""
    if row["tested"] == "spread_bps":
        return f"{row['spread_bps']:+.1f} bps"
    return f"IC {row['information_coefficient']:+.3f}"


def _where(row: Row) -> str:
    regime = row["regime"]
    return f"{row['horizon_hours']} h" + (f" in {regime}" if regime != "all" else "")


def _cost(row: Row) -> str:
    if row["spread_bps"] is None or row["cost_bps"] is None:
        return ""
    verb = "is more than" if row["beats_cost"] else "does not beat"
    return (
        f"; over {_where(row)} its spread of {row['spread_bps']:+.1f} bps {verb} the "
        f"{row['cost_bps']:.1f} bps that trading it costs"
    )


def _nothing(rows: Sequence[Row]) -> str:
    told = [row for row in rows if row["p_value"] is not None]
    if not told:
        return "too little to say: fewer than 30 hours, or days, that differ"
    seen = min((row for row in told if row["regime"] == "all"), default=told[0],
               key=lambda row: row["detectable"])  # fmt: skip
    size = f"{seen['detectable']:.3f}"
    if seen["tested"] == "spread_bps":
        size = f"{seen['detectable']:.1f} bps"
    return (
        f"nothing beyond chance among {seen['comparisons']:,} looks; an effect of "
        f"{size} over {_where(seen)} would have been seen in four markets of five"
    )


def verdict(rows: Sequence[Row]) -> str:
    """Return what the rows of one score on one symbol come to."""
    found = [row for row in rows if row["is_beyond_chance"]]
    if not found:
        return _nothing(rows)
    found.sort(key=lambda row: row["p_value"])
    told = ", ".join(f"{effect(row)} over {_where(row)}" for row in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return (
        f"beyond chance among {found[0]['comparisons']:,} looks: {told}{more}"
        f"{_cost(found[0])}"
    )


def best(rows: Sequence[Row]) -> list[Row]:
    """Return of every score and symbol the horizon least by chance, those first.

    Of all hours alone; a score of which nothing is told has its shortest horizon.
    """
    found: dict[tuple[str, ...], Row] = {}

    def chance(row: Row) -> tuple[float, int]:
        p = row["p_value"]
        return 2.0 if p is None else p, row["horizon_hours"]

    for row in sorted((r for r in rows if r["regime"] == "all"), key=chance):
        found.setdefault((row["kind"], row["name"], row["symbol"]), row)
    return list(found.values())
