"""A build started from Python, and the database that it made."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from barsieve.api.asked import path_of
from barsieve.api.database import Database, open_database
from barsieve.core import paths

if TYPE_CHECKING:
    from barsieve.database.build import NodeStart


@contextmanager
def _located(places: dict[str, str | Path | None]) -> Iterator[None]:
    """Let environment variables name places for a while, as a person sees them here."""
    given = {
        name: str(path_of(place).resolve())
        for name, place in places.items()
        if place is not None
    }
    before = {name: os.environ[name] for name in given if name in os.environ}
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given:
            del os.environ[name]
        os.environ.update(before)


def build(
    *arguments: str,
    market: str | Path | None = None,
    configs: str | Path | None = None,
    database: str | Path | None = None,
    project: str | Path | None = None,
    strict: bool = False,
    on_event: "Callable[[NodeStart | str], Any] | None" = None,
) -> Database:
    """Build the database aside, swap it in when all of it is sound, and open it.

    Readers are never blocked; what was opened before stays what it was and says that
    there is a new build.

    Parameters
    ----------
    *arguments : str
        Those of `dbt build`, such as `"--select", "bars_1h+"`.
    market, configs, database, project : str or Path, optional
        Folders of the market, the profiles and the project, and the file to make; as
        seen from here, `~` is your home. By default BARSIEVE_MARKET, BARSIEVE_CONFIGS,
        BARSIEVE_DATABASE and BARSIEVE_PROJECT, then those of the project.
    strict : bool
        Raise when a profile broke its promise on this market; it is built all the same.
    on_event : callable, optional
        Is told each node that begins (`path`, `kind`, `name`, `number`, `total`) and
        each line of what fails, from more than one thread.

    Raises
    ------
    BuildRefusedError
        Another build runs, or the file is locked or no database.
    BuildFailedError
        Something failed, which the message tells; the present database is as it was.
    NoProjectError
        There is no project here.
    """
    from barsieve.database.build import BuildFailedError, build_aside
    from barsieve.database.connect import open_database as connect
    from barsieve.database.health import broken_profiles

    told: list[str] = []

    def listen(event: "NodeStart | str") -> None:
        if isinstance(event, str):
            told.append(event)
        if on_event is not None:
            on_event(event)

    places = {
        paths.MARKET: market,
        paths.CONFIGS: configs,
        paths.DATABASE: database,
        paths.PROJECT: project,
    }
    with _located(places):
        result = build_aside(arguments, listen)
    if result.exit_code:
        raise BuildFailedError(result.failure, told, result.exit_code)
    if strict:
        with connect(result.database) as connection:
            broken = broken_profiles(connection)
        if broken:
            lines = [f"{name} is broken: {found}" for name, found in broken.items()]
            raise BuildFailedError(f"{result.database} is new", lines)
    return open_database(result.database)
