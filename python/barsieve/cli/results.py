"""`barsieve show`: what a build says."""

from collections import Counter
from typing import Annotated, Any

import typer
from rich.table import Table

from barsieve.cli.figures import (
    account_table,
    print_drawdowns,
    symbol_table,
    trade_table,
)
from barsieve.cli.output import (
    AsJson,
    number,
    out,
    print_findings,
    print_json,
    refusing,
    table,
)
from barsieve.core import paths
from barsieve.core.errors import refuse
from barsieve.core.findings import Finding
from barsieve.core.keys import ALL

Rows = list[dict[str, Any]]

# How many findings stand below the tables, how many notes of the symbols of a profile,
# and how many symbols the first line names.
MOST_FINDINGS, MOST_NOTES, MOST_NAMES = 3, 5, 10


def wholes(rows: Rows) -> Rows:
    """Return the rows of figures that are of all that a profile trades.

    They are of `ALL`, or of the one symbol of a profile that has no more.
    """
    several = {row["profile"] for row in rows if row["symbol"] == ALL}
    return [
        row for row in rows if row["symbol"] == ALL or row["profile"] not in several
    ]


def parts(rows: Rows) -> Rows:
    """Return the rows of figures that are of one symbol of several."""
    several = {row["profile"] for row in rows if row["symbol"] == ALL}
    return [row for row in rows if row["symbol"] != ALL and row["profile"] in several]


def _parity_table(rows: Rows) -> Table:
    columns = [
        "profile", "screen", "promise", "verdict", "full", "focused", "identical",
        "recall", "visited",
    ]  # fmt: skip
    lines = [
        [
            r["profile"], r["screen"], r["promise"], r["verdict"],
            f"{r['full_trades']:,}", f"{r['focused_trades']:,}", f"{r['identical']:,}",
            number(r["recall"], ".1%"), f"{r['bars_visited'] / r['bars']:.1%}",
        ]
        for r in rows
    ]  # fmt: skip
    shown = table("parity_summary: focused replay against full", columns, lines)
    for row, line in zip(rows, shown.rows, strict=True):
        if row["verdict"] == "broken":
            line.style = "bold red"
    return shown


LUCKS = ("luck", "luck_mean_r", "luck_gross_r")


def _on(row: dict[str, Any], counts: dict[str, int]) -> str:
    """Return what a line of a profile is of: its one symbol, or how many."""
    count = counts[row["profile"]]
    return f"{count:,} symbols" if row["symbol"] == ALL else str(row["symbol"])


def _performance_table(rows: Rows, costs: str, counts: dict[str, int]) -> Table:
    """Return a line for each profile, with the returns of its baselines beside it.

    `counts`: how many symbols it trades, told where one of them trades several.
    """
    has_several = max(counts.values()) > 1
    columns = [
        "profile", *["symbol"] * has_several, "trades", "win", "factor", "Sharpe",
        "drawdown", "return", "hold", "random", "luck", "by R", "gross R",
    ]  # fmt: skip
    whole = wholes(rows)
    returns = {(r["profile"], r["strategy"]): r["return_share"] for r in whole}
    baselines = ("buy_and_hold", "random_entry")
    lines = [
        [
            r["profile"], *[_on(r, counts)] * has_several,
            number(r["trades"], ","), number(r["win_rate"], ".1%"),
            number(r["profit_factor"], ".2f"), number(r["sharpe"], ".2f"),
            number(r["max_drawdown"], ".1%"), number(r["return_share"], "+.1%"),
            *(number(returns.get((r["profile"], name)), "+.1%") for name in baselines),
            *(number(r[name], ".0%") for name in LUCKS),
        ]
        for r in whole
        if r["strategy"] == "strategy"
    ]  # fmt: skip
    title = f"report_performance: {costs}; barsieve show PROFILE has every figure"
    return table(title, columns, lines)


def _samples_table(rows: Rows) -> Table:
    """Return what profiles made where they were picked, and afterwards."""
    columns = [
        "profile", "sample", "picked until", "of", "days", "trades", "win", "factor",
        "mean R", "Sharpe", "drawdown", "return",
    ]  # fmt: skip
    lines = [
        [
            r["profile"], r["sample"].replace("_", " "),
            f"{r['until_at']:%Y-%m-%d}" if r["until_at"] else "elsewhere",
            number(r["tried"], ",d"), number(r["days"], ",d"),
            number(r["trades"], ",d"), number(r["win_rate"], ".1%"),
            number(r["profit_factor"], ".2f"), number(r["mean_r"], "+.2f"),
            number(r["sharpe"], ".2f"), number(r["max_drawdown"], ".1%"),
            number(r["return_share"], "+.1%"),
        ]
        for r in sorted(wholes(rows), key=lambda r: (r["profile"], r["sample"]))
    ]  # fmt: skip
    return table("report_samples: where it was picked, and afterwards", columns, lines)


def _ruins(performance: Rows) -> dict[str, str]:
    """Return by profile when its accounts could enter no more, in words."""

    def at(row: dict[str, Any]) -> str:
        return f"at the close of {row['ruined_at']:%Y-%m-%d %H:%M} UTC"

    apart: dict[str, list[str]] = {}
    for row in parts(performance):
        if row["ruined_at"]:
            apart.setdefault(row["profile"], []).append(f"{row['symbol']} {at(row)}")
    told = {}
    for profile, named in apart.items():
        more = len(named) - MOST_NOTES
        rest = [f"and {more:,} more symbols"] * (more > 0)
        told[profile] = f"ruined: {', '.join(named[:MOST_NOTES] + rest)}"
    whole = [row for row in wholes(performance) if row["ruined_at"]]
    return told | {row["profile"]: f"ruined {at(row)}" for row in whole}


def _lost_orders(screening: Rows, performance: Rows) -> list[str]:
    """Return a line for each profile whose orders were lost, or whose account was."""
    ruins = _ruins(performance)
    lines = []
    for row in wholes(screening):
        counts = [
            f"{row[name]:,} {text}"
            for name, text in (
                ("lapsed", "entry orders lapsed at a gap"),
                ("refused", "entry orders refused for size or cost"),
                ("no_room", "entry orders found no room in the wallet"),
                ("liquidated", "liquidated"),
            )
            if row[name]
        ]
        if ruin := ruins.get(row["profile"]):
            counts.append(ruin)
        if counts and row["gate"] == "entered":
            lines.append(f"{row['profile']}: {', '.join(counts)}")
    return lines


def _print_notes_on_luck(rows: Rows) -> None:
    """Print why luck has no figure, and which figures come of few shifts.

    Of the symbols of a profile a few notes, and how many more there are.
    """
    of_parts = [r for r in parts(rows) if r["luck_note"]]
    named = of_parts[:MOST_NOTES] if len({r["profile"] for r in rows}) == 1 else []
    for r in [*(r for r in wholes(rows) if r["luck_note"]), *named]:
        accepted = number(r["luck_acceptance"], ".0%")
        name = f"{r['profile']} on {r['symbol']}" if r in named else r["profile"]
        _say(
            f"luck of {name}: {r['luck_note']} "
            f"({r['luck_draws']} draws, {accepted} of the shifts accepted)"
        )
    left_out = Counter(r["profile"] for r in of_parts if r not in named)
    for profile, count in left_out.items():
        _say(f"luck of {profile}: notes of {count:,} symbols, in report_performance")


def _say(line: str) -> None:
    """Print a line as it is."""
    out.print(line, markup=False, highlight=False)


def _print_health(findings: list[Finding], every: bool) -> None:
    shown = findings if every else findings[:MOST_FINDINGS]
    n = len(findings)
    title = f"report_health: {n} finding{'' if n == 1 else 's'}"
    if len(shown) < n:
        title += f", the worst {len(shown)} of them; barsieve show --health has all"
    out.print(title, style="bold", markup=False, highlight=False)
    print_findings(shown)


def _print_profile(profile: str, tables: dict[str, Rows], costs: str) -> None:
    """Print every figure of a profile: of its trades, its account, its drawdowns.

    First those of all that it trades, then a line for each symbol if there are several.
    """
    by_strategy = {row["strategy"]: row for row in wholes(tables["report_performance"])}
    own = by_strategy["strategy"]
    sides = {row["side"]: row for row in wholes(tables["report_sides"])}
    accounts = {profile: own, "hold": by_strategy.get("buy_and_hold", {})}
    falls = wholes(tables["report_drawdowns"])
    symbols = parts(tables["report_portfolio"])
    held = "the symbols in equal parts" if symbols else "the asset"
    out.print(_parity_table(tables["parity_summary"]))
    out.print(trade_table(f"{profile}: trades, {costs}", own, sides))
    out.print(account_table(f"account, beside holding {held}", accounts))
    print_drawdowns([row for row in falls if row["strategy"] == "strategy"])
    if symbols:
        out.print(symbol_table(wholes(tables["report_portfolio"])[0], symbols))
    _print_notes(tables)


def _print_notes(tables: dict[str, Rows]) -> None:
    """Print what a reader of the figures must know: luck untold, orders lost."""
    _print_notes_on_luck(tables["report_performance"])
    for line in _lost_orders(tables["report_screening"], tables["report_performance"]):
        _say(line)


def _of_profile(tables: dict[str, Rows], profile: str) -> dict[str, Rows]:
    """Return the rows of one profile; refuse a name that the database does not have."""
    known = sorted({row["profile"] for row in tables["parity_summary"]})
    if profile not in known:
        refuse(
            "the database",
            "profile",
            expected=f"one of {', '.join(known)}",
            found=f"'{profile}'",
            fix="correct the name",
        )
    return {
        name: [row for row in rows if row.get("profile", profile) == profile]
        for name, rows in tables.items()
    }


def _print_lookahead(told: str, excused: dict[str, str]) -> None:
    """Print whether no row knows its future, and which models are excused."""
    is_bad = told.startswith("lookahead")
    out.print(
        told,
        style="bold red" if is_bad else None,
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    for model, reason in excused.items():
        out.print(
            f"  {model} is excused from the guard: {reason}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def show(
    profile: Annotated[
        str | None, typer.Argument(help="Print every figure of this profile.")
    ] = None,
    health: Annotated[
        bool, typer.Option("--health", help="Every finding of report_health, alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what the built database says: origin, lookahead, parity, results, health.

    A profile that broke its promise on this market is red.

    Beside the return of a profile stand those of buying and holding its symbol, and of
    entries at random. The column luck is the share of replays with the same signals
    moved to other bars, and as many trades, that earned at least as much; beside it the
    same by mean R and by gross R.

    With the name of a profile: all of its figures, longs and shorts apart, its
    deepest drawdowns, and what each of its symbols contributed, if it trades several.
    docs/metrics.md defines each.

    Example: barsieve show eth_comprehensive
    """
    from barsieve.core.arrow import rows_of
    from barsieve.database.connect import built_tables, open_database
    from barsieve.database.health import costs_paid, read_findings
    from barsieve.database.models import read_excuses

    names = (
        "build_info", "parity_summary", "report_performance", "report_sides",
        "report_drawdowns", "report_screening", "report_samples", "report_portfolio",
    )  # fmt: skip
    with refusing():
        connection = open_database(paths.database_path())
        found = built_tables(connection, names)
        tables = {name: rows_of(rows) for name, rows in zip(names, found, strict=True)}
        costs = costs_paid(connection)
        findings = read_findings(connection)
        if profile:
            tables = _of_profile(tables, profile)
            findings = [row for row in findings if row.subject.split(".")[0] == profile]
        excused = read_excuses(connection)
    if health and not as_json:
        _print_health(findings, every=True)
        return
    if as_json:
        print_json(tables | {"report_health": [row._asdict() for row in findings]})
        return
    info = tables["build_info"][0]
    kind = "SIMULATED market" if info["is_simulated"] else "market"
    traded = info["symbols"].split(",")
    named = info["symbols"] if len(traded) <= MOST_NAMES else f"{len(traded):,} symbols"
    out.print(
        f"{kind} '{info['market_name']}': {named}, {info['bars']:,} bars, "
        f"{info['first_bar_ts']:%Y-%m-%d} to {info['last_bar_ts']:%Y-%m-%d}",
        markup=False,
        highlight=False,
    )
    _print_lookahead(info["lookahead"], excused)
    if profile:
        _print_profile(profile, tables, costs)
        _print_health(findings, every=True)
        return
    by_profile = sorted(tables["parity_summary"], key=lambda row: row["profile"])
    out.print(_parity_table(by_profile))
    counts = Counter(
        row["profile"] for row in tables["report_portfolio"] if row["symbol"] != ALL
    )
    out.print(_performance_table(tables["report_performance"], costs, counts))
    if tables["report_samples"]:
        out.print(_samples_table(tables["report_samples"]))
    _print_notes(tables)
    _print_health(findings, every=False)
