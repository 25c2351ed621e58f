"""`barsieve prove`: no row of a build knows its future, whoever wrote its models."""

import time
from collections.abc import Callable
from itertools import groupby
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
    table,
)
from barsieve.cli.progress import bar
from barsieve.core import paths

# How many columns of a table that looks ahead are shown.
MOST_COLUMNS = 5


def prove(
    cuts: Annotated[
        int, typer.Option(min=1, max=1000, help="How often history is cut off.")
    ] = 20,
    market: Annotated[
        Path | None,
        typer.Option(help="Prove on another market's folder; the database stays."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Where it is cut off.")] = 1,
    on: Annotated[
        str | None,
        typer.Option(help="Cluster to run on: ray (a local one), or ray:HOST:PORT."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that no row of the built database knows its future.

    Every model between the market's files and the candidates, shipped or yours, runs
    again on histories that end at random hours, and must give the rows that the build
    has, bit by bit. What was found is the table proof_lookahead; build_info sums it up.
    Ends with 1, naming each column, when a model looks ahead.

    Example: barsieve prove --cuts 50
    """
    from barsieve.database.build import BuildRefusedError, amended
    from barsieve.proof.asked import proven
    from barsieve.proof.record import record
    from barsieve.proof.verdicts import sentence

    started = time.perf_counter()
    database = paths.database_file()
    other = market.expanduser().resolve() if market is not None else None
    with refusing(), bar("proving") as show:
        if on is None:
            found = proven(database, cuts, seed, other, show)
        else:
            found = _proven_on(on, database, cuts, seed, other)
    told = sentence(found)
    if market is None:
        try:
            with amended(database) as copy:
                told = record(copy, found)
        except BuildRefusedError as error:
            raise fail(str(error), REFUSED) from None
    if as_json:
        print_json(
            {
                "lookahead": told,
                "seconds": round(time.perf_counter() - started, 3),
                "findings": [row._asdict() for row in found],
            }
        )
    else:
        print_proof(found)
        seconds = time.perf_counter() - started
        out.print(f"{told} ({seconds:.0f} s)", markup=False, highlight=False)
    if any(row.verdict == "looks_ahead" for row in found):
        raise typer.Exit(REFUSED)


def print_proof(found: list[Any]) -> None:
    """Print a line for each table, and each column that looks ahead."""
    lines = []
    for name, of_table in groupby(found, key=lambda row: row.table_name):
        rows = list(of_table)
        worst = next((r for r in rows if r.verdict == "looks_ahead"), rows[0])
        lines.append(
            [
                worst.layer, name, str(len(rows)), f"{worst.cuts:,}",
                f"{worst.rows_compared:,}", _past(worst),
                worst.verdict.replace("_", " "),
            ]
        )  # fmt: skip
    columns = ["layer", "table", "columns", "cuts", "rows", "past", "verdict"]
    out.print(table("proof_lookahead: rows where history ends", columns, lines))
    print_notes(found, out.print)
    print_lookahead(found)


def _past(row: Any) -> str:
    """Return how much of the past the rows of a table need, in words."""
    if not row.cuts:
        return "-"
    return "all" if row.past_hours is None else f"{row.past_hours // 24} days"


def print_notes(found: list[Any], write: Callable[..., None]) -> None:
    """Print which tables are excused, and which were not compared, with the reason."""
    notes = {
        (row.table_name, row.verdict.replace("_", " "), row.note or "no rows at a cut")
        for row in found
        if row.verdict in ("excused", "not_compared")
    }
    for name, verdict, note in sorted(notes):
        write(
            f"{name} is {verdict}: {note}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def print_lookahead(found: list[Any]) -> None:
    """Name the columns that know their future, with the first row that shows it."""
    ahead = [row for row in found if row.verdict == "looks_ahead"]
    for name, of_table in groupby(ahead, key=lambda row: row.table_name):
        rows = list(of_table)
        for row in rows[:MOST_COLUMNS]:
            err.print(
                f"{name}.{row.column_name} looks ahead; {row.first_difference}",
                style="bold red", markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip
        if len(rows) > MOST_COLUMNS:
            rest = ", ".join(row.column_name for row in rows[MOST_COLUMNS:])
            err.print(f"{name} also in {rest}", markup=False, highlight=False)


def _proven_on(on: str, database: Path, n_cuts: int, seed: int, market: Path | None):
    """Prove on a cluster, whose nodes see the database; return the findings."""
    from barsieve.database.connect import open_database
    from barsieve.parts.engines import engine_of
    from barsieve.parts.jobs import run_jobs
    from barsieve.proof.record import refuse_other_input
    from barsieve.proof.tasks import tasks_of, together

    if market is not None:
        raise fail("--on proves the market that was built, not --market", REFUSED)
    with open_database(database) as connection:
        refuse_other_input(connection, database)
    with engine_of(on) as engine:
        tasks = tasks_of(database, n_cuts, seed, engine.slots)
        said = run_jobs(engine, tasks)
    return together(database, tasks[0], said)
