"""`barsieve init`: a project of one's own, made or renewed."""

from pathlib import Path
from typing import Annotated

import typer

from barsieve.cli.output import REFUSED, fail, out, refusing
from barsieve.core import paths


def init(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of the project; new or empty.")
    ] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Renew the package of this project.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="With --upgrade: replace what you changed, and keep it as NAME.orig.",
        ),
    ] = False,
    demo: Annotated[bool, typer.Option(help="Make the simulated market too.")] = True,
) -> None:
    """Make a dbt project that uses barsieve as a package, ready for dbt build.

    It holds a profile, a score of its own and the simulated market. After pip installed
    another version, --upgrade renews the package and the files that are as init wrote
    them; what you changed stays and is named.

    Example: barsieve init desk && cd desk && dbt build
    """
    if folder is None and not upgrade:
        raise fail("name a folder: barsieve init desk")
    try:
        with refusing(REFUSED):
            if folder and not upgrade:
                _start(folder, demo)
            else:
                _renew(folder or paths.project_dir(), overwrite)
    except OSError as error:
        place = error.filename or folder or "."
        raise fail(f"{place}: {error.strerror or error}", REFUSED) from None


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _start(folder: Path, demo: bool) -> None:
    from barsieve.project.start import start_project

    start_project(folder, demo)
    _say(f"{folder} is a dbt project of yours; its README.md says what is in it\n")
    _say(f"    cd {folder}")
    if not demo:
        _say("    export BARSIEVE_MARKET=~/market")
    _say("    dbt build\n    barsieve show")


def _renew(folder: Path, overwrite: bool) -> None:
    from barsieve.project.renew import KEPT_AS, renew_project

    done = renew_project(folder, overwrite)
    _say(f"the package of {folder} is that of barsieve {done.now}, was {done.before}")
    if done.replaced:
        _say(f"replaced: {', '.join(done.replaced)}")
    if done.kept:
        _say(
            f"kept, for you changed them since: {', '.join(done.kept)}; --overwrite "
            f"takes those of this version and keeps yours as NAME{KEPT_AS}"
        )
