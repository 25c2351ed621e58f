"""A history that ends early agrees bit for bit on every row that it has.

The proof is the product's: `barsieve prove`. The real market has a file of its own, so
that two processes can share the work.
"""

import duckdb
import pytest

from barsieve.proof.lookahead import prove
from barsieve.proof.market import build_on
from conftest import PROJECT
from planted import Planted, ahead
from troubled_market import write_troubled_market

DEMO = PROJECT / "data/demo"
# They count from the beginning of history.
COUNTED_FROM_THE_START = {"bars_1h", "bars_4h", "bars_1d"}
# Of the regimes, whose models learn from all of the past.
LEARNED = {"regime_days", "regime_fits"}
# What is learned counts as settings; windows are where candidates are.
OF_WHAT_IS_LEARNED = {"fusion_learned", "fusion_settings", "candidate_windows"}
# A market need not have a row of these near a cut: the last one has none where every
# series of macro values is known.
RARE = {"sentinel_session_break", "macro_unknown"}


def refuted(found) -> dict[str, str]:
    """Return what a proof did not prove, with the first difference or the reason."""
    return {
        f"{row.table_name}.{row.column_name}": row.first_difference or row.note
        for row in found
        if row.verdict not in ("proven", "proven_through")
        and row.table_name not in RARE
    }


@pytest.fixture(scope="module")
def found(demo_build):
    """The proof of the demo, as a user runs it."""
    return prove(demo_build.database)


@pytest.mark.slow
def test_no_row_of_the_demo_knows_its_future(found):
    assert refuted(found) == {}
    cuts = {row.table_name: row.cuts for row in found if row.verdict == "proven"}
    for table in ("features", "scores", "votes", "regimes", "fusion_scores"):
        assert cuts[table] == 20
    assert sum(row.rows_compared for row in found) > 1_000_000


@pytest.mark.slow
def test_every_table_from_the_market_to_the_candidates_is_proven(found):
    told = {row.table_name for row in found}
    for layer in (
        "bars", "features", "macro", "regime", "detectors", "scores", "sentinels",
        "votes", "fusion", "candidates",
    ):  # fmt: skip
        for path in (PROJECT / "models" / layer).glob("*.sql"):
            assert path.stem in OF_WHAT_IS_LEARNED or path.stem in told, path


@pytest.mark.slow
def test_history_may_start_anywhere_once_windows_are_full(found):
    past = {row.table_name: row.past_hours for row in found if row.verdict == "proven"}
    whole = {name for name, hours in past.items() if hours is None}
    assert whole <= COUNTED_FROM_THE_START | LEARNED
    # Twelve occurrences of an hour of the week; 250 observations of the VIX.
    assert past["score_temporal"] == 2_688
    assert past["feature_macro_days"] == 10_752


# What is changed in a shipped model, and the columns of it of which one must be named.
LAGS_REMOVED = {
    "bars_4h": (
        "blocks.block_start_at + interval '4 hours' as known_at",
        "blocks.block_start_at as known_at",
        {"close", "high", "low"},
    ),
    "bars_1d": (
        "blocks.block_start_at + interval '24 hours' as known_at",
        "blocks.block_start_at as known_at",
        {"close", "high", "low"},
    ),
    "bars_macro": (
        "    known_at,\nfrom (",
        "    date::timestamptz as known_at,\nfrom (",
        {"value"},
    ),
    "bars_funding": (
        "settled_at + interval '1 minute' as known_at",
        "settled_at as known_at",
        {"funding_rate"},
    ),
    "feature_swings": (
        "from swings",
        "from (select * replace (lead(confirmed_high, 5) over (partition by symbol "
        "order by bar_index) as confirmed_high) from swings)",
        {"swing_high"},
    ),
}


@pytest.fixture(scope="module")
def without_lags(demo_build, tmp_path_factory):
    """Findings about shipped models of the demo, each without one of its lags."""
    planted = Planted(demo_build.database, tmp_path_factory.mktemp("lags"))
    for model, (old, new, _) in LAGS_REMOVED.items():
        planted.alter(model, old, new)
    planted.keep()
    return planted.prove(20)


@pytest.mark.slow
@pytest.mark.parametrize("model", LAGS_REMOVED)
def test_the_proof_names_the_column_when_a_lag_is_removed(without_lags, model):
    assert ahead(without_lags[model]) & LAGS_REMOVED[model][2]


# In a market with revisions, holes and other intervals of funding.
REVISIONS_KNOWN = {
    "feature_macro_vintages": (
        "select * from",
        "select * replace (last_value(value) over (partition by series, observed_day "
        "order by known_at rows between current row and unbounded following) as value) "
        "from",
        {"value"},
    ),
    "bars_funding": (
        "        stated_hours,\n        least(",
        "        stated_hours,\n        lead(hours_since_last) over "
        "settlements_in_order,\n        least(",
        {"interval_hours"},
    ),
}


@pytest.fixture(scope="module")
def troubled(demo_build, tmp_path_factory):
    """The models of the demo on such a market."""
    folder = tmp_path_factory.mktemp("troubled")
    market = write_troubled_market(folder / "m", seed=11)
    return build_on(demo_build.database, market, folder)


@pytest.mark.slow
def test_no_row_of_a_troubled_market_knows_its_future(troubled):
    assert refuted(prove(troubled)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("model", REVISIONS_KNOWN)
def test_the_proof_names_the_column_when_a_revision_is_foreseen(
    troubled, tmp_path, model
):
    old, new, columns = REVISIONS_KNOWN[model]
    planted = Planted(troubled, tmp_path)
    planted.alter(model, old, new)
    planted.keep()
    assert ahead(planted.prove(20)[model]) & columns


@pytest.mark.slow
def test_the_proof_notices_sums_that_depend_on_where_history_lies(demo_build, tmp_path):
    """Without the window setting of profiles.yml, rolling sums lose their last bits."""
    planted = Planted(demo_build.database, tmp_path)
    name = "feature_hourly"
    planted.models[name] = planted.models[name]._replace(settings={"TimeZone": "UTC"})
    planted.names.append(name)
    planted.keep()
    assert ahead(planted.prove(4)[name])


def test_duckdb_still_has_the_setting_that_makes_windows_exact():
    duckdb.connect().execute("set debug_window_mode = 'separate'")
