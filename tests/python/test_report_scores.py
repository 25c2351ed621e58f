"""Scores and samples of the report: what the page shows equals its tables."""

import pytest

from report_browser import same

pytestmark = pytest.mark.slow


def pick(page, name: str) -> None:
    page.page.select_option("#score-name", name)
    page.settle()


@pytest.mark.parametrize(
    ("profile", "symbol"), [("btc_live", "BTC"), ("eth_regime", "ETH")]
)
def test_every_score_stands_at_its_best_horizon(page, demo, profile, symbol):
    page.choose(profile)
    rows = demo.execute(
        "select name, horizon_hours, spread_bps, cost_bps, p_adjusted, "
        "is_beyond_chance from report_scores where symbol = $1 and regime = 'all' "
        "qualify row_number() over (partition by kind, name "
        "order by p_value nulls last, horizon_hours) = 1",
        [symbol],
    ).fetchall()
    expected = {name.replace("_", " "): rest for name, *rest in rows}
    shown = page.table("#scores-best")
    assert {cells[0] for cells in shown} == set(expected)
    for cells in shown:
        horizon, spread, cost, p, is_found = expected[cells[0]]
        assert cells[2] == str(horizon)
        assert same(cells[5], spread, 0.1)
        assert same(cells[6], cost, 0.1)
        assert same(cells[10], p, 0.0001)
        assert cells[11] == ("yes" if is_found else "no")
    found = sum(is_found for *_, is_found in rows)
    assert page.text("#scores-note").startswith(f"{found} of {len(rows)} scores")


def test_a_chosen_score_is_drawn_and_told(page, demo):
    page.choose("btc_live")
    pick(page, "momentum")
    assert "beyond chance" in page.text("#score-verdict")
    drawn = page.series("score-horizons-chart")
    rows = demo.execute(
        "select regime, information_coefficient from report_scores "
        "where name = 'momentum' and symbol = 'BTC' order by regime, horizon_hours"
    ).fetchall()
    for regime in {regime for regime, _ in rows}:
        shown = drawn[regime.replace("_", " ")]
        assert shown == [value for name, value in rows if name == regime]
    decay = demo.execute(
        "select information_coefficient from report_score_decay "
        "where name = 'momentum' and symbol = 'BTC' order by lag_hours"
    ).fetchall()
    assert page.series("score-decay-chart")["known"] == [value for (value,) in decay]
    assert len(page.series("score-months-chart")["over 1 h"]) > 20
    pick(page, "vix_calm")
    assert "No correlation by month" in page.text("#score-months-chart")
    assert page.faults == []


def test_a_picked_profile_shows_both_samples_and_no_other_does(page, demo):
    page.choose("demo_edge")
    rows = demo.execute(
        "select sample, days, trades, return_share, sharpe from report_samples "
        "where profile = 'demo_edge' order by sample"
    ).fetchall()
    shown = page.table("#samples")
    assert len(shown) == len(rows) == 2
    for cells, (sample, days, trades, return_share, sharpe) in zip(
        shown, rows, strict=True
    ):
        assert cells[0] == sample.replace("_", " ")
        assert cells[1] == str(days)
        assert cells[2] == str(trades)
        assert same(cells[6], return_share, 0.001)
        assert same(cells[7], sharpe, 0.01)
    assert "the best of 167" in page.text("#samples-note")
    page.choose("btc_live")
    assert page.page.locator("#samples-part").is_hidden()
