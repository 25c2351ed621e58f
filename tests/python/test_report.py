"""The report, read in a real browser: what it shows is what the database says."""

import math
import re
import shutil
from itertools import pairwise

import duckdb
import numpy as np
import pytest

from barsieve.report import write_report
from barsieve.report.pack import Pack
from barsieve.report.render import PAGE
from barsieve.report.sections import SECTIONS
from report_browser import (
    DASH,
    HOSTILE_MARKET,
    HOSTILE_PROFILE,
    HOSTILE_SYMBOL,
    LATER,
    LEFT_OUT,
    PHONE,
    altered_copy,
    number,
    same,
    visit,
)

pytestmark = pytest.mark.slow

MOST_BYTES_A_PROFILE = 700_000
PROFILES = [
    "btc_live", "demo_edge", "eth_comprehensive", "eth_learned", "eth_live_aggressive",
    "eth_live_conservative", "eth_regime", "eth_sentinel",
]  # fmt: skip


@pytest.fixture(scope="module")
def altered(demo_build, browser, tmp_path_factory):
    """A visit to a report whose every profile is hard to show; and its database."""
    folder = tmp_path_factory.mktemp("altered")
    database = altered_copy(demo_build.database, folder / "altered.duckdb")
    write_report(database, folder / "altered.html", [])
    with (
        visit(browser, folder / "altered.html") as visited,
        duckdb.connect(str(database), read_only=True) as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        yield visited, connection


# What a reader meets first.


def test_the_page_opens_without_an_error_or_a_request(page, altered):
    for visited in (page, altered[0]):
        assert visited.faults == []
        assert visited.page.locator("#broken").is_hidden()


def test_the_verdict_is_seen_first_with_its_counts(page, demo):
    identical, profiles = demo.execute(
        "select sum(identical) filter (where promise = 'exact'), count(*) "
        "from parity_summary where verdict = 'holds'"
    ).fetchone()
    verdict = page.page.locator("#verdict")
    assert verdict.bounding_box()["y"] == 0
    assert f"Parity holds in {profiles} of {profiles} profiles" in page.text("#verdict")
    assert f"{identical:,} of {identical:,} trades" in page.text("#verdict")
    red, green, blue = background(page, "#verdict")
    assert green > max(red, blue)


def test_the_head_says_simulated_and_what_it_was_built_from(page, demo):
    row = demo.execute(
        "select market_hash, configs_hash, code_hash, barsieve_version, "
        "strftime(built_at, '%Y-%m-%d %H:%M') from build_info"
    ).fetchone()
    head = page.text("header")
    assert "SIMULATED" in head
    assert all(value in head for value in row)


def test_every_section_names_its_tables_and_missing_ones_are_one_sentence(page):
    for section in SECTIONS:
        if section.key in LEFT_OUT:
            assert page.page.locator(f"#{section.key}").count() == 0
            continue
        text = page.text(f"#{section.key}")
        if section.key in LATER:
            lines = text.strip().splitlines()
            assert len([line for line in lines if line]) == 2
            assert f"this database has no table {section.tables[0]}" in text
        else:
            assert all(name in text for name in section.tables)


# Numbers.


@pytest.mark.parametrize(
    "profile", ["btc_live", "eth_comprehensive", "eth_live_conservative"]
)
def test_every_chart_has_data(page, profile):
    page.choose(profile)
    if profile != "eth_live_conservative":
        # Over years, single stops and marks would hide the price.
        page.page.get_by_role("button", name="3 m", exact=True).click()
    page.settle()
    ids = page.page.locator(".chart:visible").evaluate_all(
        "all => all.map(one => one.id)"
    )
    assert len(ids) >= 16
    if profile == "btc_live":
        # No profile of its symbol learns.
        ids.remove("learned-chart")
        assert "No profile of BTC learns" in page.text("#learned-chart")
    for chart in ids:
        series = page.series(chart)
        drawn = {name: data for name, data in series.items() if name != "chosen"}
        empty = {name for name, data in drawn.items() if not data}
        # A profile of few trades may have no winner in view.
        allowed = {"won", "lost"} if profile == "eth_live_conservative" else set()
        assert empty <= allowed, f"{chart}: {empty}"
        assert page.page.locator(f"#{chart}").get_attribute("aria-label")


@pytest.mark.parametrize("profile", PROFILES)
def test_results_equal_the_table(page, demo, profile):
    page.choose(profile)
    rows = demo.execute(
        "select trades, win_rate, profit_factor, mean_r, return_share, sharpe, "
        "max_drawdown, exposure from report_performance where profile = $1 "
        "order by case strategy when 'strategy' then 1 when 'buy_and_hold' then 2 "
        "else 3 end",
        [profile],
    ).fetchall()
    units = (1, 1e-3, 1e-2, 1e-2, 1e-3, 1e-2, 1e-3, 1e-3)
    shown = page.table("#strategies")
    assert len(shown) == 3
    for cells, row in zip(shown, rows, strict=True):
        for cell, value, unit in zip(cells[1:], row, units, strict=True):
            assert same(cell, value, unit), (profile, cell, value)
    tiles = page.page.locator("#tiles strong").all_inner_texts()
    for cell, value, unit in zip(
        tiles, [rows[0][i] for i in (4, 5, 6, 0)], (1e-3, 1e-2, 1e-3, 1), strict=True
    ):
        assert same(cell, value, unit)


@pytest.mark.parametrize("profile", ["btc_live", "eth_live_conservative"])
def test_the_table_of_trades_equals_the_trades(page, demo, profile):
    page.choose(profile)
    rows = demo.execute(
        "select trade_id, side, strftime(entry_ts, '%Y-%m-%d %H:%M'), "
        "strftime(exit_ts, '%Y-%m-%d %H:%M'), bars_held, entry_price, exit_price, "
        "replace(exit_reason, '_', ' '), confidence, gross_pnl, "
        "-(fees + slippage + funding), net_pnl, r_multiple from trades "
        "where profile = $1 order by trade_id limit 30",
        [profile],
    ).fetchall()
    shown = page.table("#trade-table")
    if len(rows) > len(shown):
        page.page.click("#page-after")
        shown += page.table("#trade-table")
    units = (1, None, None, None, 1, 1e-2, 1e-2, None, 1e-3, 1e-2, 1e-2, 1e-2, 1e-2)
    assert len(shown) == len(rows)
    for cells, row in zip(shown, rows, strict=True):
        for cell, value, unit in zip(cells, row, units, strict=True):
            assert cell == value if unit is None else same(cell, value, unit)


def test_the_gates_the_exits_and_the_months_equal_their_tables(page, demo):
    page.choose("eth_comprehensive")
    gates = demo.execute(
        "select bars, share_of_bars from report_screening "
        "where profile = 'eth_comprehensive' order by gate_number"
    ).fetchall()
    for cells, (bars, share) in zip(page.table("#gates"), gates, strict=True):
        assert same(cells[1], bars, 1)
        assert same(cells[2], share, 1e-4)
    exits = dict(
        demo.execute(
            "select replace(exit_reason, '_', ' '), sum(net_pnl) from trades "
            "where profile = 'eth_comprehensive' group by 1"
        ).fetchall()
    )
    shown = {cells[0]: cells[4] for cells in page.table("#exits")}
    assert shown.keys() == exits.keys()
    assert all(same(shown[name], exits[name], 1e-2) for name in exits)
    months = demo.execute(
        "select last(equity order by bar_ts) from equity "
        "where profile = 'eth_comprehensive' group by date_trunc('month', bar_ts) "
        "order by date_trunc('month', bar_ts)"
    ).fetchall()
    ends = np.array([10_000.0, *(end for (end,) in months)])
    cells = [cell for row in page.table("#months") for cell in row[1:-1] if cell]
    for cell, value in zip(cells, ends[1:] / ends[:-1] - 1, strict=True):
        assert same(cell, value, 1e-3)


@pytest.mark.parametrize("profile", ["btc_live", "eth_sentinel"])
def test_equity_of_both_replays_equals_the_table_at_every_bar(page, demo, profile):
    page.choose(profile)
    series = page.series("equity-chart")
    for replayed in ("full", "focused"):
        rows = demo.execute(
            "select epoch(bar_ts) * 1000 as at, equity from replay_equity "
            "where profile = $1 and replayed = $2 order by bar_ts",
            [profile, replayed],
        ).fetchnumpy()
        drawn = np.array(series[f"{replayed} replay"])
        assert np.array_equal(drawn[:, 0], rows["at"])
        assert np.abs(drawn[:, 1] - rows["equity"]).max() <= 0.0005 + 1e-9
    (deepest,) = demo.execute(
        "select max_drawdown from report_performance "
        "where profile = $1 and strategy = 'strategy'",
        [profile],
    ).fetchone()
    lowest = min(value for _, value in series["drawdown"])
    assert -lowest == pytest.approx(deepest, abs=1e-6)


def test_the_bridge_the_multiples_and_the_holds_add_up_to_the_trades(page, demo):
    page.choose("eth_comprehensive")
    trades, wins, net = demo.execute(
        "select count(*), count_if(net_pnl > 0), sum(net_pnl) from trades "
        "where profile = 'eth_comprehensive'"
    ).fetchone()
    for chart in ("multiples-chart", "holds-chart", "exits-chart"):
        series = page.series(chart)
        assert sum(series["won"]) == wins
        assert sum(series["lost"]) == trades - wins
    steps = page.series("bridge-chart")["bridge"]
    assert steps[-1][1] == pytest.approx(net, abs=1e-6)
    # Each step begins where the one before ended, the last ends at the net result.
    assert steps[3][1] == pytest.approx(net, abs=1e-6)
    assert all(one[1] == other[0] for one, other in pairwise(steps[:4]))


def test_every_figure_and_each_deep_drawdown_is_told(page, demo):
    page.choose("eth_comprehensive")
    own = demo.execute(
        "select cagr, sortino, turnover, expectancy from report_performance "
        "where profile = 'eth_comprehensive' and strategy = 'strategy'"
    ).fetchone()
    account = {cells[0]: cells[1:] for cells in page.table("#account-figures")}
    assert same(account["CAGR"][0], own[0], 1e-3)
    assert same(account["Sortino (daily, √365)"][0], own[1], 1e-2)
    assert same(account["turnover a year, both ways"][0], own[2], 1e-1)
    trades = {cells[0]: cells[1:] for cells in page.table("#trade-figures")}
    assert same(trades["expectancy, USD"][0], own[3], 1e-2)
    apart = demo.execute(
        "select trades, mean_mae_r from report_sides "
        "where profile = 'eth_comprehensive' order by side"
    ).fetchall()
    for column, (n_trades, mean_mae) in enumerate(apart, start=1):
        assert same(trades["trades"][column], n_trades, 1)
        assert same(trades["mean MAE, R"][column], mean_mae, 1e-2)
    falls = demo.execute(
        "select strftime(start_ts, '%Y-%m-%d %H:%M'), depth from report_drawdowns "
        "where profile = 'eth_comprehensive' and strategy = 'strategy' "
        "order by drawdown_number"
    ).fetchall()
    shown = page.table("#drawdowns")
    assert [cells[0] for cells in shown] == [start for start, _ in falls]
    assert all(
        same(cells[3], depth, 1e-3)
        for cells, (_, depth) in zip(shown, falls, strict=True)
    )


def test_each_trade_is_a_dot_where_its_excursions_are(page, demo):
    page.choose("btc_live")
    series = page.series("excursions-chart")
    dots = sorted([*series["won"], *series["lost"]], key=lambda dot: dot[2])
    rows = demo.execute(
        "select mae_r, mfe_r, trade_id, net_pnl > 0 from trades "
        "where profile = 'btc_live' order by trade_id"
    ).fetchall()
    assert np.abs(np.array(dots) - [row[:3] for row in rows]).max() <= 5e-4 + 1e-9
    assert len(series["won"]) == sum(is_win for *_, is_win in rows)


def test_a_sentinel_is_worth_what_the_entries_with_and_without_it_say(page, demo):
    page.choose("eth_comprehensive")
    rows = demo.execute(
        "with hits as (select sentinel, decision_ts from trades inner join sentinels "
        "on sentinels.symbol = trades.symbol and bar_ts = decision_ts "
        "where profile = 'eth_comprehensive') "
        "select replace(sentinel, '_', ' '), count(*) from hits group by 1"
    ).fetchall()
    shown = {
        cells[0]: int(cells[3].replace(",", "")) for cells in page.table("#sentinels")
    }
    assert all(shown[name] == count for name, count in rows)
    for cells in page.table("#sentinels"):
        assert number(cells[3]) + number(cells[4]) == 855


def test_beliefs_and_ribbon_are_the_regimes_of_the_table(page, demo):
    page.choose("eth_regime")
    rows = demo.execute(
        "select epoch(known_at) * 1000, p_risk_on, p_neutral, p_risk_off, p_crisis, "
        "coalesce(regime, 'unknown') from regime_days where classifier = 'hmm' "
        "and fit_window = 'expanding' and reference_symbol = 'BTC' order by day"
    ).fetchall()
    series = page.series("regimes-chart")
    for k, name in enumerate(("risk on", "neutral", "risk off", "crisis"), start=1):
        drawn = series[name]
        assert [at for at, _ in drawn] == [row[0] for row in rows]
        known = [
            (value, row[k])
            for (_, value), row in zip(drawn, rows, strict=True)
            if row[k] is not None
        ]
        assert len(known) > 300
        assert all(abs(value - truth) <= 5e-5 + 1e-12 for value, truth in known)
    starts = [
        row[0] for before, row in pairwise([(None,) * 6, *rows]) if before[5] != row[5]
    ]
    assert [at for at, _ in page.series("price-chart")["regime"]] == starts


def test_classifiers_are_judged_as_their_tables_say(page, demo):
    page.choose("eth_regime")
    rows = demo.execute(
        "select days, switches_per_year, predictive_log_likelihood, "
        "next_vol_explained, next_vol_forecast from report_regimes "
        "where regime = 'all' order by reference_symbol, classifier, fit_window"
    ).fetchall()
    for cells, row in zip(page.table("#regime-judged"), rows, strict=True):
        units = (1, 0.1, 1e-3, 1e-3, 1e-3)
        for cell, value, unit in zip(cells[1:], row, units, strict=True):
            assert same(cell, value, unit)
    page.page.select_option("#regime-run", index=1)
    chosen = page.page.locator("#regime-run").evaluate("one => one.value")
    assert chosen == "1"
    shown = page.table("#regime-states")
    assert 2 <= len(shown) <= 5
    assert abs(sum(number(cells[2]) for cells in shown) - 1) < 0.01
    worth = page.table("#regime-worth")
    (count, beyond) = demo.execute(
        "select count(*), count_if(is_beyond_chance) from report_regime_worth "
        "where profile = 'eth_regime'"
    ).fetchone()
    assert (len(worth), sum(cells[-1] == "yes" for cells in worth)) == (count, beyond)


def test_data_health_shows_coverage_age_and_gaps(page, demo):
    shown = {cells[0]: cells for cells in page.table("#health-series")}
    coverage, age = demo.execute(
        "select avg((vix is not null)::integer), avg(vix_age_hours) from features"
    ).fetchone()
    assert same(shown["VIX"][6], coverage, 1e-3)
    assert same(shown["VIX"][7].removesuffix(" h"), age, 0.1)
    assert shown["HY_OAS"][-1] == "read by no feature"
    gaps = demo.execute(
        "select symbol, count_if(gap_hours > 0) from bars_1h group by 1 order by 1"
    ).fetchall()
    bars = page.table("#health-bars")
    assert [(cells[0], int(cells[4])) for cells in bars] == gaps
    (worst,) = demo.execute("select max(gap_hours) from bars_1h").fetchone()
    assert f"Longest gaps: {worst} h" in page.text("#gaps")


# Moving about.


def span(page) -> list[float]:
    """Return the first and last moment that the price chart shows, Unix seconds."""
    return page.page.evaluate(
        """() => { const zoom = echarts.getInstanceByDom(document.getElementById(
            'price-chart')).getOption().dataZoom[0];
            return [zoom.startValue / 1000, zoom.endValue / 1000]; }"""
    )


def test_the_price_thins_out_from_years_to_hours(page, demo):
    page.choose("eth_comprehensive")
    chart = page.page.locator("#price-chart")
    chart.press("Home")
    page.settle()
    week = 168 * 3600
    merged = demo.execute(
        "select floor(epoch(bar_ts) / $1)::bigint * $1 * 1000 as start, "
        "first(open order by bar_ts), last(close order by bar_ts), min(low), max(high) "
        "from bars_1h where symbol = 'ETH' group by start order by start",
        [week],
    ).fetchall()
    drawn = page.series("price-chart")["price"]
    assert [tuple(candle) for candle in drawn] == merged
    levels, counts = [page.text("#level")], [len(drawn)]
    for _ in range(14):
        chart.press("+")
        page.settle()
        levels.append(page.text("#level"))
        counts.append(len(page.series("price-chart")["price"]))
    assert max(counts) <= 300
    assert "candles of 1 w" in levels[0]
    assert "candles of 1 h" in levels[-1]
    # At one hour the candles are the bars.
    at, *rest = page.series("price-chart")["price"][3]
    row = demo.execute(
        "select open, close, low, high from bars_1h "
        "where symbol = 'ETH' and bar_ts = to_timestamp($1)",
        [at / 1000],
    ).fetchone()
    assert tuple(rest) == row


def test_confidence_and_threshold_are_those_of_the_hour(page, demo):
    page.page.locator("#trade-table [data-trade='7']").evaluate("row => row.click()")
    page.settle()
    series = page.series("price-chart")
    rows = dict(
        demo.execute(
            "select epoch(bar_ts) * 1000, confidence from fusion_scores "
            "where profile = 'eth_comprehensive'"
        ).fetchall()
    )
    known = [(at, value) for at, value in series["confidence"] if value is not None]
    assert known
    assert all(abs(value - rows[at]) < 1e-5 for at, value in known)


def test_the_picker_changes_the_page_and_its_address(page):
    page.choose("eth_live_conservative")
    assert page.page.url.endswith("#profile=eth_live_conservative")
    assert "5 of 5 trades" in page.text("#trade-count")
    page.page.get_by_role("button", name="btc_live", exact=True).click()
    assert (
        page.page.locator("#profile")
        .evaluate("one => one.selectedOptions[0].text")
        .startswith("btc_live")
    )
    assert "118 of 118 trades" in page.text("#trade-count")


@pytest.mark.parametrize("name", ["net_pnl", "side", "bars_held", "costs", "entry_ts"])
def test_sorting_orders_all_trades_both_ways(page, demo, name):
    page.choose("eth_comprehensive")
    expression = "fees + slippage + funding" if name == "costs" else name
    for direction in ("asc", "desc"):
        page.page.click(f"#trade-table [data-sort='{name}']")
        shown = [int(cells[0]) for cells in page.table("#trade-table")]
        expected = demo.execute(
            "select trade_id from trades "
            "where profile = 'eth_comprehensive' "
            f"order by {expression} {direction}, trade_id limit 15"
        ).fetchall()
        assert shown == [trade for (trade,) in expected]
        header = page.page.locator(f"th:has([data-sort='{name}'])")
        assert header.get_attribute("aria-sort") == f"{direction}ending"
    page.page.click("#trade-table [data-sort='trade_id']")


def test_filters_leave_the_trades_that_the_database_would(page, demo):
    page.choose("eth_comprehensive")
    page.page.select_option("[name=side]", "short")
    page.page.select_option("[name=result]", "lost")
    page.page.select_option("[name=exit_reason]", "stop")
    page.page.fill("[name=from]", "2021-06-01")
    page.page.fill("[name=to]", "2022-06-30")
    page.page.locator("[name=to]").dispatch_event("change")
    count, net = demo.execute(
        "select count(*), sum(net_pnl) from trades "
        "where profile = 'eth_comprehensive' and side = 'short' and net_pnl <= 0 "
        "and exit_reason = 'stop' and entry_ts >= '2021-06-01' "
        "and entry_ts < '2022-07-01'"
    ).fetchone()
    text = page.text("#trade-count")
    assert 0 < count < 855
    assert text.startswith(f"{count} of 855 trades")
    assert same(text.split("net ")[1], net, 1e-2)
    page.page.click("#trade-filters [type=reset]")
    page.settle()
    assert page.text("#trade-count").startswith("855 of 855")


def test_the_filtered_trades_can_be_saved(page, demo):
    page.choose("btc_live")
    page.page.select_option("[name=side]", "long")
    with page.page.expect_download() as saved:
        page.page.click("#as-csv")
    page.page.click("#trade-filters [type=reset]")
    page.settle()
    assert saved.value.suggested_filename == "trades_btc_live.csv"
    rows = demo.read_csv(str(saved.value.path())).order("trade_id")
    expected = demo.execute(
        "select trade_id, net_pnl, entry_price, exit_reason from trades "
        "where profile = 'btc_live' and side = 'long' "
        "order by trade_id"
    ).fetchall()
    names = "trade_id, net_pnl, entry_price, exit_reason"
    assert rows.project(names).fetchall() == expected


def test_clicking_a_trade_moves_the_chart_there_and_tells_its_story(page, demo):
    page.choose("eth_comprehensive")
    page.page.click("#trade-table [data-trade='12'] td:nth-child(3)")
    page.settle()
    assert abs(page.page.locator("#price").bounding_box()["y"]) < 200
    row = demo.execute(
        "select epoch(entry_ts), epoch(exit_ts), side, r_multiple, exit_reason, "
        "decision_ts, net_pnl from trades "
        "where profile = 'eth_comprehensive' and trade_id = 12"
    ).fetchone()
    first, last = span(page)
    assert first < row[0] < row[1] < last
    assert last - first < 30 * 24 * 3600
    story = page.text("#trade")
    assert f"Trade 12 of 855: {row[2]}" in story
    assert row[4].replace("_", " ") in story
    assert page.page.url.endswith("trade=12")
    scores = dict(
        demo.execute(
            "select domain, score from scores where symbol = 'ETH' and bar_ts = $1",
            [row[5]],
        ).fetchall()
    )
    (weights,) = demo.execute(
        "select weights from trades "
        "where profile = 'eth_comprehensive' and trade_id = 12"
    ).fetchone()
    for domain, score, _, vote, weight in page.table("#trade-votes"):
        assert same(score, scores[domain], 1e-3)
        assert same(weight, weights[domain], 1e-2)
        value = scores[domain]
        voted = [] if value is None else [value > 0.55, value < 0.45]
        told = [side for side, so in zip(("long", "short"), voted, strict=False) if so]
        assert [vote] == (told or [DASH])
    assert same(page.table("#trade-money")[-1][1], row[6], 1e-2)


def test_the_weights_shown_are_those_in_force_at_the_decision(page, demo):
    page.choose("eth_learned")
    rows = demo.execute(
        "select trade_id, trades.weights, config_profiles.weights from trades "
        "inner join config_profiles using (profile) "
        "where profile = 'eth_learned' order by trade_id"
    ).fetchall()
    page.page.click("#trade-table [data-trade='1'] button")
    shown = page.page.evaluate(
        """n => Array.from({length: n}, () => {
            const rows = [...document.querySelectorAll('#trade-votes tbody tr')];
            document.querySelector('#trade .group button:last-child').click();
            return Object.fromEntries(rows.map(row =>
                [row.cells[0].innerText, row.lastChild.innerText]));
        })""",
        len(rows),
    )
    n_learned = 0
    for (_, weights, own), told in zip(rows, shown, strict=True):
        assert set(told) == set(weights)
        assert all(same(told[d], weights[d], 1e-2) for d in weights)
        n_learned += any(not same(told[d], w, 1e-2) for d, w in own.items())
    # It would be seen if the page showed the profile's own.
    assert n_learned > 50


def test_every_stop_is_drawn_from_the_bar_it_was_in_force(page, demo):
    page.choose("btc_live")
    # The first page of the table; of some the stop went to break-even, or trailed.
    paths = demo.execute(
        "select trade_id, list([epoch(bar_ts) * 1000, stop] order by bar_ts), "
        "any_value(epoch(exit_ts) * 1000 + 3600000), list(distinct reason) "
        "from trade_stops inner join trades "
        "using (profile, symbol, trade_id) "
        "where profile = 'btc_live' and trade_id <= 15 "
        "group by trade_id having count(*) > 1 order by trade_id"
    ).fetchall()
    assert {"break_even", "trail"} <= {kind for *_, kinds in paths for kind in kinds}
    for trade_id, path, end, _ in paths:
        page.page.click(f"#trade-table [data-trade='{trade_id}'] button")
        page.settle()
        until = [at for at, _ in path[1:]] + [end]
        expected = [
            [at, stop]
            for (start, stop), stopped in zip(path, until, strict=True)
            for at in (start, stopped)
        ]
        drawn = page.series("price-chart")["stop"]
        first = drawn.index(expected[0])
        assert drawn[first : first + len(expected) + 1] == [*expected, [end, None]]


def test_every_gate_is_told_to_have_let_a_trade_through(page):
    page.choose("eth_live_aggressive")
    page.page.click("#trade-table [data-trade='1'] button")
    told = page.page.evaluate(
        """() => Array.from({length: 50}, () => {
            const gates = [...document.querySelectorAll('#trade-gates tbody tr')];
            const title = document.querySelector('#trade h3').textContent;
            document.querySelector('#trade .group button:last-child').click();
            return [title.split(':')[0], gates.length, ...new Set(
                gates.map(row => row.lastChild.textContent))];
        })"""
    )
    assert told == [[f"Trade {k} of 137", 9, "✓ yes"] for k in range(1, 51)]


def test_a_mark_in_the_chart_chooses_its_trade(page):
    page.choose("btc_live")
    page.page.click("#trade-table [data-trade='5'] td:nth-child(2)")
    chart = page.page.locator("#price-chart")
    chart.press("n")
    assert "Trade 6 of 118" in page.text("#trade")
    for _ in range(3):
        chart.press("-")
    page.settle()
    trade, *where = page.page.evaluate(
        """() => {
            const chart = echarts.getInstanceByDom(
                document.getElementById('price-chart'));
            const marks = chart.getOption().series.find(
                one => one.name === 'entries and exits').data;
            const mark = marks.find(one => one.trade !== 6);
            return [mark.trade, ...chart.convertToPixel(
                {xAxisIndex: 0, yAxisIndex: 0}, mark.value)];
        }"""
    )
    chart.click(position={"x": where[0], "y": where[1]})
    assert f"Trade {trade} of 118" in page.text("#trade")


def test_the_keys_move_and_zoom_and_the_focus_is_seen(page):
    page.choose("btc_live")
    chart = page.page.locator("#price-chart")
    chart.press("Home")
    whole = span(page)
    chart.press("+")
    closer = span(page)
    assert closer[1] - closer[0] < whole[1] - whole[0]
    chart.press("ArrowLeft")
    assert span(page)[0] < closer[0]
    page.page.keyboard.press("Tab")
    focused = page.page.evaluate(
        "[document.activeElement.tagName, "
        "getComputedStyle(document.activeElement).outlineStyle]"
    )
    assert focused[0] != "BODY"
    assert focused[1] == "solid"


# Light, dark, phone, paper.


def background(page, selector: str) -> tuple[float, ...]:
    colour = page.page.locator(selector).evaluate(
        "one => getComputedStyle(one).backgroundColor"
    )
    return tuple(float(part) for part in re.findall(r"[\d.]+", colour)[:3])


def luminance(colour: list[float]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (part / 255 for part in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrasts(page) -> dict[str, float]:
    found = page.page.evaluate(
        """() => {
            const probe = document.body.appendChild(document.createElement('i'));
            const read = name => {
                probe.style.color = `var(--${name})`;
                return getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number);
            };
            const names = ['ink', 'muted', 'accent', 'gain', 'loss', 'warn', 'paper',
                'card'];
            const all = Object.fromEntries(names.map(name => [name, read(name)]));
            probe.remove();
            return all;
        }"""
    )
    light = {name: luminance(colour) for name, colour in found.items()}
    return {
        f"{name} on {ground}": (max(light[name], light[ground]) + 0.05)
        / (min(light[name], light[ground]) + 0.05)
        for name in ("ink", "muted", "accent", "gain", "loss", "warn")
        for ground in ("paper", "card")
    }


def test_dark_follows_the_system_and_the_button_and_both_can_be_read(browser, report):
    with visit(browser, report, color_scheme="dark") as dark:
        assert max(background(dark, "body")) < 60
        assert min(contrasts(dark).values()) >= 4.5, contrasts(dark)
        dark.page.click("#theme")
        assert min(background(dark, "body")) > 200
        assert min(contrasts(dark).values()) >= 4.5, contrasts(dark)
        axis = dark.page.evaluate(
            "echarts.getInstanceByDom(document.getElementById('holds-chart'))"
            ".getOption().textStyle.color"
        )
        ink = [float(part) for part in re.findall(r"[\d.]+", axis)[:3]]
        assert luminance(ink) < 0.1
        # The choice outlives the page.
        dark.page.reload()
        dark.page.wait_for_selector("html[data-ready]")
        assert min(background(dark, "body")) > 200
        dark.page.click("#theme")
        # Paper is light and shows the profile; the screen comes back as it was.
        pages = dark.page.pdf(format="A4")
        assert 4 <= len(re.findall(rb"/Type /Page\b", pages)) <= 20
        assert max(background(dark, "body")) < 60
        dark.page.emulate_media(media="print")
        assert dark.page.locator("#bar").is_hidden()
        assert "btc_live (BTC)" in dark.text(".on-paper")
        assert dark.faults == []


def test_an_address_opens_a_trade_and_a_phone_shows_it_without_scrolling_sideways(
    browser, report
):
    phone = {"viewport": PHONE, "is_mobile": True, "has_touch": True}
    address = "#profile=eth_live_aggressive&trade=9"
    with visit(browser, report, address, **phone) as opened:
        assert "Trade 9 of 137" in opened.text("#trade")
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
        for chart in ("price-chart", "equity-chart", "holds-chart"):
            drawn = opened.page.locator(f"#{chart} > div").first
            assert 300 < drawn.bounding_box()["width"] <= 390
        assert opened.faults == []


def test_it_can_be_read_without_a_mouse_or_a_screen(page):
    unnamed = page.page.evaluate(
        """() => [...document.querySelectorAll(
            'button, select, input, [tabindex], .chart'
        )].filter(one => one.checkVisibility() && !(one.getAttribute('aria-label')
            || one.labels?.length || one.textContent.trim()))
        .map(one => one.outerHTML.slice(0, 90))"""
    )
    assert unnamed == []
    assert page.page.locator("html[lang=en]").count() == 1
    headings = page.page.locator("main h2").count()
    assert headings == len(SECTIONS) - len(LEFT_OUT)


# Databases that are hard to show.


def test_a_broken_promise_is_red_with_the_first_trades_that_differ(altered):
    page, connection = altered
    (profiles,) = connection.execute("select count(*) from parity_summary").fetchone()
    headline = page.text("#verdict .headline")
    assert f"1 profile of {profiles} broke its promise: eth_comprehensive" in headline
    marked = [row for row in page.table("#overview") if "broken" in row]
    assert [row[0] for row in marked] == ["eth_comprehensive"]
    red, green, blue = background(page, "#verdict")
    assert red > 2 * max(green, blue)
    (row,) = page.table("#differing")
    decided, full, focused = connection.execute(
        "select strftime(any_value(decision_ts), '%Y-%m-%d %H:%M'), "
        "any_value(net_pnl) filter (where replayed = 'full'), "
        "any_value(net_pnl) filter (where replayed = 'focused') from replay_trades "
        "where profile = 'eth_comprehensive' and trade_id = 3"
    ).fetchone()
    assert row[:4] == [decided, "eth_comprehensive", "ETH", "differs"]
    assert row[-1] == f"net_pnl: {full:,.6g} → {focused:,.6g}"


def test_a_profile_without_a_trade_says_so_everywhere(altered):
    page, _ = altered
    page.choose("btc_live")
    assert "No trade" in page.text("#luck")
    assert "made no trade" in page.text("#trade")
    assert page.text("#trade-count") == "0 of 0 trades; nothing to list"
    for chart in ("multiples", "bridge", "exits", "holds"):
        assert "No trade" in page.text(f"#{chart}-chart")
    assert "this gate blocks every trade" in page.text("#gates")
    assert page.series("price-chart")["price"]
    assert page.faults == []


def test_a_profile_with_one_trade_shows_it(altered):
    page, _ = altered
    page.choose("eth_live_conservative")
    page.page.get_by_role("button", name="Show the first trade").click()
    assert "Trade 1 of 1" in page.text("#trade")
    page.page.get_by_role("button", name="Next →").click()
    assert "Trade 1 of 1" in page.text("#trade")
    assert len(page.table("#trade-table")) == 1
    page.choose("btc_live")
    page.choose("eth_live_conservative")
    assert sum(map(sum, page.series("holds-chart").values())) == 1
    assert page.faults == []


def test_a_profile_that_lost_everything_is_shown_as_ruined(altered):
    page, _ = altered
    page.choose("eth_live_aggressive")
    assert (
        page.page.locator("#tiles strong").first.inner_text() == "\N{MINUS SIGN}100.0%"
    )
    assert "Ruined: on 2022-01-01 00:00" in page.text("#luck")
    values = [value for _, value in page.series("equity-chart")["drawdown"]]
    assert min(values) == -1
    assert "NaN" not in page.text("main")
    assert "Infinity" not in page.text("main")
    assert page.faults == []


def test_sections_without_their_tables_are_left_out_and_the_others_stand(
    browser, demo_build, tmp_path
):
    path = tmp_path / "fewer.duckdb"
    shutil.copyfile(demo_build.database, path)
    with duckdb.connect(str(path)) as connection:
        # What every build makes is in every database that is whole.
        for table in ("report_regimes", "report_sweep", "report_walk_forward"):
            connection.execute(f"drop table {table}")
    written = write_report(path, tmp_path / "fewer.html", ["btc_live"])
    assert len(written.left_out) == 3
    assert {"Regimes", "Sweep"} <= set(written.left_out)
    with visit(browser, tmp_path / "fewer.html") as page:
        assert "no table report_regimes" in page.text("#regimes")
        assert "no table report_sweep" in page.text("#sweep")
        assert page.series("price-chart")["price"]
        assert page.table("#trade-table")
        assert page.series("equity-chart")["full replay"]
        assert page.table("#health-series")
        page.page.click("#theme")
        assert page.page.pdf().startswith(b"%PDF")
        assert page.faults == []


def test_hostile_names_stay_text(altered):
    page, _ = altered
    page.choose(HOSTILE_PROFILE)
    page.page.locator("#trade-table [data-trade='1']").evaluate("row => row.click()")
    assert page.page.title().startswith(HOSTILE_MARKET)
    assert page.text("h1") == HOSTILE_MARKET
    assert HOSTILE_PROFILE in page.text("#overview")
    assert HOSTILE_SYMBOL in page.text("#overview")
    assert HOSTILE_SYMBOL in page.text("#health-bars")
    assert page.page.locator("h1 b, img, main script").count() == 0
    page.page.locator("#price-chart").hover(position={"x": 500, "y": 200})
    page.settle()
    assert page.page.locator(".tip").count() >= 1
    assert page.page.locator("img").count() == 0
    assert page.faults == []


# Under the page, and at its largest.


def test_columns_survive_the_journey_to_the_page(browser):
    random = np.random.default_rng(11)
    walk = np.round(np.cumsum(random.normal(size=500)) + 30_000, 2)
    hours = 1.7e9 + 3600 * np.arange(9)
    holes = np.where(random.random(500) < 0.2, np.nan, walk - 30_000)
    pack = Pack()
    sent = {
        "walk": (walk, pack.rounded(walk, 2)),
        "holes": (np.round(holes, 3), pack.rounded(holes, 3)),
        "negative": (-walk, pack.rounded(-walk, 2)),
        "times": (hours, pack.rounded(hours, 0)),
        "unknown": (np.full(4, np.nan), pack.rounded(np.full(4, np.nan), 2)),
        "none": (np.array([]), pack.rounded(np.array([]), 2)),
        "exact": (
            np.array([math.pi, -1e-300, np.nan, 1e300, 0.1]),
            pack.exact(np.array([math.pi, -1e-300, np.nan, 1e300, 0.1])),
        ),
        "decimals": (
            np.array([0.1, -2.345, np.nan, 7.0]),
            pack.exact(np.array([0.1, -2.345, np.nan, 7.0])),
        ),
        "zero": (np.array([-0.0]), pack.exact(np.array([-0.0]))),
        "moments": (hours * 1000, pack.moments(hours)),
    }  # fmt: skip
    assert sent["decimals"][1]["kind"] == "rounded"
    assert sent["zero"][1]["kind"] == "exact"
    texts = ["a", None, "<b>", "a"]
    references = {name: reference for name, (_, reference) in sent.items()}
    references["texts"] = pack.texts(texts)
    lines = ["a stop at 1,5", "", "ü < 2"]
    references["lines"] = pack.lines(lines)
    page = browser.new_page()
    got = page.evaluate(
        "async ([text, references]) => {"
        + (PAGE / "columns.js").read_text()
        + """; await inflate(text);
        return Object.fromEntries(Object.entries(references).map(
            ([name, one]) => [name, Array.from(column(one))])); }""",
        [pack.encode(), references],
    )
    page.close()
    assert got.pop("texts") == texts
    assert got.pop("lines") == lines
    for name, values in got.items():
        back = np.array([np.nan if v is None else v for v in values], float)
        assert np.array_equal(back, sent[name][0], equal_nan=True), name


@pytest.mark.slow
@pytest.mark.real_market
def test_the_report_of_the_real_market_is_small_and_not_simulated(
    browser, real_build, tmp_path
):
    path = tmp_path / "real.html"
    written = write_report(real_build.database, path, [])
    assert written.size_bytes < MOST_BYTES_A_PROFILE * len(written.profiles)
    with visit(browser, path) as opened:
        assert opened.faults == []
        assert opened.page.locator("#simulated").count() == 0
        opened.page.locator("#price-chart").press("Home")
        opened.settle()
        assert 20 < len(opened.series("price-chart")["price"]) <= 300
