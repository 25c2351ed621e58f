"""A report in a real browser, and databases altered to be hard to show."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from barsieve.report.sections import SECTIONS

# Sections whose tables no model makes yet.
LATER: set[str] = set()
# Sections of which the demo has nothing, so that its report leaves them out.
LEFT_OUT = {"live"}
READ = {table for section in SECTIONS for table in section.tables} | {
    "build_info", "config_symbols", "parity_trades", "parity_equity",
}  # fmt: skip
LAPTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

DASH = "\N{EN DASH}"

HOSTILE_PROFILE = "<script>document.title='broken'</script>"
HOSTILE_SYMBOL = "</script><img src=x onerror=\"document.title='broken'\">"
HOSTILE_MARKET = "<b>'bold' & \"quoted\" {{ 7 * 7 }}</b>"


@dataclass
class Visit:
    """An open report, and whatever it said or asked for that it should not."""

    page: Any
    faults: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def table(self, selector: str) -> list[list[str]]:
        """Return the body of a table as the reader sees it."""
        return self.page.locator(f"{selector} tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
        )

    def series(self, chart: str) -> dict[str, list[Any]]:
        """Return what a chart draws: the values of its series, by name."""
        drawn = self.page.evaluate(
            """id => JSON.stringify(Object.fromEntries(
                echarts.getInstanceByDom(document.getElementById(id)).getOption()
                .series.map(({name, data}) =>
                    [name, data.map(item => item?.value ?? item)])
            ))""",
            chart,
        )
        return json.loads(drawn)

    def choose(self, profile: str) -> None:
        label = next(
            text
            for text in self.page.locator("#profile option").all_inner_texts()
            if text.startswith(f"{profile} (")
        )
        self.page.select_option("#profile", label=label)

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => "
            "requestAnimationFrame(done)))"
        )


@contextmanager
def visit(browser: Any, report: Path, address: str = "", **context: Any) -> Iterator:
    """Open a report as a file; yield the visit, then close it."""
    still = {"viewport": LAPTOP, "reduced_motion": "reduce"}
    window = browser.new_context(**(still | context))
    page = window.new_page()
    seen = Visit(page)
    page.on("console", lambda message: seen.faults.append(f"said {message.text}"))
    page.on("pageerror", lambda error: seen.faults.append(f"threw {error}"))
    uri = report.resolve().as_uri()
    page.on(
        "request",
        lambda request: (
            request.url.split("#")[0] == uri
            or seen.faults.append(f"asked for {request.url[:200]}")
        ),
    )
    page.goto(uri + address)
    page.wait_for_selector("html[data-ready]")
    seen.settle()
    yield seen
    window.close()


def number(text: str) -> float | None:
    """Read a figure as the page writes it."""
    if text in (DASH, ""):
        return None
    plain = text.replace("\N{MINUS SIGN}", "-").replace(",", "").replace("+", "")
    return float(plain.rstrip("%")) / (100 if plain.endswith("%") else 1)


def same(shown: str, expected: float | None, unit: float) -> bool:
    """Whether a figure on the page is the expected one, rounded to its unit."""
    value = number(shown)
    if value is None or expected is None:
        return value is expected
    return abs(value - expected) <= unit / 2 + 1e-9


# Tables of both replays, which the page reads through views of the full one.
UNDER_VIEWS = {
    "replay_trades", "replay_legs", "replay_stops", "replay_equity",
    "evaluation_decisions",
}  # fmt: skip


def _rename(connection: Any, column: str, old: str, new: str) -> None:
    tables = connection.execute(
        "select table_name from duckdb_columns() inner join duckdb_tables() "
        "using (database_name, table_name) where column_name = $1",
        [column],
    ).fetchall()
    for table in {name for (name,) in tables} & (READ | UNDER_VIEWS):
        mark = connection.execute(
            "select comment from duckdb_tables() where table_name = $table",
            {"table": table},
        ).fetchall()[0][0]
        connection.execute(
            f"create or replace table {table} as select * replace "
            f"(if({column} = $old, $new, {column}) as {column}) from {table}",
            {"old": old, "new": new},
        )
        quoted = mark.replace("'", "''")
        connection.execute(f"comment on table {table} is '{quoted}'")


def make_hostile(connection: Any) -> None:
    """Give market, a profile and a symbol names that are markup."""
    _rename(connection, "profile", "eth_sentinel", HOSTILE_PROFILE)
    for column in ("symbol", "account"):
        _rename(connection, column, "BTC", HOSTILE_SYMBOL)
    connection.execute(
        "update build_info set market_name = $name", {"name": HOSTILE_MARKET}
    )


def take_every_trade(connection: Any, profile: str, keep: int) -> None:
    """Leave a profile its first `keep` trades."""
    for table in ("replay_trades", "replay_legs", "replay_stops"):
        connection.execute(
            f"delete from {table} where profile = $p and trade_id > $keep",
            {"p": profile, "keep": keep},
        )
    connection.execute(
        "update replay_runs set trades = trades[:$keep] where profile = $p",
        {"p": profile, "keep": keep},
    )
    connection.execute(
        "update report_screening set bars = $keep, blocks_every_trade = $keep = 0 "
        "where profile = $p and gate = 'entered'",
        {"p": profile, "keep": keep},
    )
    connection.execute(
        "update report_performance set trades = $keep where profile = $p "
        "and strategy = 'strategy'",
        {"p": profile, "keep": keep},
    )


def leave_nothing(connection: Any, profile: str) -> None:
    """Take a profile's trades, and with them every figure that needs one."""
    take_every_trade(connection, profile, 0)
    for table in ("parity_trades", "parity_coverage"):
        connection.execute(f"delete from {table} where profile = $p", {"p": profile})
    connection.execute(
        "update parity_summary set verdict = 'vacuous', full_trades = 0, "
        "focused_trades = 0, identical = 0, recall = null where profile = $p",
        {"p": profile},
    )
    connection.execute(
        "update report_performance set win_rate = null, profit_factor = null, "
        "mean_r = null, return_share = 0, sharpe = null, max_drawdown = 0, "
        "exposure = 0, gross_pnl = 0, fees = 0, slippage = 0, funding = 0, "
        "net_pnl = 0, luck = null, luck_note = 'no trade' "
        "where profile = $p and strategy = 'strategy'",
        {"p": profile},
    )
    connection.execute(
        "update replay_equity set equity = 10000, balance = 10000, position = 0 "
        "where profile = $p",
        {"p": profile},
    )


def lose_everything(connection: Any, profile: str) -> None:
    """Make every trade of a profile a loss and its equity end at nothing."""
    connection.execute(
        "update replay_trades set net_pnl = -abs(net_pnl), "
        "r_multiple = -abs(r_multiple) where profile = $p",
        {"p": profile},
    )
    connection.execute(
        "update replay_equity set equity = 0 "
        "where profile = $p and bar_ts >= '2022-01-01'",
        {"p": profile},
    )
    connection.execute(
        "update report_performance set win_rate = 0, profit_factor = 0, "
        "return_share = -1, max_drawdown = 1, ruined_at = '2022-01-01 00:00+00' "
        "where profile = $p and strategy = 'strategy'",
        {"p": profile},
    )


def break_parity(connection: Any, profile: str) -> None:
    """Let the focused replay differ in one trade, as the parity tables would say."""
    connection.execute(
        "update replay_trades set net_pnl = net_pnl + 1 "
        "where profile = $p and replayed = 'focused' and trade_id = 3",
        {"p": profile},
    )
    connection.execute(
        "update parity_trades set verdict = 'differs', fields_that_differ = 'net_pnl' "
        "where profile = $p and full_trade_id = 3",
        {"p": profile},
    )
    connection.execute(
        "update parity_summary set verdict = 'broken', identical = identical - 1, "
        "differs = 1 where profile = $p",
        {"p": profile},
    )


@contextmanager
def keeping_comments(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let tables that are replaced say what they were built from, as before."""
    comments = connection.execute(
        "select table_name, comment from duckdb_tables() where comment is not null"
    ).fetchall()
    yield
    for table, comment in comments:
        quoted = comment.replace("'", "''")
        connection.execute(f"comment on table {table} is '{quoted}'")


def altered_copy(database: Path, path: Path) -> Path:
    """Copy a built demo and make each of its profiles hard to show."""
    shutil.copyfile(database, path)
    with duckdb.connect(str(path)) as connection, keeping_comments(connection):
        connection.execute("set timezone = 'UTC'")
        leave_nothing(connection, "btc_live")
        take_every_trade(connection, "eth_live_conservative", 1)
        lose_everything(connection, "eth_live_aggressive")
        break_parity(connection, "eth_comprehensive")
        make_hostile(connection)
    return path
