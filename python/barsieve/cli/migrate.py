"""`barsieve config migrate`: a legacy config or a former profile as one of today."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.migrated import here, print_ending, row_documents, warn_of_market
from barsieve.cli.output import REFUSED, AsJson, fail, out, print_json, refusing
from barsieve.cli.renewal import are_profiles, renew_profiles
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


def _print_migration(migration, base: str) -> None:
    """Print what the old file lacks, then its keys; those that need a decision last."""
    from barsieve.profiles.legacy.rows import STATUSES

    rows = [[a.key, shown(a.value), a.source] for a in migration.added]
    columns = ["key", "value", "from"]
    out.print(text_table(f"keys that the old file lacks; base {base}", columns, rows))
    ordered = sorted(migration.rows, key=lambda row: STATUSES.index(row.status))
    rows = [[r.key, shown(r.value, 16), r.status, here(r)] for r in ordered]
    columns = ["old key", "value", "what became of it", "here"]
    out.print(text_table("keys of the old file", columns, rows))


def _migration_document(migration, base: str, to: Path | None) -> dict[str, Any]:
    return {
        "written_to": str(to) if to else None,
        "base": base,
        "keys": row_documents(migration.rows),
        "added": [added._asdict() for added in migration.added],
        "profile": migration.profile,
    }


def _migrate_legacy(
    old: Path,
    name: str,
    symbol: str | None,
    to: Path | None,
    base: str | None,
    force: bool,
    accept: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    from barsieve.core.files import refuse_target, written_whole
    from barsieve.profiles.json_file import as_text
    from barsieve.profiles.legacy.base import DEFAULT_BASE, load_base
    from barsieve.profiles.legacy.migrate import migrate as migrate_file
    from barsieve.profiles.legacy.rows import DECISION

    with refusing(REFUSED):
        target = to or paths.project_dir() / paths.configs_dir() / f"{name}.json"
        if not dry_run:
            refuse_target(target, force)
        used = load_base(base or DEFAULT_BASE)
        migration = migrate_file(old, name, used, symbol)
        undecided = sum(row.status == DECISION for row in migration.rows)
        is_refused = bool(undecided) and not accept
        is_written = not dry_run and not is_refused
        if is_written:
            with written_whole(target) as partial:
                partial.write_text(as_text(migration.profile))
    if as_json:
        written = target if is_written else None
        print_json(_migration_document(migration, used.name, written))
    else:
        _print_migration(migration, used.name)
        print_ending(migration.rows, target if is_written else None)
    warn_of_market(migration.profile["symbols"])
    if is_refused:
        keys = "key needs" if undecided == 1 else "keys need"
        raise fail(
            f"{undecided} {keys} a decision: change the old file, or take what the "
            "table says with --accept",
            REFUSED,
        )


def migrate(
    old: Annotated[
        list[Path],
        typer.Argument(
            help="Config of Bull Machine v1.8, or profiles with former keys; JSON."
        ),
    ],
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
    """Write a legacy config, or former profiles, as profiles of today.

    It says what became of every key.

    A key is carried over, renamed, normalised (weights to a sum of 1, percent to
    fractions), needs a decision, or had no effect in the legacy system.
    While keys need a decision it exits with 1 and writes nothing: change
    them in the old file, or --accept what the table says.

    A profile with keys that have another name now is rewritten in its place,
    with --force, and nothing else of it is touched: configs/*.json, or one --to
    another file.

    Example: barsieve config migrate ETH_live.json --symbol ETH --name eth_mine
    """
    with refusing(REFUSED):
        are_ours = are_profiles(old)
    if not are_ours:
        _migrate_legacy(
            old[0], _name_of(old[0], name, to), symbol, to, base, force, accept,
            dry_run, as_json,
        )  # fmt: skip
        return
    for option, value in {"--symbol": symbol, "--name": name, "--base": base}.items():
        if value is not None:
            raise fail(
                f"{option} {value}: expected a legacy config, found a profile in "
                f"{old[0]}: leave the option out"
            )
    renew_profiles(old, to, force, dry_run, as_json)
