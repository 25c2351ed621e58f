"""`barsieve signal` and `barsieve explain`: one decision, with everything behind it."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from barsieve.cli.choices import (
    Mode,
    ProfileName,
    Settings,
    Symbol,
    changes_of,
    current,
    described,
)
from barsieve.cli.output import (
    AsJson,
    number,
    out,
    print_json,
    refusing,
    table,
)
from barsieve.core.prices import shown_price

STALE_AFTER_HOURS = 2.0


def _print_read(document: dict[str, Any]) -> None:
    from barsieve.analysis.gates import shown

    rows = [
        [v["domain"], number(v["score"], ".3f"), v["vote"] or "-", f"{v['weight']:g}"]
        for v in document["votes"]
    ]
    out.print(table("votes", ["domain", "score", "vote", "weight"], rows))
    rows = [
        [
            gate["gate"],
            "yes" if gate["passed"] else "NO",
            shown(gate["found"]),
            gate["asks"],
        ]
        for gate in document["gates"]
    ]
    out.print(table("gates of an entry", ["gate", "passed", "found", "asks"], rows))
    rows = [
        [
            s["signal"],
            *(f"{s[key]:.2f}" for key in ("veto_long", "veto_short", "greenlight")),
        ]
        for s in document["signals"]
    ]
    if rows:
        columns = ["signal", "veto long", "veto short", "greenlight"]
        out.print(table("macro signals in force", columns, rows))
    else:
        out.print("no macro signal in force\n")


def _print_action(document: dict[str, Any]) -> None:
    order, position = document["order"], document["position"]
    lines = [["action", document["action"]]]
    if position:
        lines += [
            ["position", f"{position['side']} {position['qty']:.6g} since "
             f"{position['bars_held']} bars at {shown_price(position['entry_price'])}"],
            ["resting stop",
             f"{shown_price(position['stop'])} ({position['stop_kind']})"],
            ["resting target", shown_price(position['target'])],
            ["open result", f"{position['open_pnl']:.2f} USD, "
             f"{position['profit_r']:.2f} R"],
        ]  # fmt: skip
    if document["action"] == "take partial":
        lines.append(["partial", f"{position['partial_qty']:.6g}, stop to break-even"])
    if document["exit_reason"] != "none":
        lines.append(["exit because of", document["exit_reason"]])
    if order:
        size = (
            f"{order['qty']:.6g} ({order['notional']:,.2f} USD)"
            if order["is_filled"]
            else "0: below the smallest notional, or the account is lost"
        )
        lines += [
            ["side", order["side"]],
            ["if it opens at", shown_price(order["assumed_open"])],
            ["size", size],
            ["stop", shown_price(order["stop"])],
            ["target", shown_price(order["target"])],
            ["stop distance", f"{order['risk_distance']:.4g}"],
            ["share of balance at risk", f"{order['risk_share']:.3%}"],
        ]
    lines += [
        ["confidence", number(document["confidence"], ".4f")],
        ["threshold", f"{document['threshold'] + document['loss_streak_shift']:.4g}"],
        ["balance", f"{document['balance']:,.2f} USD"],
    ]
    for leg in document["filled"]:
        done = f"{leg['kind']} {leg['qty']:.6g} at {shown_price(leg['price'])}"
        lines.append(["then filled", done])
    opens = f"{document['known_at']:%Y-%m-%d %H:%M} UTC"
    title = f"{document['profile']}: at the open of {opens}"
    out.print(table(title, ["kind", "value"], lines))


def _print_signals(rows: list[dict[str, Any]]) -> None:
    lines = [
        [
            row["symbol"], row["action"] or "no bar", shown_price(row["close"]),
            number(row["confidence"], ".4f"), f"{row['threshold']:.4g}",
            row["position"] or "-", number(row["profit_r"], "+.2f"),
            f"{row['balance']:,.2f}",
        ]
        for row in rows
    ]  # fmt: skip
    columns = [
        "symbol", "action", "close", "confidence", "threshold", "position", "R",
        "balance USD",
    ]  # fmt: skip
    opens = max((row["known_at"] for row in rows), default=None)
    title = f"at the open of {opens:%Y-%m-%d %H:%M} UTC" if opens else "no bar yet"
    out.print(table(f"{title}; --symbol has every gate of one", columns, lines))


def signal(
    profile: ProfileName,
    symbol: Symbol = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="As if it were then; default: the last bar."),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="Which replay to follow.")] = Mode.full,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Say what the replay does at the next open, and everything it decides upon.

    The bar decided upon is the last one closed at that time. Size, stop and
    target assume that the next bar opens at its close; they move with the
    open. Of a profile that trades several symbols: a line for each, or all of
    one that is named.

    Example: barsieve signal --profile btc_live --at 2023-05-31T05:00
    """
    from barsieve.analysis.explain import age_of
    from barsieve.core.times import moment

    with refusing():
        asked = moment(at, "--at") if at else None
        changes = changes_of(settings, None, None)
        database = current()
        if symbol is None and "symbols" not in changes:
            is_of_many = len(database.symbols(profile)) > 1
        else:
            is_of_many = symbol is None and len(changes["symbols"]) > 1
        if is_of_many:
            found_rows = database.signal_rows(profile, asked, mode.value, changes)
            print_json(found_rows) if as_json else _print_signals(found_rows)
            return
        found = database.signal(
            profile, symbol=symbol, at=asked, mode=mode.value, set=changes
        )
    document = dict(found)
    document["bar_age_hours"] = age_of(document, asked or datetime.now(UTC))
    if as_json:
        print_json(document)
        return
    if changes:
        out.print(f"with {described(changes)}", markup=False, highlight=False)
    _print_action(document)
    _print_read(document)
    rows = [
        [i["input"], number(i["value"], ".6g"), number(i["age_hours"], ",.1f")]
        for i in document["inputs"]
    ]
    columns = ["input", "last value", "age in hours"]
    out.print(table("inputs at the close (no value: too old)", columns, rows))
    if document["bar_age_hours"] > STALE_AFTER_HOURS:
        out.print(
            f"The last bar closed {document['bar_age_hours']:,.0f} hours before "
            f"{'that time' if asked else 'now'}: its open has passed.",
            style="bold",
        )


def _print_legs(legs: list[dict[str, Any]]) -> None:
    rows = [
        [
            f"{leg['ts']:%Y-%m-%d %H:%M}", leg["kind"], shown_price(leg["price"]),
            f"{leg['qty']:.6g}", f"{leg['amount']:.2f}", f"{leg['fee']:.2f}",
            f"{leg['slippage']:.2f}", f"{leg['balance']:,.2f}",
        ]
        for leg in legs
    ]  # fmt: skip
    columns = ["time", "kind", "price", "qty", "result", "fee", "slippage", "balance"]
    out.print(table("legs", columns, rows))


def _print_stops(stops: list[dict[str, Any]]) -> None:
    rows = [
        [f"{one['bar_ts']:%Y-%m-%d %H:%M}", shown_price(one["stop"]), one["reason"]]
        for one in stops
    ]
    out.print(table("stops, each from its bar on", ["from", "stop", "kind"], rows))


def _print_other_exits(exits: list[dict[str, Any]]) -> None:
    """Print what simple exits would have made of a trade, where they leave earlier."""
    rows = [
        [
            one["exit_rule"],
            f"{one['left_at']:%Y-%m-%d %H:%M}",
            f"{one['r_multiple']:+.2f}",
        ]
        for one in exits
        if one["left_at"] is not None
    ]
    if rows:
        title = "what another exit would have given, at the next open"
        out.print(table(title, ["exit", "at", "R"], rows))


def explain(
    trade_id: Annotated[int, typer.Argument(help="Number of the trade.")],
    profile: ProfileName,
    symbol: Symbol = None,
    replayed: Annotated[Mode, typer.Option(help="Which replay's trade.")] = Mode.full,
    as_json: AsJson = False,
) -> None:
    """Say why a trade of the built table was entered and left, leg by leg.

    Example: barsieve explain 12 --profile btc_live
    """
    with refusing():
        found = current().explain(profile, trade_id, symbol=symbol, mode=replayed.value)
    document = dict(found)
    if as_json:
        print_json(document)
        return
    trade = document["trade"]
    out.print(
        f"trade {trade_id} of {profile} ({replayed.value}): {trade['side']} "
        f"{trade['symbol']}, {trade['entry_ts']:%Y-%m-%d %H:%M} to "
        f"{trade['exit_ts']:%Y-%m-%d %H:%M}, {trade['net_pnl']:.2f} USD net, "
        f"{trade['r_multiple']:.2f} R\n",
        markup=False, highlight=False, style="bold",
    )  # fmt: skip
    for name in ("why_entered", "why_left"):
        out.print(document[name], markup=False, highlight=False)
    out.print(
        f"At worst the price was {trade['mae_r']:.2f} R against it (MAE), at best "
        f"{trade['mfe_r']:.2f} R for it (MFE).\n",
        markup=False, highlight=False,
    )  # fmt: skip
    _print_legs(document["legs"])
    _print_stops(document["stops"])
    _print_other_exits(document["other_exits"])
    _print_read(document)
