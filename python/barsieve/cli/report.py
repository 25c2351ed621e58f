"""`barsieve report`: what a build says, as a page to look at."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from barsieve.cli.output import REFUSED, AsJson, err, out, print_json, refusing
from barsieve.core import paths


def report(
    to: Annotated[
        Path, typer.Option(help="File to write; new, or an older report.")
    ] = Path("report.html"),
    profile: Annotated[
        list[str] | None,
        typer.Option(help="Only this profile (repeat for more; the first is on top)."),
    ] = None,
    is_opened: Annotated[
        bool, typer.Option("--open", help="Open it in the browser.")
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(help="Also draw its head as a PNG; needs the extra 'report'."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write one HTML file of the built database; it needs no network.

    Verdict of parity, price with every trade, equity, outcomes, screening and data
    health, for the profiles of the database; of one that trades several symbols what
    they add up to, and those with most trades one by one.

    Example: barsieve report --profile btc_live --to btc.html --open
    """
    from barsieve.report import check_target, write_report
    from barsieve.report.picture import check_picture, write_picture

    # Refuse before anything is written.
    with refusing(REFUSED):
        check_target(to)
        if picture is not None:
            check_picture(picture)
    with refusing(), err.status("writing the report ...", spinner="dots"):
        written = write_report(paths.database_path(), to, profile or [])
        if picture is not None:
            write_picture(to, picture)
    if as_json:
        print_json(
            {
                "path": str(written.path),
                "size_bytes": written.size_bytes,
                "profiles": written.profiles,
                "parity": written.verdict,
                "left_out": written.left_out,
            }
        )
    else:
        out.print(
            f"{written.path}: {written.size_bytes / 1e6:.1f} MB, "
            f"profiles {', '.join(written.profiles)}; parity {written.verdict}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if is_opened and not webbrowser.open(to.resolve().as_uri()):
        err.print(f"no browser found; open {to} yourself", markup=False)
