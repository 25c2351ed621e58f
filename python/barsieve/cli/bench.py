"""`barsieve bench`: how fast it is."""

import time
from pathlib import Path
from typing import Annotated

import typer

from barsieve.cli.output import REFUSED, AsJson, err, fail, out, print_json, table


def bench(
    market: Annotated[
        Path | None, typer.Option(help="Market folder (default: BARSIEVE_MARKET).")
    ] = None,
    hours: Annotated[
        int | None, typer.Option(help="Simulate one symbol of so many hours instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure build, replay, commands and sweep in one run, in a folder of its own.

    Example: barsieve bench --market ~/market --json > bench.json
    """
    from barsieve.bench.run import BuildFailedError, run_bench

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
