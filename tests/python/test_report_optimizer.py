"""The optimizer of the report: what the page shows equals its tables."""

import shutil

import duckdb
import pytest

from barsieve.report import write_report
from report_browser import same, visit

pytestmark = pytest.mark.slow


def figures_of(demo, symbol: str, section: str) -> dict[tuple, float]:
    rows = demo.execute(
        "select subject, figure, value from report_optimizer "
        "where symbol = $1 and section = $2",
        [symbol, section],
    ).fetchall()
    return {(subject, figure): value for subject, figure, value in rows}


@pytest.mark.parametrize(
    ("profile", "symbol"), [("btc_live", "BTC"), ("eth_regime", "ETH")]
)
def test_verdict_models_and_importances_equal_the_table(page, demo, profile, symbol):
    page.choose(profile)
    ((note,),) = demo.execute(
        "select note from report_optimizer where section = 'verdict' and symbol = $1",
        [symbol],
    ).fetchall()
    assert page.text("#optimizer-verdict").lower() == note.lower()
    models = figures_of(demo, symbol, "model")
    shown = page.table("#optimizer-models")
    assert {cells[0] for cells in shown} == {m.replace("_", " ") for m, _ in models}
    for cells in shown:
        name = cells[0].replace(" ", "_")
        assert same(cells[1], models[name, "in_sample_r2"], 0.01)
        assert same(cells[2], models[name, "walk_forward_r2"], 0.01)
        assert same(cells[4].split(" ")[0], models[name, "picked_r"], 0.01)
    drawn = page.series("fits-chart")
    fitted = sorted(
        name
        for (name, figure), value in models.items()
        if figure == "in_sample_r2" and value is not None
    )
    for series, figure in {
        "in sample": "in_sample_r2",
        "walked forward": "walk_forward_r2",
    }.items():
        assert drawn[series] == [models[name, figure] for name in fitted]
    lost = figures_of(demo, symbol, "importance")
    for model, bars in page.series("importance-chart").items():
        name = model.replace(" ", "_")
        known = {s: v for (s, m), v in lost.items() if m == name and "/" not in s}
        assert sorted(bars) == sorted(known.values())


def test_learned_weights_and_threshold_are_those_of_the_table(page, demo):
    page.choose("eth_learned")
    page.page.select_option("#learned-regime", "neutral")
    drawn = page.series("learned-chart")
    for domain in ("wyckoff", "liquidity", "smc", "momentum", "temporal"):
        rows = demo.execute(
            "select weight, threshold from fusion_learned where domain = $1 "
            "and profile = 'eth_learned' and regime = 'neutral' order by month",
            [domain],
        ).fetchall()
        assert len(rows) > 12
        assert drawn[domain] == [weight for weight, _ in rows]
        assert drawn["threshold"] == [threshold for _, threshold in rows]


def test_training_stands_beside_the_month_after(page, demo):
    page.choose("eth_learned")
    rows = demo.execute(
        "select in_sample_r, out_of_sample_r, average_r from report_walk_forward "
        "where symbol = 'ETH' order by test_from"
    ).fetchall()
    drawn = page.series("walks-chart")
    assert list(zip(*drawn.values(), strict=True)) == rows
    strategies = figures_of(demo, "ETH", "strategy")
    for cells in page.table("#optimizer-strategies"):
        name = cells[1].replace(" ", "_")
        assert same(cells[2], strategies[name, "return_share"], 1e-3)
        assert same(cells[-1].split(" ")[0], strategies[name, "trades"], 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("drop table fusion_learned", "no table fusion_learned"),
        (
            "delete from report_optimizer; delete from report_walk_forward; "
            "delete from fusion_learned",
            "No sweep of ETH to learn from",
        ),
    ],
)
def test_an_optimizer_that_did_not_run_says_so(
    browser,
    demo_build,
    tmp_path,
    change,
    words,
):
    database = tmp_path / "fewer.duckdb"
    shutil.copyfile(demo_build.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute(change)
    write_report(database, tmp_path / "fewer.html", ["eth_learned"])
    with visit(browser, tmp_path / "fewer.html") as opened:
        assert words in opened.text("#optimizer")
        assert "NaN" not in opened.text("#optimizer")
        opened.page.click("#theme")
        assert opened.faults == []


def test_a_symbol_that_no_profile_learns_for_has_nothing_to_choose(page):
    page.choose("eth_learned")
    assert page.page.is_visible("#learned-regime")
    assert page.page.is_visible("#optimizer-strategies")
    page.choose("btc_live")
    assert "No profile of BTC learns" in page.text("#optimizer")
    assert not page.page.is_visible("#learned-regime")
    assert not page.page.is_visible("#optimizer-strategies")
