"""Regimes: a filter that knows the past only, states that keep their names."""

import hashlib
import json
import os
import subprocess
import sys
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hmmlearn.hmm import GaussianHMM

from barsieve.core.errors import InputError
from barsieve.core.remembered import forgetting
from barsieve.regime import (
    EXPANDING,
    FIRST_FIT_DAYS,
    HMM,
    KMEANS,
    NAMES,
    ROLLING,
    SHORT_HISTORY_DAYS,
    UNKNOWN,
    kmeans,
    markov,
)
from barsieve.regime.features import COLUMNS, observations
from barsieve.regime.filter import filtered
from barsieve.regime.hysteresis import in_force, most_likely
from barsieve.regime.kmeans import vix_bands
from barsieve.regime.stress import centres, read_scale
from barsieve.regime.walk_forward import FITTERS, Walk, walk_forward
from command_line import barsieve
from conftest import PROJECT

SCALE = read_scale(duckdb.connect().read_csv(str(PROJECT / "seeds/regime_policy.csv")))
LEVELS = {"vix": (12, 18, 25, 38), "move": (65, 95, 122, 160)}
LEVELS |= {"realized_vol_72": (0.3, 0.5, 0.8, 1.4)}


def world(n_days=900, seed=1, n_states=4, stay=0.97) -> tuple[pa.Table, np.ndarray]:
    """Days of a world with planted states; fewer states are the outer ones."""
    rng = np.random.default_rng(seed)
    states = np.empty(n_days, int)
    for day in range(n_days):
        moves = day == 0 or rng.random() > stay
        states[day] = rng.integers(n_states) if moves else states[day - 1]
    planted = np.array([0, 3])[states] if n_states == 2 else states
    columns = {
        name: np.array(means)[planted] * np.exp(0.06 * rng.standard_normal(n_days))
        for name, means in LEVELS.items()
    }
    for name in ("vix_change", "move_change", "dxy_change", "dxy_gap_91"):
        columns[name] = 0.01 * rng.standard_normal(n_days)
    columns["dxy"] = 100 * np.exp(columns["dxy_gap_91"])
    first = np.datetime64("2021-01-01")
    columns["day"] = (first + np.arange(n_days)).astype("datetime64[D]")
    return pa.table(columns), planted


def with_column(table: pa.Table, name: str, values) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values))


def walked(table: pa.Table, classifier=HMM, fit_window=EXPANDING) -> Walk:
    return walk_forward(observations("X", table, SCALE), classifier, fit_window)


@pytest.fixture(scope="module")
def planted():
    return world()


@pytest.fixture(scope="module")
def walk(planted):
    return walked(planted[0])


def same_until(a: Walk, b: Walk, n_days: int) -> None:
    """Assert that two walks agree bit for bit on their first days and those fits."""
    np.testing.assert_array_equal(a.beliefs[:n_days], b.beliefs[:n_days])
    np.testing.assert_array_equal(a.evidence[:n_days], b.evidence[:n_days])
    n_fits = a.fit_of_day[n_days - 1] + 1
    assert n_fits > 10
    for left, right in zip(a.fits[:n_fits], b.fits[:n_fits], strict=True):
        assert left.outcome == right.outcome
        assert left.log_likelihood == right.log_likelihood


# The filter


@pytest.mark.parametrize("n_states", [2, 4])
def test_the_filter_is_the_last_row_of_predict_proba_on_the_prefix(n_states):
    rng = np.random.default_rng(3)
    z = np.cumsum(rng.standard_normal((300, 5)), axis=0) * 0.3
    attempt = markov.fit(z, centres(n_states))
    model = GaussianHMM(n_states, "diag")
    model.startprob_, model.transmat_ = attempt.model.start, attempt.model.transitions
    model.means_, model.covars_ = attempt.model.means, attempt.model.variances
    beliefs, evidence = attempt.model.beliefs(z)
    for day in (0, 1, 2, 17, 150, 299):
        prefix = model.predict_proba(z[: day + 1])[-1]
        np.testing.assert_allclose(beliefs[day], prefix, rtol=0, atol=1e-9)
    assert evidence.sum() == pytest.approx(model.score(z), abs=1e-6)


def test_the_filter_survives_days_that_no_state_explains():
    emissions = np.array([[-1e5, -2e5], [0.0, -1e6], [-1e6, 0.0]])
    beliefs, evidence = filtered(
        np.array([1.0, 0.0]), np.array([[0.9, 0.1], [0.1, 0.9]]), emissions
    )
    assert np.isfinite(beliefs).all()
    assert np.isfinite(evidence).all()
    np.testing.assert_allclose(beliefs.sum(axis=1), 1)


def test_a_missing_value_says_nothing_about_the_state():
    states = markov.HiddenStates(
        np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]),
        np.array([[0.0, -1.0], [0.0, 1.0]]), np.ones((2, 2)),
    )  # fmt: skip
    silent = np.array([[0.3, -2.0], [np.nan, np.nan]])
    beliefs, evidence = states.beliefs(silent)
    np.testing.assert_allclose(beliefs[1], beliefs[0] @ states.transitions)
    assert evidence[1] == pytest.approx(0)


# Nothing from the future


@pytest.mark.parametrize("classifier", [HMM, KMEANS])
@pytest.mark.parametrize("fit_window", [EXPANDING, ROLLING])
def test_deleting_appending_or_altering_later_days_changes_nothing(
    classifier, fit_window
):
    table, _ = world(SHORT_HISTORY_DAYS + 150)
    whole = walked(table, classifier, fit_window)
    kept = SHORT_HISTORY_DAYS + 70
    same_until(whole, walked(table.slice(0, kept), classifier, fit_window), kept)
    altered = table.to_pandas()
    later = altered.index >= kept
    for name in (*COLUMNS, "dxy"):
        altered.loc[later, name] *= 1.7
    altered = pa.Table.from_pandas(altered, preserve_index=False)
    same_until(whole, walked(altered, classifier, fit_window), kept)


def test_the_order_of_the_rows_does_not_matter(planted, walk):
    table, _ = planted
    shuffled = table.take(np.random.default_rng(5).permutation(table.num_rows))
    same_until(walk, walked(shuffled), table.num_rows)


def test_a_fit_is_a_function_of_its_arguments_alone():
    z = np.random.default_rng(8).standard_normal((400, 4))
    for fitter in (markov.fitted_now, kmeans.fitted_now):
        once, again = (fitter(z, centres(4)) for _ in range(2))
        for a, b in zip(once.model, again.model, strict=True):
            np.testing.assert_array_equal(a, b)


FINGERPRINT = """
import hashlib, sys
sys.path.insert(0, "tests/python")
from test_regime import walked, world
for classifier in ("hmm", "kmeans"):
    walk = walked(world(500)[0], classifier)
    print(hashlib.sha256(walk.beliefs.tobytes() + walk.evidence.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_one_and_two_threads_and_two_runs_give_the_same_bytes():
    printed = set()
    for n_threads in ("1", "2"):
        variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        done = subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            cwd=PROJECT,
            env=os.environ
            | dict.fromkeys(variables, n_threads)
            | {"BARSIEVE_REMEMBERED": "off"},
            capture_output=True,
            text=True,
            check=True,
        )
        printed.add(done.stdout)
    here = []
    for classifier in (HMM, KMEANS):
        with forgetting():
            walk = walked(world(500)[0], classifier)
        digest = hashlib.sha256(walk.beliefs.tobytes() + walk.evidence.tobytes())
        here.append(digest.hexdigest())
    assert printed == {"".join(f"{line}\n" for line in here)}


# States and their names


def test_planted_states_are_found_and_named(planted, walk):
    _, states = planted
    labels = most_likely(walk.beliefs)
    judged = labels != UNKNOWN
    assert judged.sum() > 400
    assert (labels[judged] == states[judged]).mean() > 0.95
    assert set(labels[judged]) == {0, 1, 2, 3}
    assert [fit.outcome for fit in walk.fits].count("fitted") > 10


@pytest.mark.slow
def test_the_demos_regimes_are_recovered_and_keep_their_names(demo):
    truth = PROJECT / "data/demo/truth/regimes.parquet"
    rows = demo.execute(
        "select most_likely, truth.regime from regime_days as days "
        f"join '{truth}' as truth using (day) "
        "where classifier = 'hmm' and most_likely is not null"
    ).fetchall()
    assert len(rows) > 400
    assert np.mean([found == planted for found, planted in rows]) >= 0.85
    assert {found for found, _ in rows} == set(NAMES)
    agreement, least = demo.execute(
        "select avg(agreement_with_last), min(agreement_with_last) from regime_fits "
        "where classifier = 'hmm' and outcome = 'fitted'"
    ).fetchone()
    assert agreement > 0.97
    assert least > 0.95
    ordered = demo.execute(
        "select count_if(not (risk_on.vix < neutral.vix and neutral.vix < risk_off.vix "
        "and risk_off.vix < crisis.vix)) from regime_fits "
        "where classifier = 'hmm' and outcome = 'fitted'"
    ).fetchone()
    assert ordered == (0,)


# Worlds that a classifier cannot read as it would like


@pytest.mark.parametrize("classifier", [HMM, KMEANS])
def test_a_constant_column_is_left_out_and_named(planted, classifier):
    table, states = planted
    walk = walked(with_column(table, "move", np.full(len(states), 95.0)), classifier)
    fitted = [fit for fit in walk.fits if fit.outcome == "fitted"]
    assert fitted
    assert {fit.left_out for fit in fitted} == {"move (constant)"}
    assert all(COLUMNS.index("move") not in fit.in_force.used for fit in fitted)
    assert np.isfinite(walk.beliefs[-1]).all()


@pytest.mark.parametrize("classifier", [HMM, KMEANS])
def test_a_column_without_a_value_is_left_out_and_named(planted, classifier):
    table, states = planted
    walk = walked(with_column(table, "vix", np.full(len(states), np.nan)), classifier)
    fitted = [fit for fit in walk.fits if fit.outcome == "fitted"]
    assert {fit.left_out for fit in fitted} == {"vix (known on 0% of days)"}
    assert len(most_likely(walk.beliefs)) == len(states)
    assert np.isfinite(walk.beliefs[FIRST_FIT_DAYS + 31 :]).all()


def test_a_column_that_ends_is_left_out_once_it_is_mostly_missing(planted):
    table, _ = planted
    move = table["move"].to_numpy().copy()
    move[420:] = np.nan
    walk = walked(with_column(table, "move", move))
    assert walk.fits[-1].left_out == "move (known on 48% of days)"
    assert np.isfinite(walk.beliefs[FIRST_FIT_DAYS + 40 :]).all()


def test_a_world_of_two_states_has_calm_and_stress_on_the_right_sides():
    table, states = world(n_states=2)
    walk = walked(table)
    labels = most_likely(walk.beliefs)
    judged = labels != UNKNOWN
    if judged.any():
        is_stress = labels[judged] >= NAMES.index("risk_off")
        assert (is_stress == (states[judged] == 3)).mean() > 0.9
    for fit in walk.fits:
        assert (fit.outcome == "fitted") == (fit.reason is None)


def test_forty_days_have_no_regime_and_say_so():
    table, _ = world(40)
    walk = walked(table)
    assert np.isnan(walk.beliefs).all()
    assert [fit.outcome for fit in walk.fits] == ["none", "none"]
    assert walk.fits[-1].reason == f"31 days, expected {FIRST_FIT_DAYS}"


@pytest.mark.parametrize("classifier", [HMM, KMEANS])
def test_a_day_without_values_changes_only_what_is_believed_of_it(planted, classifier):
    table, states = planted
    gap = {name: table[name].to_numpy().copy() for name in COLUMNS}
    for values in gap.values():
        values[600] = np.nan
    for name, values in gap.items():
        table = with_column(table, name, values)
    walk = walked(table, classifier)
    labels = most_likely(walk.beliefs)
    judged = np.arange(len(labels)) > FIRST_FIT_DAYS + 31
    # Without VIX and MOVE there is no regime, on that day alone.
    assert np.flatnonzero(judged & (labels == UNKNOWN)).tolist() == [600]
    assert (labels == states)[judged].mean() > 0.9


def test_a_day_that_is_there_twice_is_refused_by_name(planted):
    table, _ = planted
    doubled = pa.concat_tables([table, table.slice(7, 1)])
    with pytest.raises(InputError, match="2021-01-08 more than once") as refused:
        observations("BTC", doubled, SCALE)
    assert "'BTC'" in str(refused.value)


def test_a_fit_that_fails_leaves_the_last_good_one(monkeypatch):
    table, _ = world(760)
    fits = []

    def failing_at_times(z, stress):
        fits.append(None)
        made = markov.fit(z, stress)
        return made._replace(fault="no convergence") if len(fits) > 3 else made

    monkeypatch.setitem(FITTERS, HMM, failing_at_times)
    walk = walked(table)
    outcomes = [fit.outcome for fit in walk.fits if fit.outcome != "none"]
    assert outcomes == ["fitted"] * 3 + ["kept"] * (len(outcomes) - 3)
    assert len(outcomes) > 6
    assert {fit.reason for fit in walk.fits[-3:]} == {"no convergence"}
    assert walk.fits[-1].in_force is walk.fits[-4].in_force
    assert np.isfinite(walk.beliefs[-1]).all()


def test_a_few_days_out_of_this_world_break_nothing():
    table, states = world(760)
    for name in COLUMNS:
        spiked = table[name].to_numpy().copy()
        spiked[500:505] = 1e4 + np.arange(5)
        table = with_column(table, name, spiked)
    walk = walked(table)
    labels = most_likely(walk.beliefs)
    assert (labels[500:505] == NAMES.index("crisis")).all()
    judged = (labels != UNKNOWN) & (np.abs(np.arange(len(labels)) - 502) > 5)
    assert (labels == states)[judged].mean() > 0.9


def test_fixed_bands_of_the_vix():
    vix, edges = [12.0, 18.0, 21.9, 22.0, 35.0, np.nan], [18, 22, 30]
    beliefs = vix_bands(np.array(vix), np.array(edges))
    assert most_likely(beliefs).tolist() == [0, 1, 1, 2, 3, UNKNOWN]


# In the built database


def test_the_shift_is_the_policys_times_the_probability(demo):
    wrong = demo.execute(
        "select count(*) from regimes left join regime_policy as policy using (regime) "
        "where abs(regimes.threshold_shift - coalesce(policy.threshold_shift * "
        "probability, 0)) > 1e-15"
    ).fetchone()
    assert wrong == (0,)
    seen = demo.execute(
        "select classifier, regime, count(*), min(threshold_shift), "
        "max(threshold_shift) from regimes group by all order by all"
    ).fetchall()
    of_hmm = {regime: rest for classifier, regime, *rest in seen if classifier == HMM}
    assert set(of_hmm) == {*NAMES, "unknown"}
    assert of_hmm["unknown"][1:] == [0, 0]
    assert of_hmm["crisis"][2] == pytest.approx(0.10, abs=0.001)
    assert of_hmm["risk_on"][1] == pytest.approx(-0.03, abs=0.001)


def test_a_profile_trades_by_its_own_classifier(demo):
    rows = demo.execute(
        "select profile, count_if(regime_shift != 0), list_sort(list(distinct regime)) "
        "from fusion_scores group by profile order by profile"
    ).fetchall()
    for profile, shifted, regimes in rows:
        if profile in ("eth_regime", "eth_learned"):
            assert shifted > 1_000
            assert set(regimes) == {*NAMES, "unknown"}
        else:
            assert (shifted, regimes) == (0, ["off"])
    moved = demo.execute(
        "select count(*) from trades join fusion_scores as fusion "
        "on trades.profile = fusion.profile and trades.decision_ts = fusion.bar_ts "
        "where trades.regime is distinct from fusion.regime "
        "or trades.confidence < fusion.threshold"
    ).fetchone()
    assert moved == (0,)


def test_what_is_in_force_in_the_table_follows_from_its_beliefs(demo):
    days = demo.execute(
        "select coalesce(p_risk_on, 'nan'), coalesce(p_neutral, 'nan'), "
        "coalesce(p_risk_off, 'nan'), coalesce(p_crisis, 'nan'), regime "
        "from regime_days where classifier = 'hmm' order by day"
    ).fetchall()
    held = in_force(np.array([day[:4] for day in days], float))
    names = [*NAMES, None]
    assert [names[k] for k in held] == [day[4] for day in days]


def test_the_report_of_regimes_is_what_a_plain_count_gives(demo):
    rows = demo.execute(
        "select day, regime from regime_days where classifier = 'kmeans' "
        "and regime is not null order by day"
    ).fetchall()
    first = demo.execute(
        "select max(d) from (select min(day) as d from regime_days "
        "where regime is not null group by classifier)"
    ).fetchone()[0]
    regimes = [regime for day, regime in rows if day >= first]
    switches = sum(a != b for a, b in pairwise(regimes))
    days, per_year, duration = demo.execute(
        "select days, switches_per_year, mean_duration_days from report_regimes "
        "where classifier = 'kmeans' and regime = 'all'"
    ).fetchone()
    assert days == len(regimes)
    assert per_year == pytest.approx(switches / days * 365.25)
    assert duration == pytest.approx(days / (switches + 1))


def test_volatility_is_explained_out_of_sample_in_a_world_of_regimes(demo):
    rows = dict(
        demo.execute(
            "select classifier, next_vol_forecast from report_regimes "
            "where regime = 'all'"
        ).fetchall()
    )
    assert set(rows) == {"hmm", "kmeans", "vix_bands"}
    assert all(share > 0.1 for share in rows.values())


def test_the_worth_of_a_regime_compares_the_trades_of_the_tables(demo):
    trades = dict(
        demo.execute("select profile, count(*) from trades group by all").fetchall()
    )
    rows = demo.execute(
        "select profile, classifier, without_regime, with_regime "
        "from report_regime_worth where span = 'whole' and figure = 'trades'"
    ).fetchall()
    assert len(rows) == 3 * len(trades)
    for profile, classifier, without, shifted in rows:
        if profile == "eth_regime":
            assert without == trades["eth_comprehensive"]
            if classifier == "hmm":
                assert shifted == trades["eth_regime"]
        elif profile == "eth_learned":
            assert classifier != "hmm" or shifted == trades[profile]
        else:
            assert without == trades[profile]
    sharpe = demo.execute(
        "select sharpe, win_rate from report_performance "
        "where profile = 'btc_live' and strategy = 'strategy'"
    ).fetchone()
    for figure, value in zip(("sharpe", "win_rate"), sharpe, strict=True):
        found = demo.execute(
            "select distinct without_regime from report_regime_worth "
            f"where profile = 'btc_live' and span = 'whole' and figure = '{figure}'"
        ).fetchall()
        assert found == [(pytest.approx(value, rel=5e-3),)]


def test_regime_prints_what_was_known_at_a_moment(demo_build, demo):
    day, likely = demo.execute(
        "select day, most_likely from regime_days where classifier = 'hmm' "
        "and day = date '2023-01-10'"
    ).fetchone()
    done = barsieve(
        "regime", "--at", "2023-01-11T05:30", "--json",
        BARSIEVE_DATABASE=demo_build.database,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    belief = next(b for b in report["beliefs"] if b["classifier"] == "hmm")
    assert belief["most_likely"] == likely
    assert belief["age_hours"] == pytest.approx(5.5)
    shifts = {p["profile"]: p["threshold_shift"] for p in report["profiles"]}
    in_table = demo.execute(
        "select regime_shift from fusion_scores where profile = 'eth_regime' "
        "and bar_ts = timestamptz '2023-01-11 04:00+00'"
    ).fetchone()[0]
    assert shifts["eth_regime"] == pytest.approx(in_table)
    assert shifts["btc_live"] == 0
    vix = next(i for i in report["inputs"] if i["input"] == "vix")
    assert vix["age_hours"] > 0
    assert day is not None


def test_regime_now_of_an_old_market_shifts_nothing_and_says_why(demo_build):
    done = barsieve("regime", BARSIEVE_DATABASE=demo_build.database)
    assert done.returncode == 0, done.stderr
    assert "unknown" in done.stdout
    assert "72 hours" in done.stdout
    early = barsieve(
        "regime", "--at", "2001-01-01", BARSIEVE_DATABASE=demo_build.database
    )
    assert early.returncode != 0
    assert "no regime is known" in early.stderr
    wrong = barsieve(
        "regime", "--at", "yesterday", BARSIEVE_DATABASE=demo_build.database
    )
    assert wrong.returncode != 0
    assert "expected now or a time" in wrong.stderr


@pytest.mark.slow
def test_the_bare_spine_builds_without_the_models_that_learn(spine_build):
    with spine_build.connect() as connection:
        tables = {row[0] for row in connection.execute("show tables").fetchall()}
        assert "regime_fits" not in tables
        assert connection.execute("select count(*) from regimes").fetchone() == (0,)
        regimes = connection.execute(
            "select distinct regime, regime_shift from fusion_scores "
            "where profile = 'eth_regime'"
        ).fetchall()
        assert regimes == [("unknown", 0)]
        verdicts = connection.execute(
            "select distinct verdict from parity_summary "
            "where profile not in ('eth_silent', 'eth_lossy')"
        ).fetchall()
        assert verdicts == [("holds",)]
