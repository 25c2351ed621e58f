"""What `barsieve ingest` prints when it is done."""

from datetime import datetime
from pathlib import Path
from typing import Any

from barsieve.cli.output import err, out, print_json, table

SHOWN_REVISIONS = 20


def print_summary(
    folder: Path,
    outcomes: list,
    has_bars: bool,
    as_json: bool,
    about: dict[str, Any],
) -> None:
    """Print what was done to each target, and what a user must not miss."""
    from dataclasses import asdict

    if as_json:
        targets = [asdict(outcome) for outcome in outcomes]
        for entry in targets:
            entry["revisions"] = [r._asdict() for r in entry["revisions"]]
        print_json({"market": str(folder), **about, "targets": targets})
    else:
        columns = [
            "target", "source", "new", "checked", "revised", "refused", "gaps",
            "missing", "first", "last",
        ]  # fmt: skip
        rows = [_line(outcome) for outcome in outcomes]
        out.print(table(f"ingested into {folder}", columns, rows))
        _print_revisions([r for outcome in outcomes for r in outcome.revisions])
    _say_what_is_wrong(folder, outcomes, has_bars)


def _line(outcome: Any) -> list[str]:
    return [
        outcome.target, outcome.source, f"{outcome.rows_new:,}",
        f"{outcome.rows_checked:,}",
        f"{len({r.key for r in outcome.revisions}):,}", f"{outcome.rows_refused:,}",
        f"{outcome.gaps:,}", f"{outcome.missing:,}", moment(outcome.first),
        moment(outcome.last),
    ]  # fmt: skip


def moment(time: Any) -> str:
    """Return a time or a day as text; a dash for none."""
    if time is None:
        return "-"
    return f"{time:%Y-%m-%d %H:%M}" if isinstance(time, datetime) else f"{time}"


def _print_revisions(revisions: list) -> None:
    if not revisions:
        return
    rows = [[r.target, r.key, r.column, r.stored, r.offered] for r in revisions]
    taken = "taken" if revisions[0].taken else "kept as stored"
    shown = table(
        f"revisions, {taken}",
        ["target", "row", "column", "stored", "now"],
        rows[:SHOWN_REVISIONS],
    )
    out.print(shown)
    if len(rows) > SHOWN_REVISIONS:
        out.print(f"... and {len(rows) - SHOWN_REVISIONS} more (--json lists all)")


def _say_what_is_wrong(folder: Path, outcomes: list, has_bars: bool) -> None:
    """Print to standard error what a user must not miss."""
    for outcome in outcomes:
        said = [f"refused {text}" for text in outcome.refused] + outcome.notes
        if outcome.failure:
            said.append(f"stopped: {outcome.failure}")
        for text in said:
            line = f"{outcome.target}: {text}"
            err.print(line, markup=False, highlight=False, soft_wrap=True)
    revisions = [r for outcome in outcomes for r in outcome.revisions]
    if revisions and not revisions[0].taken:
        err.print(
            "past values have changed at the source; --accept-revisions takes them",
            highlight=False,
        )
    if not has_bars:
        err.print(f"{folder} holds no bars yet: barsieve ingest ohlcv", highlight=False)
