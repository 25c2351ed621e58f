"""`barsieve bench --live`: how fast paper trading is, and a build after new bars."""

from pathlib import Path
from typing import Any

from barsieve.cli.output import REFUSED, err, fail, out, print_json, refusing, table


def bench_live(market: Path | None, as_json: bool) -> None:
    """Measure, and print the figures."""
    from barsieve.bench.live.hours import BenchFailedError
    from barsieve.bench.live.run import run_live
    from barsieve.bench.run import BuildFailedError

    try:
        with (
            refusing(REFUSED),
            err.status("building, trading, building ...", spinner="dots"),
        ):
            found = run_live(market)
    except (BenchFailedError, BuildFailedError, FileNotFoundError) as error:
        raise fail(str(error), REFUSED) from None
    if as_json:
        print_json(found)
        return
    _print(found)


def _print(found: dict[str, Any]) -> None:
    kind = "SIMULATED market" if found["is_simulated"] else "market"
    out.print(
        f"{kind} '{found['market']}': {found['bars']:,} bars, "
        f"{found['symbols']} symbols, {found['profiles']} profiles, "
        f"{found['cpus']} CPUs",
        markup=False,
        highlight=False,
    )
    hour, advance, many = found["hour"], found["advance"], found["many_symbols"]
    missed, again = found["catch_up"], found["rebuild"]
    spread = [
        (f"an hour, ingest included ({found['hours']} of them)", hour),
        ("its advance alone", advance),
        (f"advance of {many['symbols']} symbols, one profile", many),
    ]
    rows = [
        [what, f"{of['median_seconds']:.2f}", f"{of['p95_seconds']:.2f}"]
        + [f"{of['cpu_median_seconds']:.2f}" if "cpu_median_seconds" in of else ""]
        for what, of in spread
    ]
    rows.append(
        [f"catch-up of {missed['hours']:,} hours", f"{missed['seconds']:.2f}", "", ""]
    )
    columns = ["paper trading", "median s", "p95 s", "CPU s"]
    out.print(table("seconds", columns, rows))
    rows = [
        ["first", f"{found['first_build']['seconds']:.1f}"]
        + [f"{found['first_build']['cpu_seconds']:.1f}", ""],
        [f"after {again['hours']:,} hours", f"{again['seconds']:.1f}"]
        + [f"{again['cpu_seconds']:.1f}", f"{again['ratio']:.1f}x"],
    ]
    columns = ["dbt build", "s", "CPU s", "sooner"]
    out.print(table("builds", columns, rows))
    out.print(
        f"peak memory of the hours {hour['peak_mb']:,.0f} MB; a resumed step from "
        f"Python {found['step']['median_us']:.0f} µs\n",
        highlight=False,
    )
