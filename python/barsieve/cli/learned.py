"""`barsieve exits` and `barsieve sizing`: what trades taught, its worth, and now."""

from typing import Annotated, Any

import typer

from barsieve.cli.choices import current
from barsieve.cli.output import AsJson, number, out, print_json, refusing, table
from barsieve.core.extras import WITHOUT_DEEP, WITHOUT_ML

AskedProfile = Annotated[
    str | None, typer.Argument(help="A profile that learns; all that do without one.")
]
SHARES = {
    "cagr", "max_drawdown", "under_water_share", "chance_of_ruin", "capital_used",
    "expected_share", "won_share",
}  # fmt: skip
WHOLE = {"trades", "fitted"}
LSTM = "lstm"


def _pattern(row: dict[str, Any]) -> str:
    if row["section"] == "trades" or row["figure"] in WHOLE:
        return ",.0f"
    return "+.1%" if row["figure"] in SHARES else "+.3f"


def _print_section(title: str, rows: list[dict[str, Any]]) -> None:
    has_ends = any(row["low"] is not None for row in rows)
    columns = ["name", "figure", "is", *(["low", "high"] if has_ends else [])]
    names = ("value", "low", "high") if has_ends else ("value",)
    lines = [
        [r["subject"], r["figure"], *(number(r[n], _pattern(r)) for n in names)]
        for r in rows
    ]
    out.print(table(title, columns, lines))
    for note in dict.fromkeys(row["note"] for row in rows if row["note"]):
        if not note.endswith("closes"):
            out.print(f"  {note}", markup=False, highlight=False)


def _print_judged(rows: list[dict[str, Any]]) -> None:
    for profile in dict.fromkeys(row["profile"] for row in rows):
        own = [row for row in rows if row["profile"] == profile]
        sections = dict.fromkeys(r["section"] for r in own if r["section"] != "verdict")
        for section in sections:
            chosen = [row for row in own if row["section"] == section]
            _print_section(f"{profile}: {section}", chosen)
        for row in own:
            if row["section"] == "verdict":
                out.print(f"{profile}: {row['note']}\n", markup=False, highlight=False)


def _exits_sentence(row: dict[str, Any], judged: set[str]) -> str:
    about = f"{row['profile']}, now: "
    if not row["trades_learned_from"]:
        if row["profile"] not in judged:
            return about + f"no model, {WITHOUT_ML}."
        if row["model"] == LSTM:
            return about + f"it leaves by its rules: {WITHOUT_DEEP}."
        return about + "no model yet, for want of trades that have ended."
    learned = f"{row['model']} of {row['trades_learned_from']:,} trades"
    if row["symbol"] is None:
        return about + f"nothing is open ({learned})."
    expects = "nothing" if row["expected_r"] is None else f"{row['expected_r']:+.2f} R"
    does = {None: "it decides nothing", True: "it leaves", False: "it stays"}
    return about + (
        f"{row['side']} {row['symbol']} since {row['entry_ts']:%Y-%m-%d %H:%M}, "
        f"{expects} expected still to come: {does[row['is_left']]} ({learned})."
    )


def _sizes_sentence(row: dict[str, Any], judged: set[str]) -> str:
    about = f"{row['profile']}, now: {row['symbol']} would risk {row['risk_share']:.3%}"
    if "win_probability" not in row:
        if row["profile"] not in judged:
            return about + f", the least: no model, {WITHOUT_ML}."
        return about + ", the least: no model yet, for want of trades that have ended."
    return about + (
        f" (wins {row['win_probability']:.0%} of the time, {row['win_r']:.2f} R "
        f"against {row['loss_r']:.2f} R; full Kelly {row['kelly_share']:+.1%}; of "
        f"{row['trades_learned_from']:,} trades)."
    )


def exits(
    profile: AskedProfile = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Learn now of all trades that have ended.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what learned exits are worth, and what they would do now.

    The figures are those of the last build (table report_exits), in sample beside out
    of sample.

    Example: barsieve exits eth_exits_learned
    """
    with refusing():
        database = current()
        rows = database.exit_rows(profile)
        now = database.exits_now(profile, refit)
    if as_json:
        print_json({"figures": rows, "now": now})
        return
    _print_judged(rows)
    judged = {row["profile"] for row in rows}
    for row in now:
        out.print(_exits_sentence(row, judged), markup=False, highlight=False)


def sizing(profile: AskedProfile = None, as_json: AsJson = False) -> None:
    """Print what learned sizes are worth, and what they would risk now.

    The figures are those of the last build (table report_sizing); every kind of size
    is replayed on the same signals.

    Example: barsieve sizing eth_sized
    """
    with refusing():
        database = current()
        rows, now = database.size_rows(profile), database.sizes_now(profile)
    if as_json:
        print_json({"figures": rows, "now": now})
        return
    _print_judged(rows)
    judged = {row["profile"] for row in rows}
    for row in now:
        out.print(_sizes_sentence(row, judged), markup=False, highlight=False)
