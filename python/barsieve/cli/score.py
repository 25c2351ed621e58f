"""`barsieve score`: what a score knows of the hours that follow, before any replay."""

from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any

import typer

from barsieve.cli.choices import current
from barsieve.cli.output import AsJson, number, out, print_json, refusing, table
from barsieve.core import paths

EFFECT = {"information_coefficient": "+.3f"}
SPREAD = {"spread_bps": "+.1f", "cost_bps": ".1f", "break_even_bps": ".1f"}
PAID = {name: SPREAD[name] for name in ("spread_bps", "cost_bps")}
TRADED = {"hit_rate": ".1%", "turnover": ".2f"}
CHANCE = {"p_value": ".4f", "p_adjusted": ".4f"}
UNIT = {"information_coefficient": ".3f", "spread_bps": ".1f"}
HEADS = ["IC", "bps", "cost", "bears"]


def _figures(row: dict[str, Any], patterns: dict[str, str]) -> list[str]:
    return [number(row[name], pattern) for name, pattern in patterns.items()]


def _interval(row: dict[str, Any]) -> str:
    """Return the interval of the figure that is tested."""
    short, pattern = ("ic", "+.3f")
    if row["tested"] == "spread_bps":
        short, pattern = ("spread", "+.1f")
    ends = [number(row[f"{short}_{end}"], pattern) for end in ("low", "high")]
    return "-" if "-" in ends else " to ".join(ends)


def _print_horizons(title: str, rows: list[dict[str, Any]]) -> None:
    columns = ["regime", "h", "hours", "IC", "95 % interval", "months", *HEADS[1:3]]
    columns += ["hits", "turnover", "p", "corrected", "seen from"]
    lines = [
        [
            row["regime"],
            str(row["horizon_hours"]),
            number(row["hours"], ",d"),
            *_figures(row, EFFECT),
            _interval(row),
            number(row["months_same_sign"], ".0%"),
            *_figures(row, PAID | TRADED | CHANCE),
            number(row["detectable"], UNIT[row["tested"]]),
        ]
        for row in rows
    ]
    out.print(table(title, columns, lines))


def _print_decay(rows: list[dict[str, Any]]) -> None:
    name, pattern = "information_coefficient", "+.3f"
    if all(row[name] is None for row in rows):
        name, pattern = "spread_bps", "+.1f"
    what = "IC" if name == "information_coefficient" else "bps"
    columns = [f"+{row['lag_hours']} h" for row in rows]
    lines = [[number(row[name], pattern) for row in rows]]
    out.print(table(f"{what} with the single hour so long after", columns, lines))


def _of_symbol(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {key: list(own) for key, own in groupby(rows, itemgetter("symbol"))}


def _print_overview(rows: list[dict[str, Any]]) -> None:
    columns = ["kind", "name", "symbol", "h", *HEADS, "p", "corrected"]
    lines = [
        [
            *(row[key] for key in ("kind", "name", "symbol")),
            str(row["horizon_hours"]),
            *_figures(row, EFFECT | SPREAD | CHANCE),
        ]
        for row in rows
    ]
    out.print(table("report_scores: the best horizon of each", columns, lines))
    if rows:
        out.print(
            f"Corrected for {rows[0]['comparisons']:,} looks; a score is beyond chance "
            "below 0.05. barsieve score NAME has horizons, regimes and decay.",
            highlight=False,
        )


def score(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A domain, sentinel, macro signal, or a column: of features, or "
            "table.column. Without one, all that the build judged."
        ),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(help="On this symbol alone; else on every one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a score knows of the hours that follow, before any replay.

    Rank correlation (information coefficient) with the return of the next
    1, 4, 24 and 72 hours, spread of the top fifth over the bottom one, and
    the cost that it has to beat; p-values corrected for how many were
    looked at.

    Example: barsieve score momentum --symbol ETH
    """
    if name is None:
        _overview(symbol, as_json)
        return
    with refusing():
        found = current().score(name, symbol=symbol)
    document = found.document()
    if as_json:
        print_json(document)
        return
    decay = _of_symbol(document["decay"])
    for own, rows in _of_symbol(document["scores"]).items():
        _print_horizons(f"{name} on {own}", rows)
        _print_decay(decay.get(own, []))
        out.print(f"{own}: {found.verdicts[own]}.\n", markup=False, highlight=False)


def _overview(symbol: str | None, as_json: bool) -> None:
    from barsieve.analysis.score import overview

    with refusing():
        rows = overview(paths.database_path(), symbol)
    if as_json:
        print_json(rows)
    else:
        _print_overview(rows)
