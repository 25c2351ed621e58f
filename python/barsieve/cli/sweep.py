"""`barsieve sweep`: thousands of configurations over the built bars."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.output import (
    AsJson,
    err,
    fail,
    number,
    out,
    print_json,
    refusing,
    table,
)
from barsieve.core import paths

INTERRUPTED = 130


def _peak_mb() -> float:
    """Return the most memory that this process has had so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024


def _usd(value: float | None) -> str:
    return number(value, "+,.0f")


FIGURES = (
    ("profile", "base profile", str),
    ("tried", "configurations tried", "{:,}".format),
    ("violations", "of them not run", "{:,}".format),
    ("configs", "run", "{:,}".format),
    ("with_trades", "with a trade", "{:,}".format),
    ("profitable", "profitable", "{:.1%}".format),
    ("best_config", "best by net result", str),
    ("best_trades", "  its trades", "{:,}".format),
    ("best_net_pnl", "  its net result, USD", _usd),
    ("best_sharpe", "best Sharpe", lambda value: number(value, ".2f")),
    ("median_net_pnl", "median net result, USD", _usd),
    ("median_sharpe", "median Sharpe", lambda value: number(value, ".2f")),
    (
        "threshold_sharpe_correlation",
        "correlation of threshold and Sharpe",
        lambda value: number(value, "+.3f"),
    ),
)


def _prepared(database: Path, grid, n, seed, symbols, profile):
    """Read the database once; return each symbol's sweep with its folder."""
    from barsieve.database.connect import open_database
    from barsieve.sweep.prepared import prepared_sweeps
    from barsieve.sweep.store import folder_of

    with open_database(database) as connection:
        sweeps = prepared_sweeps(connection, grid, n, seed, symbols, profile)
        return [(sweep, folder_of(database, sweep)) for sweep in sweeps]


def _run(sweeps, threads: int, chunk: int) -> tuple[int, float]:
    """Run with a bar on a terminal; return configurations run and seconds."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from barsieve.sweep.run import warm_up
    from barsieve.sweep.store import run_sweeps

    with err.status("compiling (once) ...", spinner="dots"):
        warm_up(sweeps[0][0])
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    started = time.perf_counter()
    total = sum(len(sweep.grid.configs) for sweep, _ in sweeps)
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("configurations", total=total, rate="")

        def advance(done: int) -> None:
            bar.advance(task, done)
            seconds = time.perf_counter() - started
            rate = bar.tasks[task].completed / seconds
            bar.update(task, rate=f"{rate:,.0f}/s")

        done = run_sweeps(sweeps, threads, chunk, advance)
    return done, time.perf_counter() - started


def _run_on(on: str, sweeps, asked: dict[str, Any], chunk: int):
    """Run on a cluster; return configurations run, seconds, and tasks at once."""
    from barsieve.parts.engines import engine_of
    from barsieve.parts.jobs import run_jobs
    from barsieve.sweep.tasks import tasks_of

    started = time.perf_counter()
    resolved = [(sweep, folder.resolve()) for sweep, folder in sweeps]
    with engine_of(on) as engine:
        tasks = tasks_of(resolved, asked, chunk, engine.slots)
        said = run_jobs(engine, tasks)
        done = sum(one["configs"] for one in said)
        return done, time.perf_counter() - started, engine.slots


def _violation_line(row: dict[str, Any]) -> str:
    return f"{row['symbol']}: {row['configs']:,} not run: not {row['violation']}"


def _speed_line(report: dict[str, Any]) -> str:
    line = f"ran {report['configs_run']:,} in {report['seconds']:.2f} s"
    if report["configs_per_second"] is not None:
        line += f", {report['configs_per_second']:,.0f}/s, {report['threads']} threads"
    return f"{line}; {report['configs_resumed']:,} were finished before"


def _print(report: dict[str, Any]) -> None:
    rows = [
        [title, *(show(row[name]) for row in report["summary"])]
        for name, title, show in FIGURES
    ]
    symbols = [row["symbol"] for row in report["summary"]]
    title = f"grid {report['grid']}, net of all costs"
    out.print(table(title, ["figure", *symbols], rows))
    for row in report["violations"]:
        out.print(_violation_line(row), markup=False, highlight=False)
    out.print(_speed_line(report))
    if "rows_added" in report:
        out.print(
            f"sweep_results: {report['rows_added']:,} new rows; a dbt build drops "
            "them, the same command then adds them again"
        )
    out.print("The best of many tries is no forecast: it was chosen after the fact.")


def sweep(
    grid: Annotated[str, typer.Option(help="Grid of the seed sweep_grids.")] = "quick",
    n: Annotated[
        int, typer.Option("--n", min=1, max=2**20, help="Points of a sampled grid.")
    ] = 1024,
    symbol: Annotated[
        list[str] | None,
        typer.Option(
            help="Symbol; may be repeated (default: those of the profile, or all that "
            "have one)."
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Base profile; one whose symbols share a wallet is swept as a whole "
            "(default: each symbol's first by name that has the domains of those that "
            "learn)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of a sampled grid.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads.")] = os.cpu_count() or 1,
    chunk: Annotated[
        int, typer.Option(min=1, help="Configurations written together, at most.")
    ] = 500,
    on: Annotated[
        str | None,
        typer.Option(help="Cluster to run on: ray (a local one), or ray:HOST:PORT."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay thousands of configurations over the built bars, into sweep_results.

    Every configuration gets exactly the trades of its own full replay. Finished chunks
    are kept beside the database: Ctrl-C loses none, and the same command goes on.

    Example: barsieve sweep --grid sobol --n 10000 --symbol ETH --symbol BTC
    """
    from pyarrow import default_memory_pool

    from barsieve.sweep.store import StoppedError, load, read_results
    from barsieve.sweep.summary import summarise

    database = paths.database_path()
    with refusing():
        sweeps = _prepared(database, grid, n, seed, symbol, profile)
        total = sum(len(sweep.grid.configs) for sweep, _ in sweeps)
        try:
            if on is None:
                done, seconds = _run(sweeps, threads, chunk)
            else:
                asked = {
                    "database": str(database.resolve()), "grid": grid, "n": n,
                    "seed": seed, "symbols": symbol, "profile": profile,
                }  # fmt: skip
                done, seconds, threads = _run_on(on, sweeps, asked, chunk)
        except StoppedError:
            raise fail(
                "stopped; finished configurations are kept in "
                f"{sweeps[0][1].parent}: the same command goes on from there",
                INTERRUPTED,
            ) from None
        folders = [folder for _, folder in sweeps]
        # Loading needs room of its own: what is read is let go, and given back.
        del sweeps
        default_memory_pool().release_unused()
        report = {
            "grid": grid,
            "configs_run": done,
            "configs_resumed": total - done,
            "seconds": seconds,
            "configs_per_second": done / seconds if done else None,
            "threads": threads,
            "peak_mb": _peak_mb(),
            **summarise(read_results(folders)),
            "files": [str(folder) for folder in folders],
        }
        # Printed whatever becomes of the loading: the sweep itself is done and kept.
        try:
            report["rows_added"] = load(database, folders)
        finally:
            report["peak_mb_loading"] = _peak_mb()
            if as_json:
                print_json(report)
            else:
                _print(report)
