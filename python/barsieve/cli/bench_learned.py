"""`barsieve bench --learned`: what learned exits and sizes cost."""

from pathlib import Path
from typing import Any

from barsieve.cli.output import REFUSED, err, fail, number, out, print_json, table


def bench_learned(market: Path | None, as_json: bool) -> None:
    """Measure fits, judgement, and steps with a model, and print them."""
    from barsieve.bench.run import BuildFailedError, run_learned_bench

    try:
        with err.status("building, fitting, replaying ...", spinner="dots"):
            result = run_learned_bench(market)
    except (BuildFailedError, FileNotFoundError) as error:
        raise fail(str(error), REFUSED) from None
    if as_json:
        print_json(result)
        return
    _print_learned(result)


def _print_learned(result: dict[str, Any]) -> None:
    """Print what learning costs, beside what it may."""
    kind = "SIMULATED market" if result["is_simulated"] else "market"
    title = f"{kind} '{result['market_name']}', {result['cpus']} CPUs: seconds"
    columns = [
        "work", "model", "months", "closes", "by the clock", "processors", "at most",
    ]  # fmt: skip
    rows = [
        [
            r["work"], r["model"], number(r.get("months"), ",d"),
            number(r.get("closes"), ",d"), f"{r['seconds']:.2f}",
            f"{r['cpu_seconds']:.2f}", number(r["most_seconds"], "g"),
        ]
        for r in result["work"]
    ]  # fmt: skip
    out.print(table(title, columns, rows))
    rows = [
        [
            r["step"],
            f"{r['ms']:.2f}",
            f"{r['times']:.2f}x",
            number(r["most_times"], "g"),
        ]
        for r in result["steps"]
    ]
    columns = ["full replay with", "ms", "to no model", "at most"]
    out.print(table("one symbol, every bar; the models leave nowhere", columns, rows))
