"""`barsieve bench`: how fast it is."""

import time
from pathlib import Path
from typing import Annotated

import typer

from barsieve.cli.bench_learned import bench_learned
from barsieve.cli.bench_live import bench_live
from barsieve.cli.output import REFUSED, AsJson, err, fail, out, print_json, table

ENGINES = ["in process", "ray"]


def _bench_parts(symbols: int, hours: int, engines: list[str], as_json: bool) -> None:
    """Print how builds by parts of simulated symbols compare."""
    from barsieve.bench.parts import PartsFailedToBuildError, run_parts_bench

    known = ("in process", "processes", "ray")
    if unknown := [name for name in engines if name not in known]:
        raise fail(f"--engine {unknown[0]}: expected one of {', '.join(known)}")
    try:
        with err.status("building by symbol ...", spinner="dots"):
            rows = run_parts_bench(symbols, hours, ["btc_live"], engines)
    except PartsFailedToBuildError as error:
        raise fail(str(error), REFUSED) from None
    if as_json:
        print_json(rows)
        return
    columns = [
        "engine", "seconds", "symbols/s", "CPU s", "CPU s a symbol", "of it in parts",
        "peak MB", "written MB", "CPU ratio",
    ]  # fmt: skip
    first = rows[0]["cpu_seconds"]
    told = [
        [
            row["engine"], f"{row['seconds']:.0f}", f"{row['symbols_per_second']:.2f}",
            f"{row['cpu_seconds']:.0f}", f"{row['cpu_seconds_per_symbol']:.2f}",
            f"{row['parts_cpu_seconds_per_symbol']:.2f}", f"{row['peak_mb']:,.0f}",
            f"{row['written_mb']:,.0f}", f"{row['cpu_seconds'] / first:.2f}",
        ]
        for row in rows
    ]  # fmt: skip
    out.print(table(f"{symbols} simulated symbols of {hours:,} hours", columns, told))


def bench(
    market: Annotated[
        Path | None, typer.Option(help="Market folder (default: BARSIEVE_MARKET).")
    ] = None,
    hours: Annotated[
        int | None, typer.Option(help="Simulate one symbol of so many hours instead.")
    ] = None,
    symbols: Annotated[
        int | None,
        typer.Option(min=2, help="Build so many simulated symbols by parts instead."),
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(help="in process, processes or ray; with --symbols, repeatable."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Measure paper trading instead.")
    ] = False,
    learned: Annotated[
        bool, typer.Option("--learned", help="Measure learned exits and sizes instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure build, replay, commands and sweep in one run, in a folder of its own.

    With --symbols: a build by symbol of simulated ones, in this process and through a
    local Ray cluster, with time, CPU, memory and bytes written.

    With --live: an hour of paper trading against an exchange on this machine, an hour
    of many symbols, a thousand missed hours, a step, a build, and one after new bars.

    With --learned: the fits of exits and sizes, and replays with a model beside those
    without.

    Example: barsieve bench --market ~/market --json > bench.json
    """
    from barsieve.bench.run import BuildFailedError, run_bench

    if symbols is not None and not (live or learned):
        _bench_parts(symbols, hours or 43_804, engine or ENGINES, as_json)
        return
    if live and not learned:
        if hours is not None or symbols is not None:
            raise fail("--hours and --symbols go without --live", REFUSED)
        bench_live(market, as_json)
        return
    if learned:
        if hours is not None or symbols is not None or live:
            raise fail("--hours, --symbols and --live go without --learned", REFUSED)
        bench_learned(market, as_json)
        return
    started = time.perf_counter()
    try:
        with err.status("building, replaying, sweeping ...", spinner="dots"):
            result = run_bench(market, hours)
    except (BuildFailedError, FileNotFoundError) as error:
        raise fail(str(error), REFUSED) from None
    result["bench_seconds"] = round(time.perf_counter() - started, 1)
    if as_json:
        print_json(result)
        return
    build = result["build"]
    kind = "SIMULATED market" if result["is_simulated"] else "market"
    out.print(
        f"{kind} '{result['market']}': {result['bars']:,} bars, "
        f"{result['profiles']} profiles, {result['cpus']} CPUs",
        markup=False,
        highlight=False,
    )
    rows = [[layer, f"{seconds:.2f}"] for layer, seconds in build["layers"].items()]
    rows.append(["dbt build, start to end", f"{build['seconds']:.1f}"])
    rows.append(["peak memory, MB", f"{build['peak_mb']:,.0f}"])
    out.print(table("build, seconds of work per layer", ["layer", "seconds"], rows))
    if result["failed_tests"]:
        out.print(f"tests that failed: {', '.join(result['failed_tests'])}\n")
    columns = [
        "profile", "full ms", "bars/s", "focused ms", "visited", "of bars", "faster",
        "candidates", "trades", "parity",
    ]  # fmt: skip
    rows = [
        [
            r["profile"], f"{r['full_ms']:.2f}",
            f"{r['full_bars_per_second'] / 1e6:.0f} M",
            f"{r['focused_ms']:.2f}", f"{r['bars_visited']:,}",
            f"{r['bars_visited'] / r['bars']:.1%}", f"{r['time_ratio']:.1f}x",
            f"{r['candidate_share']:.1%}", f"{r['trades']:,}", r["parity"],
        ]
        for r in result["replay"]
    ]  # fmt: skip
    out.print(table("replay, inputs in memory", columns, rows))
    if not result["commands"]:
        out.print("no commands, no sweep: they need a build whose tests all passed\n")
        return
    rows = [
        [r["command"], f"{r['median_seconds']:.2f}", f"{r['best_seconds']:.2f}"]
        for r in result["commands"]
    ]
    columns = ["command", "median s", "best s"]
    out.print(table("commands, from start to end", columns, rows))
    columns = [
        "grid",
        "symbol",
        "configs",
        "seconds",
        "configs/s",
        "peak MB",
        "loading",
    ]
    rows = [
        [
            r["grid"], r["symbol"], f"{r['configs']:,}", f"{r['seconds']:.2f}",
            f"{r['configs_per_second']:,}", f"{r['peak_mb']:,.0f}",
            f"{r['peak_mb_loading']:,.0f}",
        ]
        for r in result["sweep"]
    ]  # fmt: skip
    threads = result["sweep"][0]["threads"]
    out.print(table(f"sweep, all metrics, {threads} threads", columns, rows))
