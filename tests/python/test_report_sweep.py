"""The sweep of the report: its figures, and what the page shows of them."""

import shutil

import duckdb
import numpy as np
import pytest

from barsieve.metrics.overfitting import deflated_sharpe
from barsieve.report import write_report
from barsieve.sweep.overfit import judge, sweep_statistics
from report_browser import number, same, visit

pytestmark = pytest.mark.slow

SYMBOLS = ["BTC", "ETH"]


def choose(page, symbol: str) -> None:
    page.page.select_option("#sweep-choice", label=symbol)
    page.settle()


def figures_of(demo, symbol: str) -> dict:
    (row,) = (
        demo.sql("from report_sweep")
        .filter(f"symbol = '{symbol}'")
        .to_arrow_table()
        .to_pylist()
    )
    return row


def wholes_of(demo, symbol: str) -> dict[str, np.ndarray]:
    return demo.execute(
        "select config, entry_threshold, weights['momentum'] as weight_momentum, "
        "trades, net_pnl, sharpe "
        "from sweep_results inner join sweep_configs using (grid, config, symbol) "
        "where fold = 'all' and symbol = $1",
        [symbol],
    ).fetchnumpy()


def returns_of(demo, symbol: str, what: str = "return_share") -> np.ndarray:
    """Return months x configurations by another way than the package's."""
    months = demo.execute(
        f"pivot (select config, fold, {what} as earned from sweep_results "
        f"where fold != 'all' and symbol = '{symbol}') "
        "on config using sum(earned) group by fold order by fold"
    ).fetchnumpy()
    columns = np.array([months[name] for name in months if name != "fold"], float)
    return columns[np.any(columns != 0, axis=1)].T


# The table.


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_figures_of_a_sweep_are_those_of_its_results(demo, symbol):
    row, wholes = figures_of(demo, symbol), wholes_of(demo, symbol)
    net = wholes["net_pnl"]
    assert row["configurations"] == len(net) == 594
    assert row["profitable"] == np.count_nonzero(net > 0)
    assert row["profitable_share"] == pytest.approx(np.mean(net > 0))
    assert row["best_net_pnl"] == net.max()
    assert row["best_config"] == wholes["config"][net.argmax()]
    assert row["median_net_pnl"] == pytest.approx(np.median(net))
    known = ~np.ma.getmaskarray(wholes["sharpe"])
    pair = wholes["entry_threshold"][known], wholes["sharpe"][known]
    assert row["threshold_sharpe_correlation"] == pytest.approx(
        np.corrcoef(*pair)[0, 1]
    )


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_luck_is_judged_on_the_monthly_returns_of_all_that_traded(demo, symbol):
    row, returns = figures_of(demo, symbol), returns_of(demo, symbol)
    luck = deflated_sharpe(returns)
    assert (row["months"], row["trials"]) == returns.shape
    assert row["best_monthly_sharpe"] == pytest.approx(luck.sharpe)
    assert row["effective_trials"] == pytest.approx(luck.effective_trials)
    assert row["deflated_sharpe"] == pytest.approx(luck.deflated)
    assert row["finding"] == "no edge"
    assert row["verdict"].startswith("no edge: ")


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_winner_of_the_first_half_is_ranked_by_the_second(demo, symbol):
    row, earned = figures_of(demo, symbol), returns_of(demo, symbol, "net_pnl")
    half = len(earned) // 2
    first, second = earned[:half].sum(axis=0), earned[half:].sum(axis=0)
    winner = first.argmax()
    assert row["winner_first_net_pnl"] == pytest.approx(first[winner])
    assert row["winner_second_net_pnl"] == pytest.approx(second[winner])
    assert row["winner_second_rank"] == 1 + np.count_nonzero(second > second[winner])


def test_skill_is_found_where_it_is_and_luck_is_not_called_skill():
    names = [f"{k:03}" for k in range(200)]
    noises = [np.random.default_rng(k).normal(0, 0.02, (60, 200)) for k in range(9)]
    lucky = [judge(names, noise) for noise in noises]
    # One sweep of noise in twenty is beyond 0.95: two of nine are one case in fourteen.
    assert sum(found["deflated_sharpe"] > 0.95 for found in lucky) <= 2
    skilled = noises[3].copy()
    skilled[:, 17] += 0.02
    found = judge(names, skilled)
    assert (found["best_config"], found["blocks"]) == ("017", 16)
    assert found["deflated_sharpe"] > 0.95
    assert found["overfitting"] < 0.05
    assert np.mean([found["overfitting"] for found in lucky]) > 0.3


@pytest.mark.parametrize("n_months", [12, 29, 61])
def test_a_winner_of_a_single_trade_is_judged_like_any_other(n_months):
    returns = np.zeros((n_months, 3))
    returns[[2, 5, 8], [0, 1, 2]] = 0.02, -0.01, -0.02
    judged = judge(["a", "b", "c"], returns)
    assert judged["best_config"] == "a"
    assert 0 < judged["deflated_sharpe"] < 0.95


@pytest.mark.parametrize("shape", [(11, 50), (40, 1), (40, 0)])
def test_too_little_to_judge_by_gives_no_figure(shape):
    judged = judge([str(k) for k in range(shape[1])], np.random.random(shape))
    assert judged == {"months": shape[0], "trials": shape[1]}


def test_what_never_traded_is_dropped_and_its_months_are_kept(demo):
    idle = figures_of(demo, "ETH")["best_config"]
    results = demo.table("sweep_results").select(
        f"* replace (if(config = '{idle}', 0, return_share) as return_share)"
    )
    rows = {row["symbol"]: row for row in sweep_statistics(results).to_pylist()}
    assert (rows["ETH"]["trials"], rows["BTC"]["trials"]) == (593, 594)
    assert rows["ETH"]["months"] == figures_of(demo, "ETH")["months"]


# The page.


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_verdict_tiles_and_figures_equal_the_table(page, demo, symbol):
    choose(page, symbol)
    row = figures_of(demo, symbol)
    assert page.text("#sweep-verdict").lower() == row["verdict"].lower()
    tiles = page.page.locator("#sweep-tiles strong").all_inner_texts()
    names = [
        "profitable_share", "best_net_pnl", "deflated_sharpe", "overfitting_probability"
    ]  # fmt: skip
    for cell, name, unit in zip(tiles, names, (1e-3, 1e-2, 1e-3, 1e-3), strict=True):
        assert same(cell, row[name], unit), name
    shown = [cells[1] for cells in page.table("#sweep-luck")]
    expected = {
        "best_monthly_sharpe": 1e-3, "trials": 1, "effective_trials": 0.1,
        "expected_monthly_sharpe": 1e-3, "needed_monthly_sharpe": 1e-3,
        "deflated_sharpe": 1e-3, "visible_annual_sharpe": 1e-2,
        "overfitting_probability": 1e-3, "overfitting_loss_probability": 1e-3,
        "threshold_sharpe_correlation": 1e-3,
    }  # fmt: skip
    for cell, (name, unit) in zip(shown, expected.items(), strict=True):
        assert same(cell, row[name], unit), name
    said = page.text("#sweep-words")
    assert f"Of 594 configurations, {row['profitable']} (" in said
    assert f"place {row['winner_second_rank']} of {row['with_trades']}" in said


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_cells_of_the_heat_map_are_medians_of_their_configurations(page, demo, symbol):
    choose(page, symbol)
    page.page.select_option("#sweep-setting", "weight_momentum")
    wholes = wholes_of(demo, symbol)
    xs, ys = wholes["weight_momentum"], wholes["entry_threshold"]
    for figure, of_cell in {
        "net_pnl": lambda cell: np.median(wholes["net_pnl"][cell]),
        "profitable": lambda cell: np.mean(wholes["net_pnl"][cell] > 0),
        "trades": lambda cell: np.median(wholes["trades"][cell]),
    }.items():
        page.page.select_option("#sweep-figure", figure)
        (cells,) = page.series("sweep-heat").values()
        assert sum(cell[3] for cell in cells) == 594
        assert len(cells) == len(np.unique(xs)) * len(np.unique(ys))
        for x, y, value, count in cells:
            cell = (xs == np.unique(xs)[x]) & (ys == np.unique(ys)[y])
            assert np.count_nonzero(cell) == count
            assert value == pytest.approx(of_cell(cell), abs=0.0051)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_halves_and_lines_are_those_of_every_configuration(page, demo, symbol):
    choose(page, symbol)
    row, wholes = figures_of(demo, symbol), wholes_of(demo, symbol)
    halves = page.series("sweep-halves")
    drawn = np.array([*halves["configurations"], *halves["winner of the first half"]])
    assert len(drawn) == row["with_trades"]
    assert drawn[:, :2].sum() == pytest.approx(wholes["net_pnl"].sum(), abs=6)
    assert drawn[-1, :2] == pytest.approx(
        [row["winner_first_net_pnl"], row["winner_second_net_pnl"]], abs=0.0051
    )
    lines = page.series("sweep-lines")
    assert len(lines["configurations"]) == row["with_trades"] - 1
    ((*_, trades, net, _),) = lines["best by net result"]
    assert trades == row["best_trades"]
    assert net == pytest.approx(row["best_net_pnl"], abs=0.0051)


def test_the_claims_of_the_legacy_system_stand_beside_ours(page, demo):
    shown = {cells[0]: cells[1:] for cells in page.table("#sweep-legacy")}
    ((share,),) = demo.execute(
        "select sum(profitable) / sum(configurations) from report_sweep"
    ).fetchall()
    assert shown["Profitable, all symbols"][0] == "2.4%"
    assert same(shown["Profitable, all symbols"][1], share, 1e-3)
    claim, here = shown["Correlation of threshold and Sharpe ratio, ETH"]
    assert number(claim) == -0.556
    correlation = figures_of(demo, "ETH")["threshold_sharpe_correlation"]
    assert same(here, correlation, 1e-3)
    assert "simulated" in page.text("#sweep-legacy-note")


def test_the_symbol_follows_the_profile_and_may_be_chosen(page):
    for profile, symbol in {"eth_regime": "ETH", "btc_live": "BTC"}.items():
        page.choose(profile)
        assert f"over {symbol}" in page.text("#sweep-note")
    page.choose("eth_sentinel")
    choose(page, "BTC")
    assert "over BTC" in page.text("#sweep-note")
    page.page.click("#theme")
    assert "over BTC" in page.text("#sweep-note")
    page.page.click("#theme")
    assert page.faults == []


@pytest.mark.parametrize(
    ("change", "selector", "words"),
    [
        ("drop table report_sweep", "#sweep", "no table report_sweep"),
        ("delete from report_sweep", "#sweep", "No sweep of these symbols"),
        (
            "update report_sweep set deflated_sharpe = null, trials = null, "
            "overfitting_probability = null, winner_config = null, "
            "winner_second_rank = null, finding = 'not judged', "
            "verdict = 'not judged: -'",
            "#sweep-verdict",
            "Not judged",
        ),
    ],
)
def test_a_sweep_that_is_not_there_or_not_judged_says_so(
    browser, demo_build, tmp_path, change, selector, words
):
    database = tmp_path / "fewer.duckdb"
    shutil.copyfile(demo_build.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute(change)
    write_report(database, tmp_path / "fewer.html", ["btc_live"])
    with visit(browser, tmp_path / "fewer.html") as opened:
        assert words in opened.text(selector)
        assert "NaN" not in opened.text("#sweep")
        assert opened.series("equity-chart")["full replay"]
        opened.page.click("#theme")
        assert opened.faults == []
