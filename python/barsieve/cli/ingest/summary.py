"""Summary that `barsieve ingest` prints when it is done."""

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
        for entry, outcome in zip(targets, outcomes, strict=True):
            for name in ("revisions", "left_out", "absent"):
                entry[name] = [row._asdict() for row in entry[name]]
            entry["rows_stored"] = outcome.held()
        print_json({"market": str(folder), **about, "targets": targets})
    else:
        columns = [
            "target", "source", "new", "checked", "revised", "refused", "gaps",
            "missing", "first", "last",
        ]  # fmt: skip
        rows = [_line(outcome) for outcome in outcomes]
        _print_accounts(outcomes)
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


def _print_accounts(outcomes: list) -> None:
    """Print what was asked and given, what of it is stored, and why the rest is not."""
    columns = ["target", "asked from", "before", "given", "stored"]
    rows = [
        [
            outcome.target, *(moment(time) for time in outcome.asked or (None, None)),
            f"{outcome.rows_given:,}", f"{outcome.held():,}",
        ]
        for outcome in outcomes
    ]  # fmt: skip
    out.print(table("asked, given, stored", columns, rows))
    reasons = [
        [outcome.target, what, f"{n:,}", reason, example]
        for outcome in outcomes
        for what, n, reason, example in _reasons(outcome)
    ]
    if not reasons:
        return
    shown = table("not stored", ["target", "", "rows", "reason", "example"], reasons)
    for column in shown.columns[3:]:
        column.no_wrap, column.overflow = False, "fold"
    out.print(shown)


def _reasons(outcome: Any) -> list[tuple[str, int, str, str]]:
    """Return what is not stored by reason: its rows, the reason, one example."""
    found: dict[tuple[str, str], list] = {}
    for part in outcome.left_out:
        found[("left out", part.reason)] = [part.rows, part.example]
    for part in outcome.absent:
        what = "not there" if part.is_explained else "MISSING"
        span = f"{moment(part.first)} to {moment(part.last)}"
        entry = found.setdefault((what, part.reason), [0, span])
        entry[0] += part.steps
    return [(what, n, why, shown) for (what, why), (n, shown) in found.items()]


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
        said += [
            f"{part.steps:,} missing from {moment(part.first)} to {moment(part.last)}: "
            f"{part.reason}"
            for part in outcome.unexplained()[:SHOWN_REVISIONS]
        ]
        if outcome.failure:
            said.append(f"stopped: {outcome.failure}")
        elif not outcome.held():
            said.append("nothing of what was asked for was stored")
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
