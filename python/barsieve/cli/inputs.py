"""`barsieve check` and `barsieve demo`: what a build reads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barsieve.cli.output import (
    REFUSED,
    AsJson,
    fail,
    out,
    print_findings,
    print_json,
)
from barsieve.core import paths
from barsieve.core.errors import Problem, describe

if TYPE_CHECKING:
    from barsieve.market.effects import Planted


def check(as_json: AsJson = False) -> None:
    """Check market and configs without building anything.

    Reads the folders that a build would read (BARSIEVE_MARKET, BARSIEVE_CONFIGS) and
    changes nothing. Exits with 1 when something is wrong. What a market merely lacks
    stops no build: it is listed, and stands in report_health after one.

    Example: BARSIEVE_MARKET=~/market barsieve check
    """
    from dataclasses import asdict

    from barsieve.database.input_check import check_input

    try:
        problems: list[Problem] = check_input()
    except FileNotFoundError as error:
        raise fail(str(error)) from None
    if as_json:
        print_json([asdict(problem) for problem in problems])
    elif problems:
        raise fail(describe(problems), REFUSED)
    else:
        out.print(f"sound: market {paths.market_dir()}, configs {paths.configs_dir()}")
        _print_what_it_lacks()
    if problems:
        raise typer.Exit(REFUSED)


def _print_what_it_lacks() -> None:
    from barsieve.core.extras import extra_findings
    from barsieve.database.health import worst_first
    from barsieve.market.findings import market_findings
    from barsieve.profiles.findings import config_findings

    folder = paths.project_dir()
    market = folder / paths.market_dir()
    findings = [
        *worst_first(market_findings(market, paths.macro_series_seed())),
        *config_findings(folder / paths.configs_dir()),
        *extra_findings(),
    ]
    if findings:
        n = len(findings)
        number = f"{n} finding{'' if n == 1 else 's'}"
        out.print(f"what it lacks or does not use, {number}:")
        print_findings(findings)


def demo(
    seed: Annotated[int | None, typer.Option(help="Of the random generator.")] = None,
    hours: Annotated[int | None, typer.Option(help="Length of the history.")] = None,
    symbols: Annotated[
        str,
        typer.Option(
            help="How many (BTC, ETH, SIM03, SIM04 ...), or which, comma-joined."
        ),
    ] = "BTC,ETH",
    planted: Annotated[
        str | None,
        typer.Option(
            help="Plant this alone, for what learns of trades to find: exits, or "
            "sizing."
        ),
    ] = None,
    strength: Annotated[
        float | None, typer.Option(help="How strong; 0 plants nothing.")
    ] = None,
    to: Annotated[
        Path, typer.Option(help="Folder of the market; must be new or a simulated one.")
    ] = Path("data/demo"),
) -> None:
    """Write the simulated market; the same seed gives the same values.

    Symbols beyond BTC and ETH have prices from 0.0001 to 100,000; some are listed late
    and some delisted before the end, as market.json says. With --planted exits momentum
    decays at a known age, with --planted sizing the payoff depends on volatility; what
    is there is written beside the market (truth/planted.json), with a profile that it
    concerns, to be copied into configs/.

    Example: barsieve demo --seed 7 --hours 20000 --to /tmp/market
    """
    from barsieve.market import simulation
    from barsieve.market.listings import MOST_SYMBOLS, symbols_asked

    chosen = symbols_asked(symbols)
    if chosen is None:
        raise fail(
            f"--symbols {symbols}: expected a number from 1 to {MOST_SYMBOLS:,}, or "
            "names of BTC, ETH, SIM03, SIM04 and so on, joined by commas"
        )
    n_hours = hours if hours is not None else simulation.DEFAULT_HOURS
    if n_hours < simulation.LEAST_HOURS:
        raise fail(
            f"--hours {n_hours}: expected at least {simulation.LEAST_HOURS}, "
            "a fortnight"
        )
    effect = _effect(planted, strength)
    if not simulation.may_write_to(to):
        raise fail(
            f"--to {to}: expected a new folder or a simulated market, found other "
            "files there; choose another folder",
            REFUSED,
        )
    market = simulation.simulate(
        seed if seed is not None else simulation.DEFAULT_SEED, n_hours, chosen,
        planted=effect,
    )  # fmt: skip
    simulation.write_market(market, to)
    n_bars = {symbol: table.num_rows for symbol, table in market.bars.items()}
    bars = ", ".join(f"{symbol} {n:,} bars" for symbol, n in n_bars.items())
    if market.further:
        bars = f"{len(n_bars):,} symbols, {sum(n_bars.values()):,} bars"
    out.print(f"simulated market in {to}: {bars} (seed {market.seed})")


def _effect(planted: str | None, strength: float | None) -> "Planted | None":
    from math import isfinite

    from barsieve.market.effects import KINDS
    from barsieve.market.effects import planted as planted_effect

    if planted is not None and planted not in KINDS:
        raise fail(f"--planted {planted}: expected one of {', '.join(KINDS)}")
    if strength is not None and planted is None:
        raise fail("--strength: expected --planted exits or sizing beside it")
    if strength is not None and not (isfinite(strength) and abs(strength) <= 10):
        raise fail(f"--strength {strength}: expected a number from -10 to 10")
    return None if planted is None else planted_effect(planted, strength)
