"""`barsieve replay` and `candidates`: the built tables, replayed and listed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.choices import (
    Config,
    End,
    Mode,
    Profile,
    Settings,
    Start,
    changes_of,
    chosen,
    current,
    described,
)
from barsieve.cli.figures import IsAll, print_replay
from barsieve.cli.output import (
    REFUSED,
    AsJson,
    fail,
    out,
    print_json,
    refusing,
    table,
)
from barsieve.core.prices import shown_price
from barsieve.metrics.labels import figure_rows

SIGNALS = {
    "signals": ("signals of its symbols", ",d"),
    "of_other_symbols": ("signals of other symbols", ",d"),
    "outside_study": ("outside the study", ",d"),
    "barred": ("barred by veto or macro gate", ",d"),
    "without_stop_distance": ("before an ATR is known", ",d"),
    "passed_over": ("in a position, a cooldown, or not filled", ",d"),
    "entered": ("entered", ",d"),
}
LOSS = {
    "full_trades": ("trades of the full replay", ",d"),
    "entries_lost": ("entries lost", ",d"),
    "entries_invented": ("entries that full does not have", ",d"),
    "trades_that_differ": ("trades that differ", ",d"),
    "recall": ("recall of entries", ".1%"),
}


def _print_trades(trades: list[dict[str, Any]], has_symbols: bool) -> None:
    columns = [
        "entry", "side", "in", "exit", "out", "reason", "MAE", "MFE", "R", "net USD",
    ]  # fmt: skip
    lines = [
        [
            f"{trade['entry_ts']:%Y-%m-%d %H:%M}",
            trade["side"],
            shown_price(trade["entry_price"]),
            f"{trade['exit_ts']:%m-%d %H:%M}",
            shown_price(trade["exit_price"]),
            trade["exit_reason"],
            f"{trade['mae_r']:.2f}",
            f"{trade['mfe_r']:.2f}",
            f"{trade['r_multiple']:.2f}",
            f"{trade['net_pnl']:.2f}",
        ]
        for trade in trades
    ]
    if has_symbols:
        columns.insert(0, "symbol")
        for line, trade in zip(lines, trades, strict=True):
            line.insert(0, trade["symbol"])
    if lines:
        out.print(table(f"last {len(lines)} trades", columns, lines))


def replay(
    profile: Profile = None,
    config: Config = None,
    start: Start = None,
    end: End = None,
    mode: Annotated[
        Mode | None,
        typer.Option(help="Every bar (default), or where the screen points."),
    ] = None,
    candidates: Annotated[
        Path | None,
        typer.Option(help="JSON lines to screen with, in place of the profile's own."),
    ] = None,
    signals: Annotated[
        Path | None,
        typer.Option(
            help="Parquet or CSV of symbol, ts (the bar's open), side, confidence: "
            "enter on these, in place of the profile's own signals."
        ),
    ] = None,
    settings: Settings = None,
    trade_log: Annotated[
        Path | None, typer.Option(help="Write the trades, with legs, as JSON lines.")
    ] = None,
    last: Annotated[
        int, typer.Option(help="How many of the last trades to print.")
    ] = 10,
    is_all: IsAll = False,
    as_json: AsJson = False,
) -> None:
    """Replay a profile over the built tables and print what came of it.

    With --set the entry predicate, the screen and the replay run again over
    the built scores, so the trades are those of a build with that setting;
    the file stays as it is. A file of candidates that loses entries is
    used, and the loss is printed. Signals are known at the close of their
    bar and fill at the next open, with the profile's exits, sizes and
    costs; its vetoes bar them, its threshold and cadence do not.

    Example: barsieve replay --profile eth_comprehensive --set exits.stop_atr=2.5
    """
    from barsieve.analysis.trade_log import check_target, write_lines

    if candidates and mode is Mode.full:
        raise fail(
            "--candidates screens a focused replay, and a full one visits every bar: "
            "use --mode focused",
            REFUSED,
        )
    kind = mode or (Mode.focused if candidates else Mode.full)
    with refusing():
        if trade_log:
            check_target(trade_log, "--trade-log")
        changes = changes_of(settings, start, end)
        named = chosen(profile, config)
        asked = (named, changes, kind.value, candidates, signals)
        report = current().replay_report(*asked)
        if trade_log:
            write_lines(trade_log, report.trades_with_legs())
    if as_json:
        print_json(report.document())
        return
    name = f"{named}, {kind.value} replay"
    if changes:
        out.print(f"with {described(changes)}", markup=False, highlight=False)
    print_replay(name, report.summary, report.batch, is_all)
    if ruined := report.summary["ruined_ts"]:
        out.print(
            f"ruined at the close of {ruined:%Y-%m-%d %H:%M} UTC: the account could "
            "carry no order of the least notional from then on",
            markup=False, highlight=False, style="bold",
        )  # fmt: skip
    if report.signals:
        lines = figure_rows(SIGNALS, report.signals)
        out.print(table(f"signals of {signals}", ["figure", "value"], lines))
    if report.loss:
        title = f"{candidates} against the full replay"
        out.print(table(title, ["figure", "value"], figure_rows(LOSS, report.loss)))
    _print_trades(
        report.trades[-last:] if last > 0 else [], len(report.study.symbols) > 1
    )
    if trade_log:
        out.print(f"{len(report.trades):,} trades in {trade_log}", markup=False)


def _print_candidates(lines: list[dict[str, Any]], last: int) -> None:
    rows = [
        [line["timestamp"], line["side"], f"{line['score']:.4f}", line["reason"] or "-"]
        for line in (lines[-last:] if last > 0 else [])
    ]
    bars = len({line["timestamp"] for line in lines})
    longs = sum(line["side"] == "long" for line in lines)
    title = (
        f"{bars:,} candidate bars: {longs:,} long, {len(lines) - longs:,} short; "
        f"the last {len(rows)}"
    )
    out.print(table(title, ["time", "side", "score", "reason"], rows))


def candidates(
    profile: Profile = None,
    config: Config = None,
    as_lines: Annotated[
        bool, typer.Option("--jsonl", help="Print JSON lines: the legacy format.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="Write the JSON lines to this file instead.")
    ] = None,
    settings: Settings = None,
    last: Annotated[
        int, typer.Option(help="How many of the last candidates to print.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """List the bars where the screen of a profile says that an entry may happen.

    A line of the legacy format holds timestamp (the bar's open), side,
    score (the bound of the confidence) and reason (the sentinels of the
    bar).

    Example: barsieve candidates --profile btc_live --jsonl --to candidates.jsonl
    """
    import json

    from barsieve.analysis.trade_log import check_target, write_lines

    with refusing():
        if to:
            check_target(to, "--to")
        changes = changes_of(settings, None, None)
        lines = current().candidate_lines(chosen(profile, config), changes)
        if to:
            write_lines(to, lines)
    if to:
        out.print(f"{len(lines):,} candidates in {to}", markup=False)
    elif as_lines:
        for line in lines:
            typer.echo(json.dumps(line))
    elif as_json:
        print_json(lines)
    else:
        _print_candidates(lines, last)
