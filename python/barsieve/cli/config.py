"""`barsieve config`: profiles checked, compared, described; legacy configs migrated."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from barsieve import project
from barsieve.cli.output import (
    NOT_FOUND,
    REFUSED,
    AsJson,
    err,
    fail,
    out,
    print_json,
    refusing,
    table,
)

config = typer.Typer(
    help="Check, compare and describe profiles; migrate legacy configs.",
    no_args_is_help=True,
)


def _text_table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """Return a table of text, whose last column wraps."""
    made = table(title, columns, rows)
    for column in made.columns:
        column.justify = "left"
        column.overflow = "fold"
    made.columns[-1].no_wrap = False
    return made


def _shown(value: Any, width: int = 24) -> str:
    is_long = isinstance(value, float) and len(repr(value)) > 12
    text = f"{value:.6g}" if is_long else json.dumps(value)
    return text if len(text) <= width else text[: width - 3] + "..."


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
    bars = project.project_dir() / project.market_dir() / "bars"
    known = sorted(path.stem for path in bars.glob("*.parquet"))
    if symbol not in known:
        err.print(
            f"the market {project.market_dir()} has no bars of {symbol} "
            f"({', '.join(known) or 'none at all'}): barsieve check will say so",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _here(row) -> str:
    """Return what a key of the old file is here, and why."""
    if not row.to:
        return row.note
    written = f"{', '.join(row.to)} = {_shown(row.written)}"
    return f"{written}: {row.note}" if row.note else written


def _print_migration(migration, base: str) -> None:
    """Print what the old file lacks, then its keys; those that need a decision last."""
    from barsieve.legacy_config.rows import STATUSES

    rows = [[a.key, _shown(a.value), a.source] for a in migration.added]
    columns = ["key", "value", "from"]
    out.print(_text_table(f"keys that the old file lacks; base {base}", columns, rows))
    ordered = sorted(migration.rows, key=lambda row: STATUSES.index(row.status))
    rows = [[r.key, _shown(r.value, 16), r.status, _here(r)] for r in ordered]
    columns = ["old key", "value", "what became of it", "here"]
    out.print(_text_table("keys of the old file", columns, rows))


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


@config.command()
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the table, write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a legacy config as a profile; say what became of every key.

    A key is carried over, renamed, normalised (weights to a sum of 1, percent to
    fractions), needs a decision, or had no effect in the legacy system.

    Example: barsieve config migrate ETH_live.json --symbol ETH --name eth_mine
    """
    from barsieve.aside import refuse_target, written_aside
    from barsieve.legacy_config.base import DEFAULT_BASE, load_base
    from barsieve.legacy_config.migrate import migrate as migrate_file

    chosen = _name_of(old, name, to)
    with refusing(REFUSED):
        target = to or project.project_dir() / project.configs_dir() / f"{chosen}.json"
        if not dry_run:
            refuse_target(target, force)
        used = load_base(base or DEFAULT_BASE)
        migration = migrate_file(old, chosen, used, symbol)
        if not dry_run:
            with written_aside(target, force) as partial:
                partial.write_text(json.dumps(migration.profile, indent=2) + "\n")
    if as_json:
        written = None if dry_run else target
        print_json(_migration_document(migration, used.name, written))
    else:
        _print_migration(migration, used.name)
        _print_ending(migration, None if dry_run else target)
    _warn_of_market(migration.profile["symbol"])


def _print_ending(migration, target: Path | None) -> None:
    from barsieve.legacy_config.rows import STATUSES

    counts = {s: sum(r.status == s for r in migration.rows) for s in STATUSES}
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    ending = f"written to {target}" if target else "nothing was written (--dry-run)"
    out.print(f"{said}; {ending}", markup=False, highlight=False, soft_wrap=True)


def _problems_of(file: Path | None) -> tuple[list, str]:
    from barsieve.check_configs import check_configs, check_profile

    if file is not None:
        return check_profile(file)[1], str(file)
    folder = project.project_dir()
    bars = (folder / project.market_dir() / "bars").glob("*.parquet")
    configs = project.configs_dir()
    problems = check_configs(folder / configs, sorted(path.stem for path in bars))
    return problems, str(configs)


def _refuse_legacy(file: Path | None) -> None:
    """Point to `migrate` when the file is a legacy config: hardly a key would do."""
    from barsieve.check_configs import read_json

    document = read_json(file)[0] if file is not None else None
    if isinstance(document, dict) and isinstance(document.get("fusion"), dict):
        message = f"{file}: a legacy config, no profile; barsieve config migrate {file}"
        raise fail(message, REFUSED)


@config.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="Profile (default: all of the configs).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a profile, or all of BARSIEVE_CONFIGS against the market's symbols.

    Exits with 1 when something is wrong.

    Example: barsieve config check configs/btc_live.json
    """
    from dataclasses import asdict

    with refusing():
        problems, where = _problems_of(file)
    if as_json:
        print_json([asdict(problem) for problem in problems])
    elif problems:
        _refuse_legacy(file)
        raise fail("\n".join(str(problem) for problem in problems), REFUSED)
    else:
        out.print(f"sound: {where}", markup=False, highlight=False, soft_wrap=True)
    if problems:
        raise typer.Exit(REFUSED)


def _document(name: str) -> dict[str, Any]:
    from barsieve.check_configs import read_json
    from barsieve.legacy_config.base import find_profile
    from barsieve.legacy_config.rows import refuse
    from barsieve.problems import InputError

    path = find_profile(name)
    document, problems = read_json(path)
    if not problems and not isinstance(document, dict):
        problems = [refuse(path, (), "an object", document)]
    if problems:
        raise InputError(problems)
    return document


def _profiles_like(incomplete: str) -> list[str]:
    """Return the profiles that a shell may complete; none outside of a project."""
    try:
        folder = project.project_dir() / project.configs_dir()
    except FileNotFoundError:
        return []
    return sorted(path.stem for path in folder.glob(f"{incomplete}*.json"))


@config.command()
def diff(
    a: Annotated[
        str,
        typer.Argument(
            help="Profile: its name or its file.", autocompletion=_profiles_like
        ),
    ],
    b: Annotated[
        str, typer.Argument(help="Another one.", autocompletion=_profiles_like)
    ],
    as_json: AsJson = False,
) -> None:
    """List the keys in which two profiles, or any two JSON configs, differ.

    Exits with 0 when they say the same, with 1 when they differ.

    Example: barsieve config diff btc_live eth_live_conservative
    """
    from barsieve.legacy_config.documents import differences

    with refusing(NOT_FOUND):
        found = differences(_document(a), _document(b))
    if as_json:
        print_json([difference._asdict() for difference in found])
    elif found:
        rows = [
            [
                d.key,
                "-" if d.only_in == "b" else _shown(d.a, 40),
                "-" if d.only_in == "a" else _shown(d.b, 40),
            ]
            for d in found
        ]
        title = f"{len(found)} key{'s differ' if len(found) > 1 else ' differs'}"
        out.print(_text_table(title, ["key", a, b], rows))
    else:
        out.print(f"{a} and {b} say the same", markup=False, highlight=False)
    if found:
        raise typer.Exit(REFUSED)


def _kind(setting: dict[str, Any]) -> str:
    """Return what a key may hold: its type or choices, and its bounds."""
    if "enum" in setting:
        return " or ".join(json.dumps(choice) for choice in setting["enum"])
    kinds = setting.get("type", "any")
    text = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if text == "array":
        text = "[low, high]"
    bounds = {
        "minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=",
        "exclusiveMaximum": "<",
    }  # fmt: skip
    said = [f"{sign} {setting[b]:g}" for b, sign in bounds.items() if b in setting]
    return f"{text} {', '.join(said)}".strip()


def _settings(schema: dict[str, Any], prefix: str = "") -> list[list[str]]:
    rows = []
    for key, setting in schema["properties"].items():
        inner = next(
            (s for s in setting.get("oneOf", []) if "properties" in s), setting
        )
        if "properties" in inner:
            rows += _settings(inner, f"{prefix}{key}.")
        else:
            is_needed = "yes" if key in schema.get("required", []) else "-"
            about = setting.get("description", "")
            rows.append([prefix + key, _kind(setting), is_needed, about])
    return rows


@config.command()
def schema(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the JSON Schema itself.")
    ] = False,
) -> None:
    """List every key of a profile: what it may hold and what it means.

    Example: barsieve config schema --json > profile.schema.json
    """
    from barsieve.check_configs import load_schema

    document = load_schema("profile")
    if as_json:
        print_json(document)
        return
    columns = ["key", "value", "needed", "meaning"]
    out.print(_text_table("keys of a profile", columns, _settings(document)))
