"""Names of regimes: a fixed scale, the same in every history, stress at once."""

from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.market import simulation
from barsieve.regime import (
    AT_ONCE,
    EXPANDING,
    FIRST_FIT_DAYS,
    HMM,
    HYSTERESIS_DAYS,
    KMEANS,
    NAMES,
    ROLLING,
    UNKNOWN,
)
from barsieve.regime.features import COLUMNS, observations
from barsieve.regime.hysteresis import in_force, most_likely
from barsieve.regime.stress import SERIES, centres, level, named
from barsieve.regime.tables import regime_runs, walk_of_bands
from barsieve.regime.walk_forward import Walk, walk_forward
from conftest import PROJECT
from test_regime import SCALE, walked, with_column, world

LEAST_AGREEMENT = 0.85
RISK_ON, NEUTRAL, RISK_OFF, CRISIS = range(4)


def simulated(seed: int, n_days: int = 1500) -> tuple[pa.Table, np.ndarray]:
    """Days of the simulated market's own regimes and levels, and which regime it was.

    A value that was not published by the end of a day is that of the last one that was.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    regimes = simulation._regime_path(rng, n_days + 1)
    levels = {
        name: simulation._level_path(rng, regimes, *simulation.LEVELS[name])
        for name in ("VIX", "MOVE", "DXY")
    }
    vix, move, dxy = levels["VIX"][1:], levels["MOVE"][:-1], levels["DXY"][1:]
    quarter = np.array(
        [np.log(dxy[max(0, k - 90) : k + 1]).mean() for k in range(n_days)]
    )
    volatility = np.array(simulation.ANNUAL_VOLATILITY)[regimes[1:]]
    first = np.datetime64("2019-01-01")
    columns = {
        "day": (first + np.arange(n_days)).astype("datetime64[D]"),
        "vix": vix,
        "move": move,
        "dxy": dxy,
        "realized_vol_72": volatility * np.exp(0.12 * rng.standard_normal(n_days)),
        "dxy_gap_91": np.log(dxy) - quarter,
        "vix_change": np.diff(np.log(vix), prepend=np.log(vix[0])),
        "move_change": np.diff(np.log(move), prepend=np.log(move[0])),
        "dxy_change": np.diff(np.log(dxy), prepend=np.log(dxy[0])),
    }
    return pa.table(columns), regimes[1:]


def stress_of(table: pa.Table) -> np.ndarray:
    return level(
        np.column_stack(
            [SCALE.position(name, table[name].to_numpy()) for name in SERIES]
        )
    )


def names_in(table: pa.Table, **kind) -> tuple[np.ndarray, np.ndarray]:
    """Return the likeliest name and the name in force of each day."""
    walk = walked(table, **kind)
    return most_likely(walk.beliefs), in_force(walk.beliefs)


def assert_same_days_same_names(table: pa.Table, **kind) -> None:
    """Compare the names in a history with those in a shorter and two later ones."""
    whole = names_in(table, **kind)
    n_days = len(whole[0])
    for first, last in ((0, n_days - 180), (180, n_days), (540, n_days)):
        part = names_in(table.slice(first, last - first), **kind)
        for ours, theirs in zip(part, whole, strict=True):
            both = (ours != UNKNOWN) & (theirs[first:last] != UNKNOWN)
            assert both.sum() > 300
            alike = (ours == theirs[first:last])[both].mean()
            assert alike >= LEAST_AGREEMENT, (first, last, alike)


def assert_rises(values: np.ndarray, labels: np.ndarray) -> None:
    """Assert that the mean of values rises from name to name, where a name occurs."""
    found = [name for name in range(4) if (labels == name).sum() >= 10]
    means = [np.nanmean(values[labels == name]) for name in found]
    assert len(found) >= 2
    assert (np.diff(means) > 0).all(), dict(zip(found, means, strict=True))


def assert_refits_agree(walk: Walk) -> None:
    """Assert that refits name the days before them as the fits before did."""
    agreements = [
        fit.agreement_with_last for fit in walk.fits if fit.agreement_with_last
    ]
    assert len(agreements) > 5
    assert min(agreements) >= LEAST_AGREEMENT
    assert np.mean(agreements) >= 0.97


# The scale


def test_anchors_have_their_own_names_and_the_scale_rises_between_them():
    for series in SERIES:
        anchors = getattr(SCALE, series)
        np.testing.assert_allclose(
            SCALE.position(series, anchors), range(4), atol=1e-12
        )
        assert named(SCALE.position(series, anchors)).tolist() == [0, 1, 2, 3]
        levels = np.linspace(anchors[0] * 0.8, anchors[-1] * 1.25, 500)
        assert (np.diff(SCALE.position(series, levels)) > 0).all()
        for k, edge in enumerate(SCALE.edges(series)):
            around = SCALE.position(series, np.array([edge * 0.999, edge * 1.001]))
            assert named(around).tolist() == [k, k + 1]


def test_a_value_beyond_all_anchors_counts_one_step_at_most():
    assert SCALE.position("vix", np.array([1.0, 500.0])).tolist() == [-1, 4]
    assert np.isnan(SCALE.position("vix", np.array([np.nan, 0.0, -3.0]))).all()


def test_stress_is_of_the_series_that_are_known():
    positions = np.array([[1.0, 3.0], [1.0, np.nan], [np.nan, 3.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(level(positions), [2, 1, 3, np.nan])


def test_states_are_expected_over_the_whole_span_of_the_names():
    assert centres(4).tolist() == [0, 1, 2, 3]
    for n_states in (2, 3, 5, 6):
        assert (named(centres(n_states)) >= 0).all()
        assert centres(n_states).mean() == pytest.approx(1.5)


# In force


def beliefs_of(*days: tuple[float, ...]) -> np.ndarray:
    return np.array(days, float)


CALM, TENSE = (1, 0, 0, 0), (0, 0, 1, 0)


def test_a_calmer_name_is_in_force_on_its_third_day():
    held = in_force(beliefs_of(*[TENSE] * 4, *[CALM] * 4))
    assert held.tolist() == [2, 2, 2, 2, 2, 2, 0, 0]


def test_more_stress_is_in_force_at_once_when_its_names_are_certain_enough():
    calm = [CALM] * 3
    crash = in_force(beliefs_of(*calm, (0.01, 0, 0, 0.99), CALM))
    assert crash.tolist() == [UNKNOWN, UNKNOWN, 0, 3, 3]
    # Their sum counts, and the likeliest of them is in force.
    both = in_force(beliefs_of(*calm, (0.2, 0, 0.45, 0.35)))
    assert both[-1] == RISK_OFF
    less = in_force(beliefs_of(*calm, (0.21, 0, 0.45, 0.34)))
    assert less[-1] == RISK_ON
    # Of the names above the one in force only.
    above = in_force(beliefs_of(*[TENSE] * 3, (0.1, 0.1, 0.5, 0.3)))
    assert above[-1] == RISK_OFF


def test_less_certain_stress_waits_for_three_days():
    leaning = (0.4, 0, 0.6, 0)
    held = in_force(beliefs_of(*[CALM] * 3, *[leaning] * 3))
    assert held[2:].tolist() == [0, 0, 0, 2]


def test_a_first_name_waits_unless_it_is_stress():
    assert in_force(beliefs_of(CALM, CALM, CALM)).tolist() == [UNKNOWN, UNKNOWN, 0]
    assert in_force(beliefs_of((0.1, 0.05, 0.05, 0.8))).tolist() == [CRISIS]


def test_a_day_without_a_belief_has_no_name_and_three_of_them_end_what_was():
    gap = (np.nan,) * 4
    one = in_force(beliefs_of(*[CALM] * 3, gap, CALM))
    assert one.tolist() == [UNKNOWN, UNKNOWN, 0, UNKNOWN, 0]
    three = in_force(beliefs_of(*[CALM] * 3, gap, gap, gap, CALM))
    assert three[3:].tolist() == [UNKNOWN] * 4


DAYS = st.lists(
    st.one_of(
        st.just((np.nan,) * 4),
        st.tuples(*[st.integers(0, 8)] * 4).filter(any),
    ),
    min_size=1,
    max_size=50,
)


@settings(max_examples=300, deadline=None)
@given(DAYS)
def test_a_change_of_name_held_long_enough_or_was_certain_stress(days):
    beliefs = np.array(days, float)
    beliefs /= beliefs.sum(axis=1, keepdims=True)
    labels, held = most_likely(beliefs), in_force(beliefs)
    before = UNKNOWN
    for day, name in enumerate(held):
        if (labels[max(0, day - HYSTERESIS_DAYS) : day] == UNKNOWN).sum() == 3:
            before = UNKNOWN
        if name == UNKNOWN:
            continue
        calmer = NEUTRAL if before == UNKNOWN else before
        certain = beliefs[day, calmer + 1 :].sum() >= AT_ONCE
        if name != before:
            lived = labels[max(0, day - HYSTERESIS_DAYS + 1) : day + 1]
            stayed = len(lived) == HYSTERESIS_DAYS and (lived == name).all()
            assert stayed or (certain and name > calmer)
        if certain:
            assert name > calmer or before == UNKNOWN
        before = name
    prefix = in_force(beliefs[: len(beliefs) // 2])
    assert prefix.tolist() == held[: len(prefix)].tolist()


# The same days, the same names


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_names_do_not_depend_on_where_a_history_begins_and_ends(seed):
    table, regimes = simulated(seed)
    assert_same_days_same_names(table)
    walk = walked(table)
    assert_refits_agree(walk)
    labels = most_likely(walk.beliefs)
    assert (labels == regimes)[labels != UNKNOWN].mean() > 0.8
    for names in (labels, in_force(walk.beliefs)):
        for values in (
            stress_of(table),
            table["vix"].to_numpy(),
            table["move"].to_numpy(),
        ):
            assert_rises(values, names)


@pytest.mark.proofs
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 30))
def test_names_hold_in_many_simulated_markets(seed):
    table, regimes = simulated(seed)
    assert_same_days_same_names(table)
    assert_same_days_same_names(table, fit_window=ROLLING)
    for classifier in (HMM, KMEANS):
        walk = walked(table, classifier)
        labels = most_likely(walk.beliefs)
        assert (labels == regimes)[labels != UNKNOWN].mean() > 0.8
        for names in (labels, in_force(walk.beliefs)):
            assert_rises(stress_of(table), names)
    assert_refits_agree(walked(table))


def table_of_days(connection) -> pa.Table:
    return connection.execute(
        "select * exclude (reference_symbol) from regime_observations "
        "where reference_symbol = 'BTC' order by day"
    ).to_arrow_table()


@pytest.mark.slow
def test_names_rise_with_vix_and_move_in_the_demo(demo):
    for classifier in (HMM, KMEANS):
        vix, move, names = read_names(demo, classifier)
        assert set(names) == {*range(4), UNKNOWN}
        assert_rises(vix, names)
        assert_rises(move, names)


def read_names(connection, classifier: str):
    rows = connection.execute(
        "select vix, move, coalesce(list_position($names, regime) - 1, -1) "
        "from regime_days inner join regime_observations using (reference_symbol, day) "
        "where classifier = $classifier and fit_window = 'expanding' order by day",
        {"names": list(NAMES), "classifier": classifier},
    ).fetchall()
    vix, move, names = (np.array(column, float) for column in zip(*rows, strict=True))
    return vix, move, names.astype(int)


@pytest.mark.slow
@pytest.mark.real_market
def test_names_hold_in_the_real_market(real_build):
    with real_build.connect() as connection:
        table = table_of_days(connection)
        for classifier in (HMM, KMEANS):
            vix, move, names = read_names(connection, classifier)
            assert_rises(vix, names)
            assert_rises(move, names)
    assert_same_days_same_names(table)
    assert_refits_agree(walked(table))


@pytest.mark.slow
@pytest.mark.real_market
def test_two_markets_name_the_same_days_alike(real_build):
    """The years before 2023 alone, and another coin's volatility, change few names."""
    with real_build.connect() as connection:
        table = table_of_days(connection)
    volatile = with_column(
        table, "realized_vol_72", 1.6 * table["realized_vol_72"].to_numpy()
    )
    first = names_in(table)[0]
    other = names_in(volatile)[0]
    both = (first != UNKNOWN) & (other != UNKNOWN)
    assert (first == other)[both].mean() >= 0.99
    early = table.filter(pc.less(table["day"], pa.scalar(datetime(2023, 1, 1).date())))
    shorter = names_in(early)[0]
    both = shorter != UNKNOWN
    assert both.sum() > 300
    assert (shorter == first[: len(shorter)])[both].mean() >= LEAST_AGREEMENT


# What a sample does not hold has no name


@pytest.mark.parametrize("classifier", [HMM, KMEANS])
def test_a_calm_sample_has_no_crisis(classifier):
    table, _ = world(900, seed=4)
    rng = np.random.default_rng(4)
    for name, mean in (("vix", 12.5), ("move", 60.0), ("realized_vol_72", 0.3)):
        values = mean * np.exp(0.08 * rng.standard_normal(len(table)))
        table = with_column(table, name, values)
    walk = walked(table, classifier)
    labels = most_likely(walk.beliefs)
    assert set(labels[labels != UNKNOWN]) == {RISK_ON}
    assert np.nanmax(walk.beliefs[:, RISK_OFF:]) < 0.05
    assert walk.fits[-1].occupancy[CRISIS] < 1e-3


def test_two_states_may_share_a_name_and_their_probabilities_add_up():
    walk = walk_forward(observations("X", world()[0], SCALE), HMM, EXPANDING, 6)
    fitted = walk.fits[-1].in_force
    names = named(fitted.stress)
    assert len(names) == 6
    assert len(set(names)) < 6
    known = np.isfinite(walk.beliefs).all(axis=1)
    np.testing.assert_allclose(walk.beliefs[known].sum(axis=1), 1)
    assert walk.beliefs.shape[1] == 4


def test_a_planted_crash_of_two_days_is_in_force_on_its_first_close():
    table, _ = world(900, seed=6)
    calm = {"vix": 12.5, "move": 62.0, "realized_vol_72": 0.3}
    crash = {"vix": 46.0, "move": 170.0, "realized_vol_72": 1.8}
    crash |= {"vix_change": 0.6, "move_change": 0.4}
    for first in (700, 703):
        changed = table
        for name in COLUMNS:
            values = changed[name].to_numpy().copy()
            values[690:first] = calm.get(name, 0.0)
            values[first : first + 2] = crash.get(name, 0.0)
            values[first + 2 : first + 20] = calm.get(name, 0.0)
            changed = with_column(changed, name, values)
        walk = walked(changed)
        held = in_force(walk.beliefs)
        assert held[first - 1] == RISK_ON
        assert walk.beliefs[first, CRISIS] >= AT_ONCE
        assert held[first : first + 2].tolist() == [CRISIS, CRISIS]
        # Calm must hold three days to be believed again.
        assert held[first + 2 : first + 5].tolist() == [CRISIS, CRISIS, RISK_ON]


def test_a_crash_is_in_force_at_once_where_none_was_seen_before():
    table, _ = world(900, seed=8)
    for name, mean in (("vix", 12.5), ("move", 60.0), ("realized_vol_72", 0.3)):
        values = mean * np.exp(
            0.08 * np.random.default_rng(8).standard_normal(len(table))
        )
        values[-2:] = {"vix": 46.0, "move": 170.0, "realized_vol_72": 1.8}[name]
        table = with_column(table, name, values)
    walk = walked(table)
    assert in_force(walk.beliefs)[-3:].tolist() == [RISK_ON, CRISIS, CRISIS]
    assert walk.beliefs[-2, CRISIS] >= AT_ONCE


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_about_one_level_has_one_name(seed):
    """Volatility and the dollar go their ways; the stress stays, so does its name."""
    table, states = world(900, seed)
    rng = np.random.default_rng(seed)
    for name, mean in (("vix", 18.5), ("move", 95.0)):
        values = mean * np.exp(0.05 * rng.standard_normal(len(table)))
        table = with_column(table, name, values)
    labels, held = names_in(table)
    assert (labels == NEUTRAL)[labels != UNKNOWN].mean() > 0.95
    assert set(held) <= {UNKNOWN, NEUTRAL}
    assert len(set(states)) == 4


# Markets that lack a series


def without(table: pa.Table, *names: str) -> pa.Table:
    for name in names:
        for column in (name, f"{name}_change"):
            table = with_column(table, column, np.full(len(table), np.nan))
    return table


@pytest.mark.parametrize("classifier", [HMM, KMEANS])
@pytest.mark.parametrize("absent", SERIES)
def test_one_of_vix_and_move_is_enough(classifier, absent):
    table, _ = world()
    labels = names_in(without(table, absent), classifier=classifier)[0]
    judged = labels != UNKNOWN
    assert judged.sum() > 400
    present = next(name for name in SERIES if name != absent)
    expected = named(SCALE.position(present, np.array(table[present])))
    assert (labels == expected)[judged].mean() > 0.8
    assert_rises(table[present].to_numpy(), labels)


@pytest.mark.parametrize("classifier", [HMM, KMEANS])
def test_without_vix_and_move_there_is_no_regime(classifier):
    table = without(world()[0], *SERIES)
    walk = walked(table, classifier)
    assert np.isnan(walk.beliefs).all()
    assert {fit.outcome for fit in walk.fits} == {"none"}
    assert walk.fits[-1].reason == "neither VIX nor MOVE is known"
    bands = walk_of_bands(observations("X", table, SCALE), SCALE)
    assert np.isnan(bands.beliefs).all()


def test_macro_that_begins_late_is_read_from_a_year_after_it_began():
    table, states = world(1500)
    late = 700
    for name in SERIES:
        for column in (name, f"{name}_change"):
            values = table[column].to_numpy().copy()
            values[:late] = np.nan
            table = with_column(table, column, values)
    walk = walked(table)
    labels = most_likely(walk.beliefs)
    assert (labels[: late + FIRST_FIT_DAYS] == UNKNOWN).all()
    after = np.arange(len(labels)) > late + FIRST_FIT_DAYS + 31
    assert (labels == states)[after].mean() > 0.9


def test_macro_that_ended_leaves_no_regime_behind():
    table, _ = world(1100)
    for name in SERIES:
        for column in (name, f"{name}_change"):
            values = table[column].to_numpy().copy()
            values[900:] = np.nan
            table = with_column(table, column, values)
    labels, held = names_in(table)
    assert (labels[500:900] != UNKNOWN).all()
    assert (labels[900:] == UNKNOWN).all()
    assert (held[900:] == UNKNOWN).all()


def test_the_table_holds_a_market_without_vix_and_move():
    connection = duckdb.connect()
    days = without(world()[0], *SERIES)
    connection.register("days", days)
    connection.execute(
        "create table regime_observations as "
        "select 'X' as reference_symbol, * from days"
    )
    connection.execute(
        "create table config_symbols as select 'X' as symbol, 'X' as "
        "reference_symbol, 'off' as classifier, 1 as n_symbols, "
        "'expanding' as fit_window"
    )
    policy = connection.read_csv(str(PROJECT / "seeds/regime_policy.csv"))
    runs = regime_runs(
        connection.table("config_symbols"), connection.table("regime_observations"),
        policy,
    ).to_pylist()  # fmt: skip
    assert [run["classifier"] for run in runs] == [HMM, KMEANS, "vix_bands"]
    for run in runs:
        assert {day["regime"] for day in run["days"]} == {None}
        assert {day["p_crisis"] for day in run["days"]} == {None}
        assert all(fit["state_stress"] == [] for fit in run["fits"])
