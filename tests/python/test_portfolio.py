"""Profiles of several symbols: what they add up to, by tables, command and page."""

import json
import shutil
from collections import defaultdict
from datetime import UTC, datetime

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from barsieve.cli import app
from barsieve.cli.figures import MOST_SYMBOLS, OF_EACH_END, OF_SYMBOL, symbol_table
from barsieve.cli.results import _lost_orders, parts, wholes
from barsieve.report import source as sources
from barsieve.report import write_report
from barsieve.report.sections.portfolio import results_of
from barsieve.report.sections.price import SIGNALS
from barsieve.report.source import open_source
from barsieve.report.verdict import read_verdict
from report_browser import keeping_comments, same, visit

BOTH = ("pair", "apart")
START = 10_000.0


# Tables, against plain Python.


@pytest.fixture(scope="module")
def spine(spine_build):
    with spine_build.connect() as connection:
        yield connection


def rows(connection, query: str, *parameters) -> list[dict]:
    found = connection.execute(query, parameters)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def portfolio(connection, profile: str) -> dict[str, dict]:
    found = rows(connection, "from report_portfolio where profile = ?", profile)
    return {row["symbol"]: row for row in found}


def marks_by_day(connection, table: str, profile: str) -> dict[str, dict]:
    """Return the last equity of each UTC day, by symbol, from rows hour by hour."""
    symbol = "symbol" if table == "equity" else "'*'"
    found = connection.execute(
        f"select {symbol}, bar_ts, equity from {table} where profile = ? "
        "order by bar_ts",
        [profile],
    ).fetchall()
    days: dict[str, dict] = defaultdict(dict)
    for name, at, equity in found:
        days[name][at.date()] = equity
    return days


@pytest.mark.slow
@pytest.mark.parametrize("profile", BOTH)
def test_contributions_are_of_the_whole_and_add_up_to_it(spine, profile):
    found = portfolio(spine, profile)
    whole = found.pop("*")
    n_accounts = {"pair": 1, "apart": 2}[profile]
    for symbol, row in found.items():
        trades = rows(
            spine,
            "from trades where profile = ? and symbol = ? order by trade_id",
            profile, symbol,
        )  # fmt: skip
        net = sum(trade["net_pnl"] for trade in trades)
        assert row["trades"] == len(trades)
        assert row["net_pnl"] == pytest.approx(net, rel=1e-9)
        assert row["contribution"] == pytest.approx(net / (START * n_accounts))
        assert row["return_share"] == pytest.approx(net / START)
        ended = [t for t in trades if t["exit_reason"] == "end_of_data"]
        assert row["end_of_data_exits"] == len(ended)
        assert row["end_of_data_net_pnl"] == sum(t["net_pnl"] for t in ended)
    assert set(found) == {"BTC", "ETH"}
    for name in ("contribution", "net_pnl", "trades", "no_room", "refused", "lapsed"):
        assert sum(r[name] for r in found.values()) == pytest.approx(whole[name]), name
    # Equal parts: the return of holding all is the mean of those of holding each.
    held = [row["hold_return_share"] for row in found.values()]
    assert whole["hold_return_share"] == pytest.approx(np.mean(held))


@pytest.mark.slow
def test_a_wallet_with_one_place_refuses_and_accounts_apart_do_not(spine):
    pair, apart = (portfolio(spine, name)["*"] for name in BOTH)
    assert pair["max_positions"] == 1
    assert pair["no_room"] > 100
    assert (apart["max_positions"], apart["no_room"]) == (2, 0)
    alone = portfolio(spine, "eth_comprehensive")
    assert list(alone) == ["ETH"]
    assert alone["ETH"]["contribution"] == alone["ETH"]["return_share"]
    assert alone["ETH"]["correlation_with_rest"] is None
    # On an account of its own a symbol does what it does in a profile of its own.
    figures = ("trades", "net_pnl", "sharpe", "mean_gross_exposure")
    own = portfolio(spine, "apart")["ETH"]
    assert [own[name] for name in figures] == [alone["ETH"][name] for name in figures]


@pytest.mark.slow
@pytest.mark.parametrize("profile", BOTH)
def test_exposure_is_what_was_held_over_the_money_behind_it(spine, profile):
    found = portfolio(spine, profile)
    held: dict[str, list[float]] = defaultdict(list)
    money = dict(
        spine.execute(
            "select bar_ts, equity from profile_equity where profile = ?", [profile]
        ).fetchall()
    )
    gross: dict[datetime, float] = defaultdict(float)
    for symbol, at, position, close, equity in spine.execute(
        "select symbol, bar_ts, position, close, equity from equity "
        "inner join bars_1h using (symbol, bar_ts) where profile = ? order by bar_ts",
        [profile],
    ).fetchall():
        behind = money[at] if profile == "pair" else equity
        held[symbol].append(abs(position) * close / behind)
        gross[at] += abs(position) * close
    held["*"] = [value / money[at] for at, value in gross.items()]
    for symbol, values in held.items():
        row = found[symbol]
        assert row["mean_gross_exposure"] == pytest.approx(np.mean(values)), symbol
        assert row["max_gross_exposure"] == pytest.approx(max(values)), symbol


@pytest.mark.slow
@pytest.mark.parametrize("profile", BOTH)
def test_correlations_are_of_daily_results_of_both(spine, profile):
    days = marks_by_day(spine, "equity", profile)
    results = {}
    for symbol, marks in days.items():
        values = np.array(list(marks.values()))
        results[symbol] = dict(zip(list(marks)[1:], np.diff(values), strict=True))
    common = sorted(results["BTC"].keys() & results["ETH"].keys())
    expected = np.corrcoef(
        [results["BTC"][day] for day in common], [results["ETH"][day] for day in common]
    )[0, 1]
    (row,) = rows(
        spine,
        "from report_correlations where profile = ? and other_symbol = 'ETH'",
        profile,
    )
    assert (row["symbol"], row["days"]) == ("BTC", len(common))
    assert row["correlation"] == pytest.approx(expected, abs=1e-9)
    found = portfolio(spine, profile)
    assert found["*"]["mean_correlation"] == pytest.approx(expected, abs=1e-9)
    # Of two symbols the rest is the other one.
    assert found["BTC"]["correlation_with_rest"] == row["correlation"]
    assert found["*"]["correlation_with_rest"] is None


@pytest.mark.slow
@pytest.mark.parametrize("profile", BOTH)
def test_days_are_the_last_marks_of_each_and_symbols_add_up_to_the_whole(
    spine, profile
):
    stored: dict[str, dict] = defaultdict(dict)
    for row in rows(
        spine,
        "from report_days where profile = ? and strategy = 'strategy'", profile,
    ):  # fmt: skip
        stored[row["symbol"]][row["day"]] = row["equity"]
    marks = marks_by_day(spine, "equity", profile)
    marks |= marks_by_day(spine, "profile_equity", profile)
    assert stored == marks
    start = START if profile == "pair" else 2 * START
    for day, equity in stored["*"].items():
        made = sum(stored[symbol][day] - START for symbol in ("BTC", "ETH"))
        assert equity - start == pytest.approx(made, abs=1e-6)


def test_a_symbol_stands_at_nothing_before_its_first_day_and_still_after_its_last():
    results = results_of(
        {
            "symbol": np.array(["A", "A", "B"], object),
            "at": np.array([0.0, 2.0, 1.0]),
            "result": np.array([5.0, 7.0, -3.0]),
        }
    )
    assert results.at.tolist() == [0, 1, 2]
    assert results.by_symbol["A"].tolist() == [5, 5, 7]
    assert results.by_symbol["B"].tolist() == [0, -3, -3]


# The command line.


def show(database, *arguments: str):
    return CliRunner().invoke(
        app, ["show", *arguments], env={"BARSIEVE_DATABASE": str(database)}
    )


@pytest.mark.slow
def test_show_has_a_line_a_profile_and_with_its_name_its_symbols(spine_build, spine):
    lines = show(spine_build.database).stdout.splitlines()
    figures = [line for line in lines if line.split()[:1] == ["pair"]]
    # One of parity, one of performance.
    assert len(figures) == 2
    assert "2 symbols" in figures[1]
    assert any("found no room in the wallet" in line for line in lines)
    found = portfolio(spine, "pair")
    shown = show(spine_build.database, "pair")
    assert shown.exit_code == 0, shown.output
    table = shown.stdout.split("report_portfolio: 2 symbols")[1].splitlines()
    cells = {line.split()[0]: line.split() for line in table if line.strip()}
    for symbol, row in (("all", found["*"]), *found.items()):
        if symbol != "*":
            assert same(cells[symbol][1], row["trades"], 1)
            assert same(cells[symbol][3], row["contribution"], 1e-3)
            assert same(cells[symbol][-2], row["no_room"], 1)
    told = json.loads(show(spine_build.database, "pair", "--json").stdout)
    assert {row["symbol"] for row in told["report_portfolio"]} == {"*", "BTC", "ETH"}
    assert {row["profile"] for row in told["report_portfolio"]} == {"pair"}
    alone = show(spine_build.database, "eth_sentinel").stdout
    assert "report_portfolio" not in alone


def line_of(symbol: str, contribution: float) -> dict:
    return dict.fromkeys(OF_SYMBOL, 0) | {
        "symbol": symbol, "contribution": contribution,
    }  # fmt: skip


@pytest.mark.parametrize("n_symbols", [MOST_SYMBOLS, MOST_SYMBOLS + 1])
def test_of_many_symbols_the_best_and_the_worst_are_shown(n_symbols):
    symbols = [line_of(f"S{k:02}", k / 100) for k in range(n_symbols)]
    shown = symbol_table(line_of("*", 0), symbols)
    names = list(shown.columns[0].cells)
    assert names[0] == "all"
    if n_symbols == MOST_SYMBOLS:
        assert names[1:] == [f"S{k:02}" for k in reversed(range(n_symbols))]
        assert "best" not in shown.title
    else:
        assert len(names) == 1 + 2 * OF_EACH_END
        assert names[1] == f"S{n_symbols - 1:02}"
        assert names[-1] == "S00"
        assert "the best 10 and the worst 10" in shown.title


def test_a_whole_stands_for_its_profile_and_tells_which_accounts_were_ruined():
    at = datetime(2024, 1, 1, tzinfo=UTC)
    performance = [
        {"profile": "apart", "symbol": "*", "ruined_at": None},
        {"profile": "apart", "symbol": "A", "ruined_at": at},
        {"profile": "apart", "symbol": "B", "ruined_at": None},
        {"profile": "lone", "symbol": "A", "ruined_at": at},
    ]
    assert [row["symbol"] for row in wholes(performance)] == ["*", "A"]
    assert [row["symbol"] for row in parts(performance)] == ["A", "B"]
    counts = {"gate": "entered", "lapsed": 0, "refused": 0, "liquidated": 0}
    screening = [
        counts | {"profile": row["profile"], "symbol": row["symbol"], "no_room": 3}
        for row in performance
    ]
    assert _lost_orders(screening, performance) == [
        "apart: 3 entry orders found no room in the wallet, "
        "ruined: A at the close of 2024-01-01 00:00 UTC",
        "lone: 3 entry orders found no room in the wallet, "
        "ruined at the close of 2024-01-01 00:00 UTC",
    ]


# The page.


@pytest.fixture(scope="module")
def report(spine_build, tmp_path_factory):
    """The report of a profile of one symbol, and of both kinds of wallet."""
    path = tmp_path_factory.mktemp("portfolio") / "portfolio.html"
    written = write_report(
        spine_build.database, path, ["pair", "apart", "eth_sentinel"]
    )
    assert written.profiles == ["pair", "apart", "eth_sentinel"]
    return path


@pytest.mark.slow
@pytest.mark.parametrize("profile", BOTH)
def test_the_portfolio_of_the_page_equals_the_tables(page, spine, profile):
    page.choose(profile)
    found = portfolio(spine, profile)
    for cells in page.table("#portfolio-symbols"):
        row = found["*" if cells[0] == "all" else cells[0]]
        names = (
            ("trades", 1), ("net_pnl", 1e-2), ("contribution", 1e-3),
            ("return_share", 1e-3), ("hold_return_share", 1e-3), ("sharpe", 1e-2),
            ("max_drawdown", 1e-3), ("exposure", 1e-3), ("mean_gross_exposure", 1e-3),
            ("correlation_with_rest", 1e-2), ("no_room", 1), ("refused", 1),
            ("lapsed", 1),
        )  # fmt: skip
        for cell, (name, unit) in zip(cells[1:], names, strict=True):
            assert same(cell, row[name], unit), (name, cell, row[name])
    drawn = page.series("portfolio-results-chart")
    ends = {name: values[-1][1] for name, values in drawn.items()}
    for symbol in ("BTC", "ETH"):
        assert ends[symbol] == pytest.approx(found[symbol]["net_pnl"], abs=1)
    together = np.array(drawn["all together"])
    apart = np.array(drawn["BTC"])[:, 1] + np.array(drawn["ETH"])[:, 1]
    assert np.abs(together[:, 1] - apart).max() <= 0.02
    lines = page.series("portfolio-equity-chart")
    held = rows(
        spine,
        "select equity from report_days where profile = ? and symbol = '*' "
        "and strategy = 'buy_and_hold' order by day", profile,
    )  # fmt: skip
    assert [value for _, value in lines["equal parts, held"]] == pytest.approx(
        [row["equity"] for row in held], abs=0.006
    )
    cells = page.series("portfolio-correlations-chart")["correlation"]
    expected = found["*"]["mean_correlation"]
    assert {(x, y) for x, y, _ in cells} == {(0, 1), (1, 0)}
    assert all(value == pytest.approx(expected, abs=6e-4) for *_, value in cells)
    exposure = page.series("portfolio-exposure-chart")
    most = max(value for _, value in exposure["positions"])
    assert most == found["*"]["max_positions"]
    ended = found["*"]["end_of_data_exits"]
    said = page.text("#portfolio-forced")
    assert f"{ended} because the market ended" in said or not ended
    assert "none because its symbol had no bar any more" in said
    assert page.faults == []


@pytest.mark.slow
def test_the_equity_of_the_whole_is_that_of_all_accounts(page, spine):
    page.choose("apart")
    found = spine.execute(
        "select equity from profile_equity where profile = 'apart' order by bar_ts"
    ).fetchnumpy()
    drawn = np.array(page.series("equity-chart")["full replay"])
    assert np.abs(drawn[:, 1] - found["equity"]).max() <= 0.0005 + 1e-9


@pytest.mark.slow
def test_a_trade_of_the_whole_opens_where_its_symbol_is(page, spine):
    page.choose("pair")
    assert "choose one above" in page.text("#price")
    assert page.page.locator("#price-chart").is_hidden()
    symbol, r_multiple = spine.execute(
        "select symbol, r_multiple from trades where profile = 'pair' and trade_id = 3"
    ).fetchone()
    row = next(cells for cells in page.table("#trade-table") if cells[0] == "3")
    assert row[1] == symbol
    page.page.click("#trade-table [data-trade='3'] button")
    page.settle()
    assert page.page.url.endswith(f"#profile=pair&symbol={symbol}&trade=3")
    assert page.page.locator("#price-chart").is_visible()
    assert page.series("price-chart")["price"]
    title = page.text("#trade h3")
    assert title.startswith("Trade 3 of ")
    assert same(title.split(" R")[0].split()[-1], r_multiple, 1e-2)
    # The list is that of the symbol alone, and the way back is the picker.
    assert "Symbol" not in page.text("#trade-table thead")
    page.choose("pair")
    assert "Symbol" in page.text("#trade-table thead")
    page.page.select_option("[name=symbol]", "BTC")
    assert {cells[1] for cells in page.table("#trade-table")} == {"BTC"}
    page.page.click("#trade-filters [type=reset]")
    page.settle()
    assert page.faults == []


@pytest.mark.slow
def test_a_symbol_is_reached_from_the_table_and_has_figures_of_its_own(page, spine):
    page.choose("pair")
    page.page.locator("#portfolio-symbols").get_by_role(
        "button", name="BTC", exact=True
    ).click()
    assert page.page.url.endswith("#profile=pair&symbol=BTC")
    own = portfolio(spine, "pair")["BTC"]
    tiles = page.page.locator("#tiles strong").all_inner_texts()
    assert same(tiles[0], own["return_share"], 1e-3)
    assert same(tiles[3], own["trades"], 1)
    assert "the account that the symbols share" in page.text("#luck")
    assert "The part of one symbol" in page.text("#equity-note")
    assert "have an entry of their own" in page.text("#portfolio")
    gates = {cells[0]: cells[1] for cells in page.table("#gates")}
    assert same(gates["entered"], own["trades"], 1)
    marked = page.page.locator("#overview tr[aria-current] td").first.inner_text()
    assert marked == "pair"
    page.choose("eth_sentinel")
    assert "trades one symbol" in page.text("#portfolio")
    assert page.page.url.endswith("#profile=eth_sentinel")
    assert page.faults == []


@pytest.mark.slow
def test_an_address_names_a_symbol_and_paper_and_dark_show_the_whole(browser, report):
    with visit(browser, report, "#profile=apart&symbol=ETH&trade=2") as opened:
        assert "apart (ETH)" in opened.page.locator("#shown").text_content()
        assert opened.text("#trade h3").startswith("Trade 2 of ")
        opened.page.click("#theme")
        opened.choose("apart")
        assert opened.page.pdf(format="A4").startswith(b"%PDF")
        opened.choose("eth_sentinel")
        assert opened.series("price-chart")["price"]
        assert opened.faults == []


@pytest.mark.slow
def test_of_many_symbols_those_with_most_trades_have_an_entry(
    browser, spine_build, tmp_path, monkeypatch
):
    monkeypatch.setattr(sources, "MOST_SYMBOLS", 1)
    path = tmp_path / "few.html"
    write_report(spine_build.database, path, ["pair"])
    with visit(browser, path) as opened:
        options = opened.page.locator("#profile option").all_inner_texts()
        assert options == ["pair (2 symbols together)", "pair (ETH)"]
        said = opened.text("#portfolio-entries")
        assert said.startswith("Of 2 symbols, the 1 with most trades")
        assert len(opened.table("#portfolio-symbols")) == 3
        other = opened.page.locator("#trade-table tr", has_text="BTC").first
        assert other.locator("button").count() == 0
        other.click()
        assert opened.page.url.endswith("#profile=pair")
        assert opened.faults == []


@pytest.mark.slow
def test_the_chart_raises_the_threshold_by_the_losses_of_all_symbols(spine_build):
    source = open_source(spine_build.database, ["pair"])
    for symbol in ("BTC", "ETH"):
        trades = source.rows(
            "select decision_ts, threshold from trades "
            "where profile = 'pair' and symbol = $symbol",
            symbol=symbol,
        )
        drawn = source.arrays(SIGNALS, profile="pair", symbol=symbol, account="*")
        at = np.searchsorted(drawn["at"], [trade["decision_ts"] for trade in trades])
        assert (drawn["threshold"][at] == [t["threshold"] for t in trades]).all()


@pytest.mark.slow
def test_a_trade_that_differs_is_told_of_its_symbol(spine_build, tmp_path):
    path = tmp_path / "differs.duckdb"
    shutil.copyfile(spine_build.database, path)
    with duckdb.connect(str(path)) as connection, keeping_comments(connection):
        decided, net = connection.execute(
            "select decision_ts, net_pnl from trades where profile = 'pair' "
            "and symbol = 'BTC' order by trade_id limit 1"
        ).fetchone()
        key = "profile = 'pair' and symbol = 'BTC' and decision_ts = $at"
        connection.execute(
            "update replay_trades set net_pnl = net_pnl + 1 "
            f"where {key} and replayed = 'focused'",
            {"at": decided},
        )
        connection.execute(
            "update parity_trades set verdict = 'differs', "
            f"fields_that_differ = 'net_pnl' where {key}",
            {"at": decided},
        )
        connection.execute(
            "update parity_summary set verdict = 'broken' where profile = 'pair'"
        )
    verdict = read_verdict(open_source(path, ["pair"]))
    (row,) = (one for one in verdict.differing if one["profile"] == "pair")
    assert (row["symbol"], row["verdict"]) == ("BTC", "differs")
    assert row["values"] == [
        {"name": "net_pnl", "full": f"{net:,.6g}", "focused": f"{net + 1:,.6g}"}
    ]
