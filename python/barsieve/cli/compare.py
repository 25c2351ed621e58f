"""`barsieve compare`: two runs, trade by trade."""

from typing import Annotated, Any

import typer

from barsieve.analysis.tolerances import TRADES_TOLERANCE, WIN_RATE_TOLERANCE
from barsieve.cli.figures import IsAll
from barsieve.cli.output import (
    REFUSED,
    AsJson,
    fail,
    number,
    out,
    print_json,
    refusing,
    table,
)
from barsieve.metrics.labels import FEW

LABELS = {
    "identical": "identical",
    "differs": "differ",
    "missing": "missing (in A alone)",
    "invented": "invented (in B alone)",
}


def _cell(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _print_differing(trades: list[dict[str, Any]], first: int) -> None:
    apart = [trade for trade in trades if trade["verdict"] != "identical"]
    rows = [
        [
            f"{trade['decision_ts']:%Y-%m-%d %H:%M}",
            trade["side"],
            trade["verdict"],
            ", ".join(
                f"{key} {_cell(a)} → {_cell(b)}"
                for key, (a, b) in list(trade["fields"].items())[:2]
            )
            + (
                f", {len(trade['fields']) - 2} more" if len(trade["fields"]) > 2 else ""
            ),
        ]
        for trade in apart[:first]
    ]
    if rows:
        title = f"the first {len(rows)} of {len(apart)} trades that are not identical"
        out.print(table(title, ["decision", "side", "verdict", "fields"], rows))


def compare(
    a: Annotated[str, typer.Argument(help="A run.", metavar="A")],
    b: Annotated[str, typer.Argument(help="Another run.", metavar="B")],
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Only trades decided then or later."
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Only trades decided before."),
    ] = None,
    within: Annotated[
        bool,
        typer.Option("--within", help="Ask for the tolerances, not for identity."),
    ] = False,
    trades_tolerance: Annotated[
        float, typer.Option(help="Greatest relative difference in trades.")
    ] = TRADES_TOLERANCE,
    win_rate_tolerance: Annotated[
        float, typer.Option(help="Greatest difference in win rate, a fraction.")
    ] = WIN_RATE_TOLERANCE,
    first: Annotated[
        int, typer.Option(help="How many trades that are not identical to print.")
    ] = 10,
    is_all: IsAll = False,
    as_json: AsJson = False,
) -> None:
    """Compare two runs trade by trade; exit with 0 when they are identical, else 1.

    A run is PROFILE or PROFILE:focused of the current database (full by
    default), DATABASE.duckdb::PROFILE[:full|focused], or a trade log
    (.jsonl) of replay. With --within, 0 means that number of trades and win
    rate lie within the tolerances. Runs without a trade never pass.

    Example: barsieve compare eth_sentinel eth_sentinel:focused --within
    """
    from barsieve.api.comparison import compared
    from barsieve.core.times import span

    for option, value in (
        ("--trades-tolerance", trades_tolerance),
        ("--win-rate-tolerance", win_rate_tolerance),
    ):
        if not 0 <= value <= 1:
            raise fail(f"{option} {value}: expected a fraction from 0 to 1")
    with refusing():
        ends = span(start, end)
        comparison = compared(None, a, b, ends)
    is_kept = comparison.is_within(trades_tolerance, win_rate_tolerance)
    document = comparison.document() | {"is_within": is_kept}
    passes = is_kept if within else comparison.verdict == "identical"
    if as_json:
        print_json(document)
    else:
        rows = [[LABELS[key], f"{n:,}"] for key, n in comparison.counts.items()]
        title = f"A: {a}\nB: {b}\n{comparison.verdict}"
        title += f", {'within' if is_kept else 'not within'} the tolerances" * within
        out.print(title, markup=False, highlight=False, style="bold")
        for run, broken in comparison.broken.items():
            mark = f"{run} is broken in its build: {broken}"
            out.print(mark, markup=False, highlight=False, style="bold red")
        out.print(table("trades", ["verdict", "trades"], rows))
        rows = [
            [m["figure"], *(number(m[key], ",.6g") for key in ("a", "b", "difference"))]
            for m in document["metrics"]
            if is_all or m["figure"] in FEW
        ]
        title = "figures" if is_all else "figures (--all: every one)"
        out.print(table(title, ["figure", "A", "B", "B - A"], rows))
        _print_differing(document["trades"], first)
    if not passes:
        raise typer.Exit(REFUSED)
