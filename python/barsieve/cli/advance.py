"""`barsieve advance`: a built file brought to the end of its market."""

import time
from typing import Annotated

import typer

from barsieve.cli.output import REFUSED, AsJson, out, print_json, refusing
from barsieve.core import paths


def advance(
    as_json: AsJson = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="Say how many rows each table got.")
    ] = False,
) -> None:
    """Bring the built database to the end of the market, as a build would, in seconds.

    Only what is new is computed, the last day of every table is made again and must
    come out as it is, and the file is exchanged as a whole. What looks back on a build
    (evaluation, sweeps, reports) stays as the last build left it; barsieve show says
    so. Refused, and nothing is changed: other code or configs than built, bars of the
    past that are new or others, and any row that comes out otherwise.

    Example: barsieve ingest && barsieve advance
    """
    from barsieve.live.advance import advance as advance_file

    folder = paths.project_dir()
    started = time.perf_counter()
    with refusing(REFUSED):
        done = advance_file(
            paths.database_file(),
            folder / paths.market_dir(),
            configs=folder / paths.configs_dir(),
        )
    seconds = time.perf_counter() - started
    if as_json:
        print_json(done._asdict() | {"seconds": round(seconds, 3)})
        return
    if not done.is_new:
        told = f"{done.database} is at the end of the market; nothing is new"
    else:
        told = (
            f"{done.database} went on from {done.from_ts:%Y-%m-%d %H:%M} to "
            f"{done.to_ts:%Y-%m-%d %H:%M}: {done.n_bars:,} bars, "
            f"{seconds:.1f} s"
        )
    out.print(told, markup=False, highlight=False, soft_wrap=True)
    if tables:
        for name, n_rows in sorted(done.tables.items()):
            out.print(f"  {name}: {n_rows:,}", markup=False, highlight=False)
