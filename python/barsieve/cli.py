"""The command line: `barsieve check`, `demo`, `show`, `replay`, `bench`."""

import json
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from barsieve import __version__, project
from barsieve.problems import InputError, Problem, describe

app = typer.Typer(
    help="A trading-research engine that proves its backtests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# A pipe has no width of its own; 80 columns would cut figures off.
out = Console(width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True)

REFUSED, NOT_FOUND = 1, 2

TEXT_COLUMNS = {
    "profile", "strategy", "layer", "figure", "screen", "promise", "verdict", "parity",
    "entry", "exit", "side", "reason",
}  # fmt: skip

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class Mode(StrEnum):
    """Kinds of replay."""

    full = "full"
    focused = "focused"


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, default=str))


def _fail(message: str, code: int = NOT_FOUND) -> typer.Exit:
    err.print(message, markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


def _table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """Return a table with text on the left and figures on the right."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        is_text = column in TEXT_COLUMNS
        table.add_column(column, justify="left" if is_text else "right", no_wrap=True)
    for row in rows:
        table.add_row(*[escape(cell) for cell in row])
    return table


def _number(value: float | None, pattern: str) -> str:
    return "-" if value is None else format(value, pattern)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"barsieve {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """A trading-research engine that proves its backtests."""


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check market and configs without building anything.

    Reads the folders that a build would read (BARSIEVE_MARKET, BARSIEVE_CONFIGS) and
    changes nothing. Exits with 1 when something is wrong.

    Example: BARSIEVE_MARKET=~/market barsieve check
    """
    from dataclasses import asdict

    from barsieve.check import check_input

    try:
        problems: list[Problem] = check_input()
    except FileNotFoundError as error:
        raise _fail(str(error)) from None
    if as_json:
        _print_json([asdict(problem) for problem in problems])
    elif problems:
        raise _fail(describe(problems), REFUSED)
    else:
        out.print(
            f"sound: market {project.market_dir()}, configs {project.configs_dir()}"
        )
    if problems:
        raise typer.Exit(REFUSED)


@app.command()
def demo(
    seed: Annotated[int | None, typer.Option(help="Of the random generator.")] = None,
    hours: Annotated[int | None, typer.Option(help="Length of the history.")] = None,
    symbols: Annotated[
        str, typer.Option(help="BTC, ETH or both, comma-joined.")
    ] = "BTC,ETH",
    to: Annotated[
        Path, typer.Option(help="Folder of the market; must be new or a simulated one.")
    ] = Path("data/demo"),
) -> None:
    """Write the simulated market; the same seed gives the same values.

    Example: barsieve demo --seed 7 --hours 20000 --to /tmp/market
    """
    from barsieve import synthetic

    chosen = tuple(symbol.strip() for symbol in symbols.split(","))
    unknown = set(chosen) - set(synthetic.FIRST_PRICES)
    if unknown:
        raise _fail(f"--symbols {symbols}: expected BTC, ETH or BTC,ETH")
    n_hours = hours if hours is not None else synthetic.DEFAULT_HOURS
    if n_hours < synthetic.LEAST_HOURS:
        raise _fail(
            f"--hours {n_hours}: expected at least {synthetic.LEAST_HOURS}, a fortnight"
        )
    if not synthetic.may_write_to(to):
        raise _fail(
            f"--to {to}: expected a new folder or a simulated market, found other "
            "files there; choose another folder",
            REFUSED,
        )
    market = synthetic.simulate(
        seed if seed is not None else synthetic.DEFAULT_SEED, n_hours, chosen
    )
    synthetic.write_market(market, to)
    bars = ", ".join(f"{s} {t.num_rows:,} bars" for s, t in market.bars.items())
    out.print(f"simulated market in {to}: {bars} (seed {market.seed})")


def _parity_table(rows: list[dict[str, Any]]) -> Table:
    columns = [
        "profile", "screen", "promise", "verdict", "full", "focused", "identical",
        "recall", "visited",
    ]  # fmt: skip
    lines = [
        [
            r["profile"], r["screen"], r["promise"], r["verdict"],
            f"{r['full_trades']:,}", f"{r['focused_trades']:,}", f"{r['identical']:,}",
            _number(r["recall"], ".1%"), f"{r['bars_visited'] / r['bars']:.1%}",
        ]
        for r in rows
    ]  # fmt: skip
    return _table("parity_summary: focused replay against full", columns, lines)


def _performance_table(rows: list[dict[str, Any]]) -> Table:
    columns = [
        "profile", "strategy", "trades", "win", "factor", "return", "Sharpe",
        "drawdown", "luck",
    ]  # fmt: skip
    lines = [
        [
            r["profile"], r["strategy"], f"{r['trades']:,}",
            _number(r["win_rate"], ".1%"), _number(r["profit_factor"], ".2f"),
            _number(r["return_share"], "+.1%"), _number(r["sharpe"], ".2f"),
            _number(r["max_drawdown"], ".1%"),
            _number(r["random_at_least_as_good"], ".0%"),
        ]
        for r in rows
    ]  # fmt: skip
    return _table("report_performance: net of all costs", columns, lines)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Print what the built database says: origin, parity, performance.

    The column luck is the share of replays with the same signals at random times that
    earned at least as much.

    Example: barsieve show
    """
    from barsieve.replay.report import open_database

    try:
        connection = open_database(project.database_path())
    except InputError as error:
        raise _fail("\n".join(str(p) for p in error.problems)) from None
    tables = {
        name: connection.table(name).to_arrow_table().to_pylist()
        for name in ("build_info", "parity_summary", "report_performance")
    }
    if as_json:
        _print_json(tables)
        return
    info = tables["build_info"][0]
    kind = "SIMULATED market" if info["is_simulated"] else "market"
    out.print(
        f"{kind} '{info['market_name']}': {info['symbols']}, {info['bars']:,} bars, "
        f"{info['first_bar_ts']:%Y-%m-%d} to {info['last_bar_ts']:%Y-%m-%d}",
        markup=False,
        highlight=False,
    )
    by_profile = sorted(tables["parity_summary"], key=lambda row: row["profile"])
    out.print(_parity_table(by_profile))
    out.print(_performance_table(tables["report_performance"]))


@app.command()
def replay(
    profile: Annotated[str, typer.Option(help="Profile to replay.")],
    mode: Annotated[
        Mode, typer.Option(help="Every bar, or where the screen points.")
    ] = Mode.full,
    last: Annotated[
        int, typer.Option(help="How many of the last trades to print.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Replay a profile over the built tables and print its trades.

    Example: barsieve replay --profile eth_comprehensive --mode focused
    """
    from barsieve.replay.report import replay_profile

    try:
        report = replay_profile(project.database_path(), profile, mode.value)
    except InputError as error:
        raise _fail("\n".join(str(p) for p in error.problems)) from None
    if as_json:
        _print_json({"summary": report.summary, "trades": report.trades})
        return
    rows = [[name, f"{value}"] for name, value in report.summary.items()]
    out.print(_table(f"{profile}, {mode.value} replay", ["figure", "value"], rows))
    shown = report.trades[-last:] if last > 0 else []
    columns = ["entry", "side", "in", "exit", "out", "reason", "R", "net USD"]
    lines = [
        [
            f"{trade['entry_ts']:%Y-%m-%d %H:%M}",
            trade["side"],
            f"{trade['entry_price']:.2f}",
            f"{trade['exit_ts']:%m-%d %H:%M}",
            f"{trade['exit_price']:.2f}",
            trade["exit_reason"],
            f"{trade['r_multiple']:.2f}",
            f"{trade['net_pnl']:.2f}",
        ]
        for trade in shown
    ]
    if lines:
        out.print(_table(f"last {len(lines)} trades", columns, lines))


@app.command()
def bench(
    market: Annotated[
        Path | None, typer.Option(help="Market folder (default: BARSIEVE_MARKET).")
    ] = None,
    hours: Annotated[
        int | None, typer.Option(help="Simulate one symbol of so many hours instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure build and replay in one run, in a folder of its own.

    Example: barsieve bench --market ~/market --json > bench.json
    """
    from barsieve.bench import BuildFailedError, run_bench

    started = time.perf_counter()
    try:
        with err.status("building and replaying ...", spinner="dots"):
            result = run_bench(market, hours)
    except (BuildFailedError, FileNotFoundError) as error:
        raise _fail(str(error), REFUSED) from None
    result["bench_seconds"] = round(time.perf_counter() - started, 1)
    if as_json:
        _print_json(result)
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
    out.print(_table("build, seconds of work per layer", ["layer", "seconds"], rows))
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
    out.print(_table("replay, inputs in memory", columns, rows))


if __name__ == "__main__":
    sys.exit(app())
