"""Options that several commands share: the profile, its settings, the span."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barsieve.core import paths

if TYPE_CHECKING:
    from barsieve.api.database import Database


class Mode(StrEnum):
    """Kinds of replay."""

    full = "full"
    focused = "focused"


ProfileName = Annotated[str, typer.Option(help="Profile of the built database.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the built database.")]
Symbol = Annotated[
    str | None, typer.Option(help="One of the symbols that the profile trades.")
]
Config = Annotated[
    Path | None,
    typer.Option(help="File (*.json) of a profile that need not be built, instead."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting as built, such as exits.stop_atr=2.5; repeatable.",
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Enter no earlier, as study.start does; a date is its midnight, UTC.",
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="TIME", help="Enter no later, as study.end does; see --from."
    ),
]


def chosen(profile: str | None, config: Path | None) -> str:
    """Return the profile asked for: a name, or the file of one.

    Raises InputError where not one of both is given.
    """
    from barsieve.core.errors import refuse

    if (profile is None) == (config is None):
        refuse(
            "--profile and --config",
            expected="one of them",
            found="neither" if profile is None else "both",
            fix="name a built profile, or the file of one",
        )
    if config is not None and config.suffix != ".json":
        refuse(
            f"--config {config}",
            expected="a file of a profile, *.json",
            found=f"'{config.suffix}'",
            fix="name the file so",
        )
    return str(config or profile)


def current() -> "Database":
    """Return the database in force, to be asked; nothing is opened yet."""
    from barsieve.api.database import Database

    return Database(paths.database_path())


def changes_of(settings: list[str] | None, start: str | None, end: str | None):
    """Return the changed settings by dotted key; a span sets `study.start` and `end`.

    Raises InputError for what cannot be read.
    """
    if not settings and not start and not end:
        return {}
    from barsieve.core.times import study_changes
    from barsieve.profiles.overrides import parse

    changes: dict[str, Any] = parse(settings or [])
    return changes | study_changes(start, end)


def described(changes: dict[str, Any]) -> str:
    """Return changed settings as they may be typed again."""
    return ", ".join(f"{key}={value}" for key, value in changes.items())
