"""Words of a migration: what became of each key, and where it all went."""

from pathlib import Path
from typing import Any

from barsieve.cli.output import err, out
from barsieve.cli.texts import shown
from barsieve.core import paths


def warn_of_market(symbols: list[str]) -> None:
    """Say so when the market in force could not trade the profile."""
    try:
        bars = paths.project_dir() / paths.market_dir() / "bars"
    except FileNotFoundError:
        return  # Outside of a project there is no market to speak of.
    known = sorted(path.stem for path in bars.glob("*.parquet"))
    missing = [symbol for symbol in symbols if symbol not in (*known, "*")]
    if missing:
        err.print(
            f"the market {paths.market_dir()} has no bars of {', '.join(missing)} "
            f"({', '.join(known) or 'none at all'}): barsieve check will say so",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def here(row) -> str:
    """Return what a key of the old file is here, and why."""
    if not row.to:
        return row.note
    written = f"{', '.join(row.to)} = {shown(row.written)}"
    return f"{written}: {row.note}" if row.note else written


def row_documents(rows) -> list[dict[str, Any]]:
    """Return the rows of a migration as JSON has them."""
    return [
        {
            "key": r.key, "value": r.value, "status": r.status, "to": list(r.to),
            "written": r.written, "note": r.note,
        }
        for r in rows
    ]  # fmt: skip


def print_ending(rows, target: Path | None) -> None:
    """Print how many keys went which way, and where the profile was written."""
    from barsieve.profiles.legacy.rows import STATUSES

    counts = {s: sum(r.status == s for r in rows) for s in STATUSES}
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    ending = f"written to {target}" if target else "nothing was written"
    out.print(f"{said}; {ending}", markup=False, highlight=False, soft_wrap=True)
