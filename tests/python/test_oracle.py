"""Two answers to every number: which have a slow one, and that it bites."""

import pytest

from barsieve.oracle.compare import compare_features
from barsieve.oracle.decisions import compare_decisions
from barsieve.oracle.history import Observation, Vintages
from compiled_project import CompiledProject
from conftest import PROJECT
from troubled_market import write_troubled_market

pytestmark = pytest.mark.slow

DEMO = PROJECT / "data/demo"
OF_FEATURES = (
    "features", "scores", "bars_1h", "bars_macro", "bars_funding", "macro_series",
)  # fmt: skip
OF_DECISIONS = (
    "features", "scores", "bars_macro", "config_macro_signals", "macro_signals",
    "macro_vetoes", "sentinels", "config_symbols", "regimes", "fusion_learned",
    "fusion_scores", "candidates",
)  # fmt: skip

KEY = "names the row: a wrong one would make every other column differ"
COPIED = "copied from the market file; its test is that of ingest"
WITHOUT_AN_ORACLE = {
    "features": {
        "symbol": KEY, "bar_ts": KEY, "known_at": KEY, "bar_index": KEY,
        "open": COPIED, "high": COPIED, "low": COPIED, "close": COPIED,
        "volume": COPIED,
    },
    "scores": {
        "symbol": KEY, "bar_ts": KEY, "domain": KEY,
        "vote": "counted in votes_long and votes_short, which have one",
    },
    "macro_signals": {"symbol": KEY, "bar_ts": KEY, "signal": KEY},
    "macro_vetoes": {"macro_signals": KEY, "symbol": KEY, "bar_ts": KEY},
    "sentinels": {"symbol": KEY, "bar_ts": KEY, "sentinel": KEY},
    "fusion_scores": {
        "profile": KEY, "symbol": KEY, "bar_ts": KEY, "bar_index": KEY,
        "known_at": "copied from the bar", "weights": "by domain: weight_<domain>",
    },
    "candidates": {"profile": KEY, "symbol": KEY, "bar_ts": KEY, "bar_index": KEY},
}  # fmt: skip


def feature_verdicts(connection) -> list[dict]:
    tables = [connection.table(name) for name in OF_FEATURES]
    return compare_features(*tables).to_pylist()


def decision_verdicts(connection) -> list[dict]:
    tables = {name: connection.table(name) for name in OF_DECISIONS}
    return compare_decisions(**tables).to_pylist()


@pytest.mark.parametrize("table", WITHOUT_AN_ORACLE)
def test_every_column_has_an_oracle_or_a_reason(demo, table):
    columns = set(demo.table(table).columns)
    if table in ("features", "scores"):
        named = demo.sql("select distinct feature from parity_features").fetchall()
        checked = {name for (name,) in named}
        if table == "scores":
            domains = demo.sql("select distinct 'score_' || domain from scores")
            assert {name for (name,) in domains.fetchall()} <= checked
            checked = {"score"}
    else:
        named = demo.execute(
            'select distinct "column" from parity_decisions where relation = ?', [table]
        ).fetchall()
        checked = {name for (name,) in named}
    if table == "fusion_scores":
        domains = demo.sql("select distinct 'weight_' || domain from config_weights")
        assert {name for (name,) in domains.fetchall()} <= checked
    assert checked & columns, "nothing at all was compared"
    assert columns - checked == set(WITHOUT_AN_ORACLE[table])


def test_every_signal_sentinel_and_profile_is_compared_where_it_says_something(demo):
    rows = demo.sql("from parity_decisions").to_arrow_table().to_pylist()
    assert {row["verdict"] for row in rows} <= {"identical", "vacuous"}
    subjects = {
        "macro_signals": "select distinct signal from macro_signals",
        "sentinels": "select distinct sentinel from sentinels",
        "candidates": "select distinct profile from candidates",
        "fusion_scores": "select distinct profile from fusion_scores",
    }
    for relation, named in subjects.items():
        expected = {name for (name,) in demo.sql(named).fetchall()}
        compared = {
            row["subject"]
            for row in rows
            if row["relation"] == relation and row["verdict"] == "identical"
        }
        assert expected <= compared, relation


ALTERED = {
    "macro_signals": (
        "select * replace (if(signal = 'dxy_soft', greenlight + 0.01, greenlight) "
        "as greenlight) from macro_signals",
        {("macro_signals", "dxy_soft", "greenlight")},
    ),
    "macro_vetoes": (
        "select * replace (net_veto_long + 1e-8 as net_veto_long) from macro_vetoes",
        {("macro_vetoes", "", "net_veto_long")},
    ),
    "sentinels": (
        "from sentinels where not (sentinel = 'range_break' and side = 'short')",
        {("sentinels", "range_break", "side")},
    ),
    "fusion_scores": (
        "select * replace (is_entry and votes_long > votes_short as is_entry) "
        "from fusion_scores where profile != 'eth_live_conservative' "
        "union all by name from fusion_scores where profile = 'eth_live_conservative'",
        {("fusion_scores", "eth_comprehensive", "is_entry")},
    ),
    "candidates": (
        "from candidates where not (profile = 'eth_learned' and side = 'long')",
        {("candidates", "eth_learned", "score")},
    ),
}


@pytest.mark.parametrize("table", ALTERED)
def test_the_oracle_names_the_decision_that_is_wrong(demo, table):
    altered, expected = ALTERED[table]
    tables = {name: demo.table(name) for name in OF_DECISIONS}
    # Bars are chosen where the table says that something happens: the true one here.
    verdicts = compare_decisions(**tables | {table: demo.sql(altered)}).to_pylist()
    wrong = {
        (row["relation"], row["subject"], row["column"])
        for row in verdicts
        if row["verdict"] == "differs"
    }
    assert expected <= wrong


@pytest.fixture(scope="module")
def troubled(demo_build, tmp_path_factory):
    """The models on a market with revisions, holes and other funding intervals."""
    project = CompiledProject(demo_build)
    connection = project.connect()
    market = write_troubled_market(tmp_path_factory.mktemp("troubled") / "m", seed=3)
    project.run(
        connection,
        market,
        without=("sweep", "replay", "parity", "evaluation", "reports"),
    )
    yield connection
    connection.close()


def test_both_answers_agree_on_a_market_with_revisions_and_holes(troubled):
    features, decisions = feature_verdicts(troubled), decision_verdicts(troubled)
    assert {row["verdict"] for row in features} <= {"identical", "vacuous"}
    assert {row["verdict"] for row in decisions} <= {"identical", "vacuous"}
    known = {row["feature"] for row in features if row["values_compared"] > 20}
    assert {"total2_share_mean_30", "usdt_dominance_z_60", "funding_rate"} <= known


def test_what_is_broken_in_the_troubled_market_says_nothing_of_volume(troubled):
    rows = troubled.sql("select hours, volume from bars_1d").fetchall()
    assert {volume is None for hours, volume in rows if hours < 12} == {True}
    assert {volume is None for hours, volume in rows if hours >= 12} == {False}
    phases = troubled.sql(
        "select count(*), count(phase) from score_wyckoff as w "
        "asof join bars_1d as d on w.symbol = d.symbol "
        "and w.bar_ts + interval '1 hour' >= d.known_at where d.hours < 12"
    ).fetchall()[0]
    assert phases[0] > 100
    assert phases[1] == 0


def test_a_feature_scales_funding_to_8_hours_and_the_replay_pays_what_was_paid(
    troubled,
):
    """The troubled market settles every 8, then 4, then 1 hours."""
    intervals = dict(
        troubled.sql(
            "select interval_hours, count(*) from bars_funding group by interval_hours"
        ).fetchall()
    )
    assert min(intervals[8], intervals[4], intervals[1]) > 400
    # Rarely two settlements in a row are missing, or an interval grew longer.
    others = sum(n for hours, n in intervals.items() if hours not in (1, 4, 8))
    assert others < 0.01 * sum(intervals.values())
    paid = troubled.sql(
        "select sum(funding_settled) from bars_1h where symbol = 'ETH' "
        "and bar_ts not in (select bar_ts from bars_1h where gap_hours is null)"
    ).fetchall()[0][0]
    settled = troubled.sql(
        "select sum(funding_rate) from bars_funding as f, (select "
        "min(bar_ts) as first, max(bar_ts) as last from bars_1h "
        "where symbol = 'ETH') where f.symbol = 'ETH' "
        # Stamps are some milliseconds late.
        "and date_trunc('minute', settled_at) > first "
        "and date_trunc('minute', settled_at) <= last"
    ).fetchall()[0][0]
    assert paid == pytest.approx(settled, rel=1e-9)
    sizes = troubled.sql(
        "select f.interval_hours, avg(abs(features.funding_rate)) "
        "from features asof join bars_funding as f on f.symbol = features.symbol "
        "and features.known_at >= f.known_at "
        "where f.interval_hours in (1, 4, 8) group by 1"
    ).fetchall()
    scaled = dict(sizes)
    assert scaled[1] == pytest.approx(scaled[8], rel=1)
    assert scaled[4] == pytest.approx(scaled[8], rel=1)


def test_vintages_of_a_time_do_not_depend_on_the_times_asked_before():
    # Days 3, 4, 3 again, 5; known at 10, 20, 30, 40.
    published = [
        Observation(day, 10.0 * k, value)
        for k, (day, value) in enumerate([(3, 1.0), (4, 2.0), (3, 3.0), (5, 4.0)], 1)
    ]
    kept = Vintages(published)
    for at in (40, 5, 20, 35, 35, 10, 0, 30, 9, 99, 15):
        found, alone = kept.known_days(at), Vintages(published).known_days(at)
        assert found == alone, at
        assert all(one.known_at <= at for one in found), at
        assert kept.by_day(at) == {one.day: one for one in found}, at
