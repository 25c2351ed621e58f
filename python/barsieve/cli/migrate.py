"""`barsieve config migrate`: a legacy config as a profile."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.output import (
    REFUSED,
    AsJson,
    err,
    fail,
    out,
    print_json,
    refusing,
)
from barsieve.cli.texts import shown, text_table
from barsieve.core import paths


def _name_of(old: Path, name: str | None, to: Path | None) -> str:
    """Return the name of a profile; that of its file, which the checks want."""
    if to is not None and name is not None and to.stem != name:
        raise fail(f"--to {to}: expected the file {name}.json, as --name is {name}")
    if to is not None:
        return to.stem
    if name is not None:
        return name
    slug = re.sub(r"[^a-z0-9_]+", "_", old.stem.lower()).strip("_")
    return slug if slug[:1].isalpha() else f"legacy_{slug}".rstrip("_")


def _warn_of_market(symbol: str) -> None:
    """Say so when the market in force could not trade the profile."""
    try:
        bars = paths.project_dir() / paths.market_dir() / "bars"
    except FileNotFoundError:
        return  # Outside of a project there is no market to speak of.
    known = sorted(path.stem for path in bars.glob("*.parquet"))
    if symbol not in known:
        err.print(
            f"the market {paths.market_dir()} has no bars of {symbol} "
            f"({', '.join(known) or 'none at all'}): barsieve check will say so",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _here(row) -> str:
    """Return what a key of the old file is here, and why."""
    if not row.to:
        return row.note
    written = f"{', '.join(row.to)} = {shown(row.written)}"
    return f"{written}: {row.note}" if row.note else written


def _print_migration(migration, base: str) -> None:
    """Print what the old file lacks, then its keys; those that need a decision last."""
    from barsieve.profiles.legacy.rows import STATUSES

    rows = [[a.key, shown(a.value), a.source] for a in migration.added]
    columns = ["key", "value", "from"]
    out.print(text_table(f"keys that the old file lacks; base {base}", columns, rows))
    ordered = sorted(migration.rows, key=lambda row: STATUSES.index(row.status))
    rows = [[r.key, shown(r.value, 16), r.status, _here(r)] for r in ordered]
    columns = ["old key", "value", "what became of it", "here"]
    out.print(text_table("keys of the old file", columns, rows))


def _migration_document(migration, base: str, to: Path | None) -> dict[str, Any]:
    return {
        "written_to": str(to) if to else None,
        "base": base,
        "keys": [
            {
                "key": r.key, "value": r.value, "status": r.status, "to": list(r.to),
                "written": r.written, "note": r.note,
            }
            for r in migration.rows
        ],
        "added": [added._asdict() for added in migration.added],
        "profile": migration.profile,
    }  # fmt: skip


def migrate(
    old: Annotated[Path, typer.Argument(help="Config of Bull Machine v1.8, JSON.")],
    symbol: Annotated[
        str | None, typer.Option(help="Symbol to trade (default: the old file's).")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the profile (default: the file's).")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="File to write (default: in the configs).")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Profile that gives what the old file lacks.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write though keys need a decision.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the table, write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a legacy config as a profile; say what became of every key.

    A key is carried over, renamed, normalised (weights to a sum of 1, percent to
    fractions), needs a decision, or had no effect in the legacy system.
    While keys need a decision it exits with 1 and writes nothing: change
    them in the old file, or --accept what the table says.

    Example: barsieve config migrate ETH_live.json --symbol ETH --name eth_mine
    """
    from barsieve.core.files import refuse_target, written_whole
    from barsieve.profiles.legacy.base import DEFAULT_BASE, load_base
    from barsieve.profiles.legacy.migrate import migrate as migrate_file
    from barsieve.profiles.legacy.rows import DECISION

    chosen = _name_of(old, name, to)
    with refusing(REFUSED):
        target = to or paths.project_dir() / paths.configs_dir() / f"{chosen}.json"
        if not dry_run:
            refuse_target(target, force)
        used = load_base(base or DEFAULT_BASE)
        migration = migrate_file(old, chosen, used, symbol)
        undecided = sum(row.status == DECISION for row in migration.rows)
        is_refused = bool(undecided) and not accept
        is_written = not dry_run and not is_refused
        if is_written:
            with written_whole(target) as partial:
                partial.write_text(json.dumps(migration.profile, indent=2) + "\n")
    if as_json:
        written = target if is_written else None
        print_json(_migration_document(migration, used.name, written))
    else:
        _print_migration(migration, used.name)
        _print_ending(migration, target if is_written else None)
    _warn_of_market(migration.profile["symbol"])
    if is_refused:
        keys = "key needs" if undecided == 1 else "keys need"
        raise fail(
            f"{undecided} {keys} a decision: change the old file, or take what the "
            "table says with --accept",
            REFUSED,
        )


def _print_ending(migration, target: Path | None) -> None:
    from barsieve.profiles.legacy.rows import STATUSES

    counts = {s: sum(r.status == s for r in migration.rows) for s in STATUSES}
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    ending = f"written to {target}" if target else "nothing was written"
    out.print(f"{said}; {ending}", markup=False, highlight=False, soft_wrap=True)
