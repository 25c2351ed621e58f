"""`barsieve config`: profiles checked, compared, described; legacy configs migrated."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli import profiles
from barsieve.cli.migrate import migrate
from barsieve.cli.output import (
    NOT_FOUND,
    REFUSED,
    AsJson,
    fail,
    out,
    print_json,
    refusing,
)
from barsieve.cli.texts import shown, text_table
from barsieve.core import paths

config = typer.Typer(
    help="Make, check, compare and describe profiles; migrate legacy configs.",
    no_args_is_help=True,
)
for command in (profiles.new, profiles.show, profiles.from_sweep, migrate):
    config.command()(command)


def _problems_of(file: Path | None) -> tuple[list, str]:
    from barsieve.core.model_lists import model_lists
    from barsieve.profiles.check import check_configs, check_profile
    from barsieve.profiles.diff import find_profile

    if file is not None:
        found = file if file.exists() else find_profile(str(file))
        return check_profile(found, lists=model_lists())[1], str(found)
    folder = paths.project_dir()
    bars = (folder / paths.market_dir() / "bars").glob("*.parquet")
    configs = paths.configs_dir()
    problems = check_configs(folder / configs, sorted(path.stem for path in bars))
    return problems, str(configs)


def _refuse_legacy(file: Path | None) -> None:
    """Point to `migrate` when the file is a legacy config: hardly a key would do."""
    from barsieve.profiles.json_file import read_json

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
    from barsieve.core.errors import InputError
    from barsieve.profiles.diff import find_profile
    from barsieve.profiles.json_file import read_json
    from barsieve.profiles.legacy.rows import fault
    from barsieve.profiles.resolution import is_profile, resolve

    path = find_profile(name)
    document, problems = read_json(path)
    if not problems and is_profile(document):
        return resolve(path).document
    if not problems and not isinstance(document, dict):
        problems = [fault(path, (), "an object", document)]
    if problems:
        raise InputError(problems)
    return document


def _profiles_like(incomplete: str) -> list[str]:
    """Return the profiles that a shell may complete; none outside of a project."""
    try:
        folder = paths.project_dir() / paths.configs_dir()
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

    Profiles are compared with what they extend and with the defaults.

    Exits with 0 when they say the same, with 1 when they differ.

    Example: barsieve config diff btc_live eth_live_conservative
    """
    from barsieve.profiles.diff import differences

    with refusing(NOT_FOUND):
        found = differences(_document(a), _document(b))
    if as_json:
        print_json([difference._asdict() for difference in found])
    elif found:
        rows = [
            [
                d.key,
                "-" if d.only_in == "b" else shown(d.a, 40),
                "-" if d.only_in == "a" else shown(d.b, 40),
            ]
            for d in found
        ]
        title = f"{len(found)} key{'s differ' if len(found) > 1 else ' differs'}"
        out.print(text_table(title, ["key", a, b], rows))
    else:
        out.print(f"{a} and {b} say the same", markup=False, highlight=False)
    if found:
        raise typer.Exit(REFUSED)


def _kind(setting: dict[str, Any]) -> str:
    """Return what a key may hold: its type or choices, and its bounds."""
    if "enum" in setting:
        return " or ".join(json.dumps(choice) for choice in setting["enum"])
    from barsieve.profiles.schema import is_list_of_text

    kinds = setting.get("type", "any")
    array = "list of text" if is_list_of_text(setting) else "[low, high]"
    named = [kinds] if isinstance(kinds, str) else kinds
    text = " or ".join(array if kind == "array" else kind for kind in named)
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
            given = json.dumps(setting["default"]) if "default" in setting else "-"
            about = setting.get("description", "")
            rows.append([prefix + key, _kind(setting), given, about])
    return rows


@config.command()
def schema(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the JSON Schema itself.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(help="Write it to this file, for the key $schema of a profile."),
    ] = None,
) -> None:
    """List every key of a profile: what it may hold and what it means.

    Example: barsieve config schema --to configs/shared/profile.schema.json
    """
    from barsieve.core.files import refuse_target, written_whole
    from barsieve.profiles.authoring import schema_text
    from barsieve.profiles.schema import load_schema

    if to is not None:
        with refusing():
            refuse_target(to, force=True)
            with written_whole(to) as partial:
                partial.write_text(schema_text())
        out.print(f"written: {to}", markup=False, highlight=False, soft_wrap=True)
        return
    document = load_schema("profile")
    if as_json:
        print_json(document)
        return
    columns = ["key", "value", "default", "meaning"]
    out.print(text_table("keys of a profile", columns, _settings(document)))
