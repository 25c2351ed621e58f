"""`barsieve paper status`: positions, resting orders, ages, lag, verdict."""

from datetime import UTC, datetime
from typing import Any

import typer

from barsieve.cli.output import (
    REFUSED,
    AsJson,
    err,
    number,
    out,
    print_json,
    refusing,
    table,
)
from barsieve.cli.paper.places import live_folder
from barsieve.core import paths
from barsieve.core.prices import shown_price

SHOWN_ALARMS = 12


def _position(row: dict[str, Any]) -> str:
    position = row["position"]
    if not position:
        return "flat"
    return f"{position['side']} {position['qty']:.6g}"


def _resting(row: dict[str, Any]) -> str:
    return ", ".join(
        f"{one['kind']} {shown_price(one['price'])}" for one in row["resting"]
    )


def _asked(row: dict[str, Any]) -> str:
    """Return the confidence beside what was asked of it."""
    return f"{number(row['confidence'], '.3f')} of {row['threshold']:.3g}"


def _print_standings(rows: list[dict[str, Any]]) -> None:
    lines = [
        [
            row["account"], row["symbol"], row["action"], _position(row),
            number(row["position"] and row["position"]["profit_r"], "+.2f"),
            _resting(row) or "-", _asked(row), f"{row['equity']:,.2f}",
            f"{row['next_decision']:%H:%M}", f"{row['lag_hours']:,.1f}",
        ]
        for row in rows
    ]  # fmt: skip
    columns = [
        "profile", "symbol", "decision", "position", "R", "found", "confident",
        "equity USD", "next", "lag h",
    ]  # fmt: skip
    shown = table("paper accounts, by their last decision", columns, lines)
    shown.columns[3].justify = "left"
    shown.columns[5].header = "resting"
    out.print(shown)


def _print_ages(rows: list[dict[str, Any]]) -> None:
    by_symbol = {row["symbol"]: row["ages"] for row in rows}
    names = sorted({name for ages in by_symbol.values() for name in ages})
    symbols = sorted(by_symbol)
    lines = [
        [name, *(number(by_symbol[symbol].get(name), ",.1f") for symbol in symbols)]
        for name in names
    ]
    if lines:
        out.print(table("ages of inputs, hours", ["input", *symbols], lines))


def _print_alarms(alarms: list[dict[str, Any]]) -> None:
    if not alarms:
        out.print("no alarm in the last 24 hours\n")
        return
    lines = [
        [alarm["at"][:16].replace("T", " "), alarm["kind"], alarm["text"]]
        for alarm in alarms[-SHOWN_ALARMS:]
    ]
    shown = table(
        f"alarms of the last 24 hours: {len(alarms)}", ["time", "kind", "value"], lines
    )
    shown.columns[2].no_wrap, shown.columns[2].overflow = False, "fold"
    out.print(shown)


def status(as_json: AsJson = False) -> None:
    """Show how the paper accounts stand; exit status 1 where something is amiss.

    Positions, resting orders, the next decision, ages of inputs, lag, alarms, and
    whether what was said is what the built database says.

    Example: barsieve paper status
    """
    with refusing(REFUSED):
        from barsieve.live.status import status as status_of

        found = status_of(live_folder(), paths.database_file(), datetime.now(UTC))
    if as_json:
        print_json(found)
    else:
        runs = found["runner"]
        how = f"run by process {runs}" if runs else "not running"
        out.print(
            f"{how}; {found['decisions']:,} decisions, {found['late_decisions']:,} of "
            f"them late; live = batch: {found['verdict']}\n",
            markup=False, highlight=False,
        )  # fmt: skip
        _print_standings(found["standings"])
        _print_ages(found["standings"])
        _print_alarms(found["alarms"])
        for fault in found["faults"]:
            err.print(fault, style="bold red", markup=False, highlight=False)
    if not found["is_in_order"]:
        raise typer.Exit(REFUSED)
