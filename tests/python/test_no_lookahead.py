"""A history that ends early agrees bit for bit on every row that it has.

The real market has a file of its own, so that two processes can share the work.
"""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from compiled_project import CompiledProject
from conftest import PROJECT
from troubled_market import write_troubled_market
from truncated_history import (
    KEYS,
    SLICED,
    WARM_UP_BARS,
    Proof,
    all_layers_but,
    copy_tables,
    differences,
)

DEMO = PROJECT / "data/demo"
FEATURES = ("config", "bars", "features")


@pytest.fixture(scope="module")
def proof(demo_build, tmp_path_factory) -> Proof:
    """Whole, sliced and cut histories of the demo, built once beside each other."""
    folder = tmp_path_factory.mktemp("beside")
    return Proof(CompiledProject(demo_build), DEMO, folder, seed=1).build()


@pytest.mark.slow
def test_no_row_of_the_demo_knows_its_future(proof):
    assert proof.columns_that_tell() == {}


@pytest.mark.slow
def test_no_row_of_the_demo_knows_the_future_of_all_symbols(proof):
    assert proof.hours_that_tell() == {}


def relative_rows(connection, table: str, symbol: str, first_index: int, span: str):
    """Rows of a symbol with bar numbers counted from where its slice starts."""
    columns = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
    listed = [
        f"{column} - {first_index} as {column}" if column.endswith("_index") else column
        for column in columns
        if column != "symbol"
    ]
    return (
        f"select {', '.join(listed)} from {table} where symbol = '{symbol}' and {span}"
    )


@pytest.mark.slow
def test_history_may_start_anywhere_once_windows_are_full(proof):
    connection, starts = proof.connection, proof.histories.starts
    compared = 0
    for name, source in SLICED.items():
        first, last = connection.execute(
            "select min(bar_ts), max(bar_ts) from features "
            f"where symbol = '{name}' and bar_index >= {WARM_UP_BARS}"
        ).fetchone()
        span = f"bar_ts between timestamptz '{first}' and timestamptz '{last}'"
        for table in ("features", "scores", "sentinels", "votes"):
            sliced = relative_rows(connection, table, name, 0, span)
            whole = relative_rows(connection, table, source, starts[name], span)
            for ours, theirs in ((sliced, whole), (whole, sliced)):
                n_rows, n_differ = connection.execute(
                    f"select (select count(*) from ({ours})), "
                    f"(select count(*) from (({ours}) except all ({theirs})))"
                ).fetchone()
                assert n_differ == 0, f"{table} of {name} differs from {source}"
                compared += n_rows
    assert compared > 100_000


@pytest.mark.slow
def test_macro_history_may_start_anywhere_once_windows_are_full(proof, tmp_path):
    whole = proof.histories.whole
    moments = sorted(set(whole.macro["known_at"].to_pylist()))
    start = moments[len(moments) // 3]
    is_later = pc.greater_equal(
        whole.macro["known_at"], pa.scalar(start, pa.timestamp("us", tz="UTC"))
    )
    market = whole._replace(macro=whole.macro.filter(is_later)).write(tmp_path / "m")
    project, connection = proof.project, proof.project.connect()
    tables = ("features", "macro_signals", "macro_vetoes")
    copy_tables(proof.connection, connection, tables)
    layers = all_layers_but(project, *FEATURES, "macro")
    project.run(connection, market, without=layers)
    # The VIX state looks back 250 observations: about 360 days.
    span = f"where bar_ts > timestamptz '{start}' + interval '365 days'"
    for table in tables:
        keys = KEYS.get(table) or project.grain(table)
        ours = f"from {table} {span}"
        theirs = f"from reference.main.{table} {span}"
        count = connection.execute(f"select count(*) from ({ours})").fetchone()[0]
        assert count > 1_000
        assert not differences(connection, table, keys, ours, theirs), table


LAGS_REMOVED = {
    "an unfinished 4-hour bar is read": (
        "bars_4h",
        "blocks.block_start_at + interval '4 hours' as known_at",
        "blocks.block_start_at as known_at",
        {"adx_14_4h", "sma_20_4h", "trend_4h"},
    ),
    "an unfinished day is read": (
        "bars_1d",
        "blocks.block_start_at + interval '24 hours' as known_at",
        "blocks.block_start_at as known_at",
        {"sma_20_1d", "trend_1d", "range_position_20_1d"},
    ),
    "macro is read on the day it describes": (
        "bars_macro",
        "    known_at,\nfrom (",
        "    date::timestamptz as known_at,\nfrom (",
        {"vix", "dxy"},
    ),
    "funding is known when it settles": (
        "bars_funding",
        "settled_at + interval '1 minute' as known_at",
        "settled_at as known_at",
        {"funding_rate"},
    ),
    "a swing is known before it is confirmed": (
        "feature_swings",
        "from swings",
        "from (select * replace (lead(confirmed_high, 5) over (partition by symbol "
        "order by bar_index) as confirmed_high) from swings)",
        {"swing_high"},
    ),
}


# Of whole symbols, of sliced ones, of all together; what shows at most hours needs few.
CUTS_TO_NOTICE = {
    "bars_4h": (2, 0, 0),
    "bars_1d": (2, 0, 0),
    "bars_macro": (1, 0, 2),
    "feature_macro_vintages": (1, 0, 2),
    "feature_swings": (2, 12, 0),
}
OFTEN_ENOUGH = (4, 0, 0)


def altered(build, model: str, old: str, new: str) -> CompiledProject:
    """Return a project in which one model says something else."""
    found = []

    def alter(name: str, sql: str) -> str:
        if name != model:
            return sql
        assert old in sql, f"{model} no longer says: {old}"
        found.append(name)
        return sql.replace(old, new, 1)

    project = CompiledProject(build, alter)
    project.altered = found
    return project


def features_that_tell(project: CompiledProject, market, folder, n_cuts) -> set[str]:
    """Return the features by which a cut of a symbol shows, or one of all symbols."""
    layers = all_layers_but(project, *FEATURES)
    proof = Proof(project, market, folder, seed=5, n_cuts=n_cuts).build(layers)
    found = set(proof.columns_that_tell(("features",)).get("features", ()))
    for of_all in proof.hours_that_tell(layers, ("features",)).values():
        found |= set(of_all.get("features", ()))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("fault", LAGS_REMOVED)
def test_the_proof_names_the_column_when_a_lag_is_removed(demo_build, tmp_path, fault):
    model, old, new, columns = LAGS_REMOVED[fault]
    project = altered(demo_build, model, old, new)
    n_cuts = CUTS_TO_NOTICE.get(model, OFTEN_ENOUGH)
    found = features_that_tell(project, DEMO, tmp_path, n_cuts)
    assert project.altered
    assert found & columns, "the proof did not notice"


# In a market with revisions, holes and other intervals of funding.
REVISIONS_KNOWN = {
    "a day is read in its last vintage": (
        "feature_macro_vintages",
        "select * from",
        "select * replace (last_value(value) over (partition by series, observed_day "
        "order by known_at rows between current row and unbounded following) as value) "
        "from",
        {"total2_share", "vix"},
    ),
    "an interval of funding is told by the next settlement": (
        "bars_funding",
        "        stated_hours,\n        least(",
        "        stated_hours,\n        lead(hours_since_last) over "
        "settlements_in_order,\n        least(",
        {"funding_rate"},
    ),
}


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    return write_troubled_market(tmp_path_factory.mktemp("troubled") / "m", seed=11)


@pytest.mark.slow
def test_no_row_of_a_troubled_market_knows_its_future(demo_build, troubled, tmp_path):
    project = CompiledProject(demo_build)
    proof = Proof(project, troubled, tmp_path, seed=1, n_cuts=(2, 6, 2)).build()
    assert proof.columns_that_tell() == {}
    assert proof.hours_that_tell() == {}


@pytest.mark.slow
@pytest.mark.parametrize("fault", REVISIONS_KNOWN)
def test_the_proof_names_the_column_when_a_revision_is_foreseen(
    demo_build, troubled, tmp_path, fault
):
    model, old, new, columns = REVISIONS_KNOWN[fault]
    project = altered(demo_build, model, old, new)
    n_cuts = CUTS_TO_NOTICE.get(model, OFTEN_ENOUGH)
    found = features_that_tell(project, troubled, tmp_path, n_cuts)
    assert project.altered
    assert found & columns, "the proof did not notice"


@pytest.mark.slow
def test_the_proof_notices_sums_that_depend_on_where_history_lies(demo_build, tmp_path):
    """Without the window setting of profiles.yml, rolling sums lose their last bits."""
    project = CompiledProject(demo_build)
    for name, model in project.models.items():
        project.models[name] = model._replace(settings={"TimeZone": "UTC"})
    assert features_that_tell(project, DEMO, tmp_path, (2, 4, 0))


def test_duckdb_still_has_the_setting_that_makes_windows_exact():
    duckdb.connect().execute("set debug_window_mode = 'separate'")
