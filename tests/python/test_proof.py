"""The proof of no lookahead finds what a user's models know too early, and no more."""

import json

import pytest

from barsieve.proof.lookahead import prove
from planted import Planted, ahead

N_CUTS = 10
pytestmark = pytest.mark.slow
IN_ORDER = "partition by symbol order by bar_index"
# Layer, statement, and the columns that look ahead.
PEEKS = {
    "feature_lead": (
        "features",
        f"select symbol, bar_ts, close, lead(close, 24) over ({IN_ORDER}) / close as "
        "return_ahead from {bars_1h}",
        {"return_ahead"},
    ),
    "feature_centred": (
        "features",
        f"select symbol, bar_ts, avg(close) over ({IN_ORDER} rows between 5 preceding "
        "and 5 following) as smooth from {bars_1h}",
        {"smooth"},
    ),
    "feature_daily": (
        "features",
        "select bars.symbol, bars.bar_ts, macro.value as vix_of_day from {bars_1h} as "
        "bars left join {bars_macro} as macro on macro.series = 'VIX' and "
        "macro.observed_day = bars.bar_ts::date",
        {"vix_of_day"},
    ),
    "score_z": (
        "scores",
        "with whole as (select symbol, avg(close) as mean, stddev(close) as sd from "
        "{features} group by symbol) select symbol, bar_ts, (close - mean) / sd as "
        "score from {features} inner join whole using (symbol)",
        {"score"},
    ),
    "score_percentile": (
        "scores",
        "select symbol, bar_ts, percent_rank() over (partition by symbol order by "
        "close) as score from {features}",
        {"score"},
    ),
    "score_unknown": (
        "scores",
        "select bars.symbol, bars.bar_ts, days.range_position_20_1d as score from "
        "{features} as bars asof left join {feature_1d} as days on bars.symbol = "
        "days.symbol and bars.bar_ts + interval '1 day' >= days.known_at",
        {"score"},
    ),
    "sentinel_top": (
        "sentinels",
        "select symbol, bar_ts, 'top' as sentinel, 'short' as side from {features} "
        f"qualify high >= max(high) over ({IN_ORDER} rows between 12 preceding and "
        "12 following)",
        {"sentinel", "side"},
    ),
    "signal_regime": (
        "macro",
        "select bars.symbol, bars.bar_ts, days.p_risk_off as veto_long from {features} "
        "as bars left join {regime_days} as days on days.day = bars.bar_ts::date and "
        "days.classifier = 'vix_bands'",
        {"veto_long"},
    ),
    "signal_lead": (
        "macro",
        "select symbol, bar_ts, case when lead(close) over (partition by symbol order "
        "by bar_ts) < close then 0.5 else 0 end as veto_long, 0 as veto_short from "
        "{features}",
        {"veto_long"},
    ),
    "regime_foreseen": (
        "regime",
        "select symbol, bar_ts, lead(p_risk_off, 24) over (partition by classifier, "
        "fit_window, reference_symbol, symbol order by bar_ts) as p from {regimes}",
        {"p"},
    ),
    "fused": (
        "anywhere",
        "select profile, symbol, bar_ts, lead(fusion_score) over (partition by "
        "profile, symbol order by bar_ts) as f from {fusion_scores}",
        {"f"},
    ),
}
# What looks like it, and knows nothing early.
FAIR = {
    "feature_place": "select symbol, bar_ts, rank() over (partition by bar_ts order by "
    "close) as place from {bars_1h}",
    "feature_market": "select bar_ts, avg(close) as m from {bars_1h} group by bar_ts",
    "feature_of_btc": "select bars.symbol, bars.bar_ts, btc.close from {bars_1h} as "
    "bars left join {bars_1h} as btc on btc.symbol = 'BTC' and "
    "btc.bar_ts = bars.bar_ts",
    "feature_number": "select symbol, bar_ts, row_number() over (partition by symbol "
    "order by bar_ts) as n from {bars_1h}",
    "feature_quarter": f"select symbol, bar_ts, max(high) over ({IN_ORDER} rows "
    "between 1999 preceding and current row) as top from {bars_1h}",
    "my_days": "select symbol, known_at as seen, close from {bars_1d}",
}
TIMES = {"my_days": "seen"}


@pytest.fixture(scope="module")
def found(demo_build, tmp_path_factory):
    """Findings about models planted in the demo's build."""
    planted = Planted(demo_build.database, tmp_path_factory.mktemp("planted"))
    for name, (layer, sql, _) in PEEKS.items():
        planted.add(name, layer, sql)
    for name, sql in FAIR.items():
        planted.add(name, "mine", sql, known_at=TIMES.get(name))
    label = (
        f"select symbol, bar_ts, lead(close) over ({IN_ORDER}) as x from {{bars_1h}}"
    )
    planted.add("label_excused", "mine", label, excused="what a model learns from")
    planted.add("without_time", "mine", "select symbol, close from {bars_1h}")
    planted.add("broken", "mine", "select symbol, bar_ts, 1 as x from {bars_1h}")
    planted.models["broken"] = planted.models["broken"]._replace(compiled_code="select")
    planted.keep()
    return planted.prove(N_CUTS)


@pytest.mark.parametrize("name", PEEKS)
def test_a_look_ahead_is_found_and_its_column_named(found, name):
    assert ahead(found[name]) == PEEKS[name][2]
    row = next(row for row in found[name] if row.verdict == "looks_ahead")
    assert "where history ends" in row.first_difference


@pytest.mark.parametrize("name", FAIR)
def test_what_was_known_is_proven(found, name):
    assert {row.verdict for row in found[name]} == {"proven"}
    assert {row.cuts for row in found[name]} == {N_CUTS}
    assert all(row.rows_compared > N_CUTS for row in found[name])


def test_it_is_told_how_much_of_the_past_rows_need(found):
    past = {name: rows[0].past_hours for name, rows in found.items()}
    assert past["feature_number"] is None, "it counts from the beginning"
    assert 1_664 < past["feature_quarter"] <= 2_688


def test_what_cannot_be_compared_is_no_proof(found):
    (row, *_) = found["without_time"]
    assert (row.verdict, row.cuts) == ("not_compared", 0)
    assert "meta.known_at" in row.note
    assert {row.verdict for row in found["broken"]} == {"not_compared"}
    assert "Error" in found["broken"][0].note


def test_an_excuse_holds_where_no_candidate_is_made_of_it(found):
    rows = {row.column_name: row for row in found["label_excused"]}
    assert rows["x"].verdict == "excused"
    assert rows["x"].note == "what a model learns from"


def test_an_excuse_does_not_hide_what_candidates_are_made_of(demo_build, tmp_path):
    planted = Planted(demo_build.database, tmp_path)
    name, order = "score_wyckoff", "(partition by symbol order by bar_ts)"
    foreseen = f"* replace (lead(score, 9) over {order} as score)"
    code = planted.models[name].compiled_code
    planted.alter(name, code, f"select {foreseen} from ({code})", excused="I promise")
    planted.keep()
    assert ahead(planted.prove(3)[name]) == {"score"}


def test_a_proof_is_the_same_twice(demo_build):
    once, twice = (prove(demo_build.database, 3, only=["votes"]) for _ in range(2))
    assert once == twice
    assert {row.cuts for row in once} == {3}


def test_findings_are_plain_values(found):
    json.dumps([row._asdict() for rows in found.values() for row in rows])
