"""`barsieve bench-peers`: how fast it is beside other backtesters."""

import time
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
from barsieve.core import paths


def _span(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1.0 else f"{seconds * 1e3:,.2f} ms"


def _rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    return [
        [
            r["engine"], f"{r['configurations']:,}",
            _span(r["seconds"]) + (" *" if r["is_extrapolated"] else ""),
            f"{r['ratio']:,.1f}x", f"{r['trades']:,}",
            f"{r['agreement']:.2%}", "same" if r["has_same_rules"] else "other",
        ]
        for r in rows
    ]  # fmt: skip


def _print(result: dict[str, Any]) -> None:
    kind = "SIMULATED market" if result["is_simulated"] else "market"
    versions = ", ".join(f"{n} {v}" for n, v in result["versions"].items())
    out.print(
        f"{kind} '{result['market']}': {result['symbol']}, {result['bars']:,} bars, "
        f"{result['cpus']} CPUs, {versions}",
        markup=False,
        highlight=False,
    )
    columns = ["engine", "run", "time", "ratio", "trades", "agree", "rules"]
    titles = {
        "one": "one configuration: SMA 20/50, stop 2 ATR 14, target 3 ATR 14",
        "sweep": f"{result['sweep'][0]['configurations']:,} configurations",
    }
    for name, title in titles.items():
        out.print(table(title, columns, _rows(result[name])))
    if any(r["is_extrapolated"] for r in result["sweep"]):
        out.print("* extrapolated from a sample\n", markup=False)
    first = ", ".join(
        f"{name} {_span(seconds)}"
        for name, seconds in result["first_call_seconds"].items()
    )
    out.print(f"first calls, compiling or loading from a cache, not counted: {first}\n")
    for note in result["notes"]:
        out.print(f"- {note}", markup=False, highlight=False)


def bench_peers(
    market: Annotated[
        Path | None, typer.Option(help="Market folder (default: BARSIEVE_MARKET).")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(help="Symbol (default: ETH, or the first).")
    ] = None,
    configs: Annotated[
        int, typer.Option(min=1, max=2400, help="Number of configurations.")
    ] = 2372,
    sample: Annotated[
        int, typer.Option(min=1, help="How many of them backtesting.py runs.")
    ] = 24,
    repeats: Annotated[
        int, typer.Option(min=1, help="Turns of each engine; the best counts.")
    ] = 2,
    as_json: AsJson = False,
) -> None:
    """Run the same rules through vectorbt, backtesting.py and barsieve; compare, time.

    Trades must agree in bars and prices: exits with 1 when one differs.

    Example: barsieve bench-peers --market ~/market --configs 200
    """
    try:
        from barsieve.bench.peers.bench import disagreements, run_bench_peers
    except ModuleNotFoundError as error:
        if error.name not in ("vectorbt", "backtesting", "pandas"):
            raise
        raise fail(
            f"bench-peers needs {error.name}: pip install 'barsieve[peers]'"
        ) from None
    with refusing(REFUSED), err.status("taking turns ...", spinner="dots"):
        folder = paths.project_dir() / (market or paths.market_dir())
        result = run_bench_peers(
            folder, symbol, configs, sample, repeats, time.perf_counter
        )
    if as_json:
        print_json(result)
    else:
        _print(result)
    if found := disagreements(result):
        raise fail("\n".join(found), REFUSED)
