"""What a score is worth: figures against libraries, noise, planted effects."""

import json
import re
import warnings
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from barsieve.metrics.worth.hours import HOUR_US, Hours, read_hours
from barsieve.metrics.worth.judged import ALL, HORIZONS, LAGS, Bench, Judgement
from barsieve.metrics.worth.ranks import Sorted, fifths
from barsieve.metrics.worth.rows import corrected, rows_of, worth_of_scores
from barsieve.metrics.worth.significance import adjusted
from barsieve.metrics.worth.subjects import COLUMN, SENTINEL, Subject, column_of
from barsieve.metrics.worth.verdict import best, verdict
from command_line import barsieve
from noise_of_scores import hours_of, noise, persistent, scores_of

pytest.importorskip("arch", reason="the extra ml is not installed")

LEG_BPS = 15.0


def market_of(seed: int, n: int, returns: np.ndarray | None = None):
    rng = np.random.default_rng([20_260_101, seed])
    returns = noise(rng, n) if returns is None else returns
    return rng, hours_of(rng, returns)


def rows_in_noise(seed: int, n: int = 12_000) -> list[dict[str, Any]]:
    rng, hours = market_of(seed, n)
    return corrected(list(rows_of(hours, scores_of(rng, hours), LEG_BPS)))


def only(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (found,) = [
        row for row in rows if all(row[key] == value for key, value in wanted.items())
    ]
    return found


@pytest.fixture(scope="module")
def judged() -> tuple[Hours, dict[str, Subject], list[dict[str, Any]]]:
    rng, hours = market_of(1, 6_000)
    subjects = {subject.name: subject for subject in scores_of(rng, hours)}
    return hours, subjects, corrected(list(rows_of(hours, subjects.values(), LEG_BPS)))


# By the clock


def test_a_return_runs_by_the_clock_and_not_by_rows():
    _, whole = market_of(0, 400)
    # An hour is missing between the third bar and the fourth.
    hours = whole._replace(
        open_us=np.array([0, 1, 2, 4, 5]) * HOUR_US,
        close=np.array([100.0, 110.0, 99.0, 120.0, 150.0]),
    )
    one = hours.returns(1)
    assert one[:2] == pytest.approx([0.1, -0.1])
    assert np.isnan(one[[2, 4]]).all()
    assert one[3] == pytest.approx(0.25)
    four = hours.returns(4)
    assert four[:2] == pytest.approx([0.2, 150 / 110 - 1])
    assert np.isnan(four[2:]).all()
    later = hours.returns(1, lag=1)
    assert later[0] == pytest.approx(-0.1)
    assert np.isnan(later[1:]).all()


def test_hours_are_read_in_order_of_time(demo):
    bars = demo.sql(
        "select symbol, bar_ts, close, 'risk_on' as regime from features "
        "order by close desc"
    )
    hours = read_hours(bars, "ETH")
    assert (np.diff(hours.open_us) >= HOUR_US).all()
    assert hours.months == sorted(hours.months)
    assert hours.months[0] == "2021-03"
    expected = demo.sql(
        "select close from bars_1h where symbol = 'ETH' order by bar_ts"
    ).fetchnumpy()["close"]
    assert np.array_equal(hours.close, expected)


# Ranks, fifths


def test_ranks_within_groups_are_those_of_scipy():
    from scipy.stats import rankdata

    rng = np.random.default_rng(5)
    values, group = rng.integers(0, 40, 500) / 7, rng.integers(0, 3, 500)
    used = rng.random(500) > 0.1
    found = Sorted.of(values).ranks(used, group.astype(np.int16))
    assert np.isnan(found[~used]).all()
    for one in range(3):
        own = used & (group == one)
        expected = (rankdata(values[own]) - 1) / (own.sum() - 1) - 0.5
        assert found[own] == pytest.approx(expected, abs=1e-15)


def test_equal_values_are_never_parted_by_a_fifth():
    group = np.zeros(100, np.int16)
    used = np.ones(100, bool)

    def sides(values):
        return fifths(Sorted.of(np.array(values, float)).ranks(used, group), group)

    assert [int((sides(range(100)) == side).sum()) for side in (1, -1)] == [20, 20]
    # Mostly one value: what lies beyond it, however little.
    mostly = sides([0.3] * 5 + [0.5] * 90 + [0.7] * 5)
    assert [int((mostly == side).sum()) for side in (1, 0, -1)] == [5, 90, 5]
    # Two values: one end each. One value: no ends.
    assert [int((sides([0] * 50 + [1] * 50) == s).sum()) for s in (1, -1)] == [50, 50]
    assert not sides([1] * 100).any()


# The figures, against libraries


@pytest.mark.parametrize("name", ["momentum", "range", "a week"])
@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_coefficient_is_spearmans_by_scipy(judged, name, horizon):
    from scipy.stats import spearmanr

    hours, subjects, rows = judged
    values, returns = subjects[name].values, hours.returns(horizon)
    known = np.isfinite(values) & np.isfinite(returns)
    row = only(rows, name=name, regime=ALL, horizon_hours=horizon)
    assert row["hours"] == known.sum()
    expected = spearmanr(values[known], returns[known]).statistic
    assert row["information_coefficient"] == pytest.approx(expected, abs=1e-12)
    for at, regime in enumerate(hours.regimes):
        own = known & (hours.regime == at)
        row = only(rows, name=name, regime=regime, horizon_hours=horizon)
        expected = spearmanr(values[own], returns[own]).statistic
        assert row["information_coefficient"] == pytest.approx(expected, abs=1e-12)


@pytest.fixture(scope="module")
def alphalens():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(
            "alphalens", reason="alphalens-reloaded is not installed"
        )


def factor_data(hours: Hours, subject: Subject, horizon: int, by_month: bool):
    """Return score and return as alphalens has them: a date, and hours as its assets.

    A date of alphalens is what figures are made within: here all hours, or a month.
    """
    import pandas as pd

    returns = hours.returns(horizon)
    known = np.isfinite(subject.values) & np.isfinite(returns)
    date = pd.to_datetime(np.array(hours.months)[hours.month[known]] + "-01")
    if not by_month:
        date = pd.to_datetime(["2020-01-01"] * int(known.sum()))
    index = pd.MultiIndex.from_arrays(
        [date, np.flatnonzero(known)], names=["date", "asset"]
    )
    columns = {f"{horizon}h": returns[known], "factor": subject.values[known]}
    return pd.DataFrame(columns, index=index)


@pytest.mark.parametrize("name", ["momentum", "white"])
@pytest.mark.parametrize("horizon", HORIZONS)
def test_coefficients_by_month_and_fifths_are_those_of_alphalens(
    judged, alphalens, name, horizon
):
    from alphalens import performance, utils

    hours, subjects, rows = judged
    row = only(rows, name=name, regime=ALL, horizon_hours=horizon)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        monthly = factor_data(hours, subjects[name], horizon, by_month=True)
        by_month = performance.factor_information_coefficient(monthly)[f"{horizon}h"]
        whole = factor_data(hours, subjects[name], horizon, by_month=False)
        whole["factor_quantile"] = utils.quantize_factor(whole, quantiles=5)
        fifth, _ = performance.mean_return_by_quantile(whole, demeaned=False)
        ic = performance.factor_information_coefficient(whole)[f"{horizon}h"]
    assert row["information_coefficient"] == pytest.approx(ic.iloc[0], abs=1e-12)
    own = [month["information_coefficient"] for month in row["by_month"]]
    expected = by_month[by_month.index.strftime("%Y-%m").isin(
        [month["month"] for month in row["by_month"]]
    )]  # fmt: skip
    assert own == pytest.approx(expected.to_list(), abs=1e-12)
    assert row["month_ic_mean"] == pytest.approx(expected.mean(), abs=1e-12)
    assert row["month_ic_sd"] == pytest.approx(expected.std(), abs=1e-12)
    means = fifth[f"{horizon}h"] * 1e4
    assert row["bottom_bps"] == pytest.approx(means[1], abs=1e-9)
    assert row["top_bps"] == pytest.approx(means[5], abs=1e-9)
    assert row["spread_bps"] == pytest.approx(means[5] - means[1], abs=1e-9)


def test_returns_are_those_of_alphalens_where_no_hour_is_missing(alphalens):
    import pandas as pd
    from alphalens import utils

    _, hours = market_of(3, 600)
    at = pd.to_datetime(hours.open_us, unit="us")
    whole = pd.date_range(at[0], at[-1], freq="h")
    prices = pd.DataFrame({"X": pd.Series(hours.close, at).reindex(whole)})
    factor = pd.Series(
        1.0, index=pd.MultiIndex.from_product([at, ["X"]], names=["date", "asset"])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = utils.compute_forward_returns(factor, prices, periods=(1, 4, 24, 72))
    for horizon, name in zip(HORIZONS, found.columns, strict=True):
        expected = found[name].droplevel("asset").reindex(at).to_numpy()
        assert hours.returns(horizon) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_corrected_p_values_are_those_of_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(2).random(60) ** 3
    expected = multitest.multipletests(p, method="fdr_bh")[1]
    assert adjusted(p) == pytest.approx(expected, abs=1e-15)
    with_gap = adjusted(np.concatenate([p, [np.nan]]))
    assert np.isnan(with_gap[-1])
    assert with_gap[:-1] == pytest.approx(expected, abs=1e-15)


def test_an_event_is_told_by_the_mean_return_with_its_side(judged):
    hours, subjects, rows = judged
    side, returns = subjects["rare"].values, hours.returns(24)
    known = np.isfinite(returns)
    fired = side[known] != 0
    beyond = (returns[known] - returns[known][~fired].mean()) * 1e4
    row = only(rows, name="rare", regime=ALL, horizon_hours=24)
    assert row["active_hours"] == fired.sum()
    assert row["spread_bps"] == pytest.approx((side[known] * beyond)[fired].mean())
    hits = (side[known] * returns[known])[fired] > 0
    assert row["hit_rate"] == pytest.approx(hits.mean())
    assert row["information_coefficient"] is None
    # An event of its own hour is entered and left again: a leg each.
    assert row["turnover"] == pytest.approx(2, abs=0.1)
    assert row["cost_bps"] == pytest.approx(row["turnover"] * LEG_BPS)


def test_turnover_and_cost_of_what_never_and_always_changes():
    _, hours = market_of(4, 3_000)
    n = len(hours.close)
    kept = Subject(COLUMN, "kept", (np.arange(n) > n // 2) * 1.0, 0.5)
    turned = Subject(COLUMN, "turned", (hours.open_us // HOUR_US % 2) * 1.0, 0.5)
    rows = list(rows_of(hours, [kept, turned], LEG_BPS))
    kept_row = only(rows, name="kept", regime=ALL, horizon_hours=1)
    assert kept_row["turnover"] == pytest.approx(2 / n, rel=0.01)
    turned_row = only(rows, name="turned", regime=ALL, horizon_hours=1)
    assert turned_row["turnover"] == 2
    assert turned_row["cost_bps"] == 2 * 2 * LEG_BPS
    spread = abs(turned_row["spread_bps"])
    assert turned_row["break_even_bps"] == pytest.approx(spread / 4)
    # Two hours later it is the same again, but for hours that are missing.
    assert only(rows, name="turned", regime=ALL, horizon_hours=4)["turnover"] == 0


def test_what_decays_is_seen_to_decay():
    rng = np.random.default_rng(8)
    n = 9_000
    told, shocks = persistent(rng, n, 0.0), noise(rng, n)
    returns = shocks.copy()
    for lag, size in ((1, 0.3), (2, 0.15), (4, 0.1)):
        returns[lag:] += size * 0.006 * told[:-lag]
    hours = hours_of(rng, returns)
    exists = np.searchsorted(
        hours.open_us[0] + np.arange(n) * HOUR_US, hours.open_us
    )  # fmt: skip
    rows = list(rows_of(hours, [column_of("told", told[exists])], LEG_BPS))
    decay = {d["lag_hours"]: d for row in rows for d in row["decay"]}
    assert list(decay) == list(LAGS)
    first = only(rows, regime=ALL, horizon_hours=1)["information_coefficient"]
    assert decay[0]["information_coefficient"] == pytest.approx(first)
    ics = [decay[lag]["information_coefficient"] for lag in (0, 1, 3)]
    assert ics[0] > ics[1] > 0.05
    assert ics[2] > 0.03
    assert decay[0]["ic_low"] > 0
    assert decay[5]["ic_low"] < 0 < decay[5]["ic_high"]


# Too little to say


@pytest.mark.parametrize("n_hours", [1, 2, 30, 24 * 14])
def test_a_young_market_has_figures_and_says_nothing_of_chance(n_hours):
    rng, hours = market_of(6, n_hours)
    subjects = [
        column_of("constant", np.ones(len(hours.close))),
        column_of("unknown", np.full(len(hours.close), np.nan)),
        column_of("infinite", np.full(len(hours.close), np.inf)),
        column_of("white", rng.standard_normal(len(hours.close))),
        Subject(SENTINEL, "never", np.zeros(len(hours.close)), 0.0),
    ]
    rows = corrected(list(rows_of(hours, subjects, LEG_BPS)))
    assert {row["name"] for row in rows} == {subject.name for subject in subjects}
    for row in rows:
        assert row["name"] == "white" or row["p_value"] is None
        for name in ("constant", "unknown", "infinite"):
            if row["name"] == name:
                assert row["information_coefficient"] is None
                assert row["spread_bps"] is None


def test_one_that_is_rare_is_not_judged():
    rng, hours = market_of(7, 9_000)
    fired = np.zeros(len(hours.close))
    fired[rng.choice(len(fired), 20, replace=False)] = 1.0
    rows = list(rows_of(hours, [Subject(SENTINEL, "few", fired, 0.0)], LEG_BPS))
    assert {row["p_value"] for row in rows} == {None}
    # Of many hours that all lie in a few days no more can be said.
    fired[:] = 0
    fired[100:150] = fired[4_000:4_050] = 1.0
    rows = list(rows_of(hours, [Subject(SENTINEL, "two", fired, 0.0)], LEG_BPS))
    assert {row["p_value"] for row in rows} == {None}


# Both ways: noise, and what is planted


def found_in(rows: list[dict[str, Any]]) -> bool:
    return any(r["p_adjusted"] is not None and r["p_adjusted"] < 0.05 for r in rows)


def assert_nothing_is_found(n_markets: int, at_most: int, n_hours: int) -> None:
    """Noise finds nothing, and single p-values are uniform, of persistent noise too."""
    from scipy.stats import kstest

    n_found, p_values = 0, defaultdict(list)
    for seed in range(n_markets):
        rows = rows_in_noise(seed, n_hours)
        n_found += found_in(rows)
        for row in rows:
            if row["regime"] == ALL and row["p_value"] is not None:
                p_values[row["name"], row["horizon_hours"]].append(row["p_value"])
    assert n_found <= at_most
    assert len(p_values) == 9 * len(HORIZONS)
    # So many distributions are looked at, so their p-values are corrected too.
    fits = {key: kstest(p, "uniform").pvalue for key, p in p_values.items()}
    assert adjusted(np.array(list(fits.values()))).min() > 0.01, fits
    for name in ("a week", "a month", "white", "momentum"):
        beyond = [p < 0.05 for p in p_values[name, 1]]
        assert np.mean(beyond) <= 0.1 + 1 / n_markets, name


@pytest.mark.proofs
def test_noise_gives_nothing_in_95_of_100_markets():
    assert_nothing_is_found(100, 10, n_hours=14_000)


def test_a_few_markets_of_noise_give_nothing():
    assert_nothing_is_found(8, 2, n_hours=8_000)


def seen_at(size: float, seeds: range, n_hours: int) -> float:
    """Return the share of markets in which a planted coefficient is found."""
    seen = []
    for seed in seeds:
        rng = np.random.default_rng([77, seed])
        told, shocks = persistent(rng, n_hours, 0.9), noise(rng, n_hours)
        returns = shocks.copy()
        returns[1:] += size * 0.006 * told[:-1]
        hours = hours_of(rng, returns)
        known = (hours.open_us - hours.open_us[0]) // HOUR_US
        planted = column_of("planted", told[known])
        rows = corrected(
            list(rows_of(hours, [*scores_of(rng, hours), planted], LEG_BPS))
        )
        row = only(rows, name="planted", regime=ALL, horizon_hours=1)
        assert row["detectable"] > 0
        seen.append(row["p_adjusted"] < 0.05)
    return float(np.mean(seen))


def test_what_is_planted_is_found():
    assert seen_at(0.1, range(4), 8_000) == 1


@pytest.mark.proofs
def test_an_effect_of_the_detectable_size_is_seen_in_four_markets_of_five():
    n_hours, seeds = 12_000, range(40)
    sizes = []
    for seed in seeds:
        rng, hours = market_of(seed, n_hours)
        told = column_of("planted", persistent(rng, len(hours.close), 0.9))
        subjects = [*scores_of(rng, hours), told]
        rows = corrected(list(rows_of(hours, subjects, LEG_BPS)))
        sizes.append(only(rows, name="planted", regime=ALL, horizon_hours=1))
    detectable = float(np.mean([row["detectable"] for row in sizes]))
    # A coefficient of ranks is that of these values within a tenth; wild hours weigh.
    share = seen_at(detectable * 1.1, seeds, n_hours)
    assert 0.6 <= share <= 1.0, detectable


@pytest.fixture(scope="module")
def of_demo(demo_build):
    with demo_build.connect() as connection:
        yield connection


def test_the_momentum_planted_in_the_demo_is_found_and_its_noise_is_not(of_demo):
    found = {
        (name, regime, horizon)
        for name, regime, horizon in of_demo.sql(
            "select name, regime, horizon_hours from report_scores "
            "where is_beyond_chance and information_coefficient > 0"
        ).fetchall()
    }
    # Planted on the next hour while risk is on, and at hours of the week.
    assert {("momentum", "risk_on", 1), ("temporal", "all", 1)} <= found
    assert ("momentum", "crisis", 1) not in found
    ((n_subjects,),) = of_demo.sql(
        "select count(distinct name) from report_scores where is_beyond_chance"
    ).fetchall()
    assert n_subjects <= 4


def test_every_row_of_the_demo_is_told_of_all_looks(of_demo):
    rows = of_demo.sql(
        "select count(p_value) as looks, min(comparisons) as least, "
        "max(comparisons) as most from report_scores"
    ).fetchall()
    (looks, least, most), = rows  # fmt: skip
    assert looks == least == most > 100


def test_a_build_judges_what_the_tables_hold(of_demo):
    names = {
        kind: {name for (name,) in of_demo.sql(query).fetchall()}
        for kind, query in {
            "domain": "select distinct domain from scores",
            "sentinel": "select distinct sentinel from sentinels",
            "macro_signal": "select distinct signal from macro_signals",
        }.items()
    }
    for kind, wanted in names.items():
        found = of_demo.sql(
            f"select distinct name from report_scores where kind = '{kind}'"
        ).fetchall()
        assert {name for (name,) in found} == wanted


def test_the_return_of_the_last_hours_is_not_known(of_demo):
    (hours,) = of_demo.sql(
        "select max(hours) from report_scores where horizon_hours = 72 "
        "and regime = 'all' and symbol = 'ETH'"
    ).fetchall()
    (bars,) = of_demo.sql(
        "select count(*) from bars_1h where symbol = 'ETH'"
    ).fetchall()
    assert hours[0] <= bars[0] - 72


def test_judging_twice_gives_the_same_bits(of_demo):
    tables = {
        "bars": of_demo.table("evaluation_score_bars"),
        "scores": of_demo.sql("from scores where domain = 'momentum'"),
        "sentinels": of_demo.sql("from sentinels where false"),
        "macro_signals": of_demo.sql("from macro_signals where false"),
        "profiles": of_demo.table("config_symbols"),
    }
    assert worth_of_scores(**tables).equals(worth_of_scores(**tables))


def test_a_correlation_needs_no_sums_of_an_event():
    _, hours = market_of(9, 2_000)
    judgement = Judgement(
        Bench(hours), Subject(SENTINEL, "always", np.ones(len(hours.close)), 0.0)
    )
    found = judgement.judged()
    assert np.isnan(found.figures.information_coefficient).all()
    # And there is no hour without it to compare with.
    assert np.isnan(found.figures.spread_bps).all()


def test_a_column_that_a_user_names_is_judged_beside_the_others(of_demo):
    bars = of_demo.sql(
        "select bars.*, features.rsi_14 from evaluation_score_bars as bars "
        "inner join features using (symbol, bar_ts)"
    )
    found = worth_of_scores(
        bars=bars,
        scores=of_demo.sql("from scores where domain = 'momentum'"),
        sentinels=of_demo.sql("from sentinels where false"),
        macro_signals=of_demo.sql("from macro_signals where false"),
        profiles=of_demo.table("config_symbols"),
    )
    rows = found.to_pylist()
    assert {(row["kind"], row["name"]) for row in rows} == {
        ("domain", "momentum"),
        ("column", "rsi_14"),
    }
    looks = sum(row["p_value"] is not None for row in rows)
    assert {row["comparisons"] for row in rows} == {looks}


@pytest.mark.slow
def test_columns_are_named_in_a_list(tmp_path):
    from conftest import run_dbt

    listed = "{score_columns: [rsi_14, votes.net_veto_long]}"
    done = run_dbt(
        "compile", "-q", "--select", "evaluation_score_bars", "--vars", listed,
        folder=tmp_path,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    written = (tmp_path / "target").rglob("compiled/**/evaluation_score_bars.sql")
    text = next(written).read_text()
    assert 'features.rsi_14::double as "rsi_14"' in text
    assert 'votes.net_veto_long::double as "votes.net_veto_long"' in text
    assert text.count("as votes using (symbol, bar_ts)") == 1


COMMANDS = {
    ("score",): ["momentum", "vix_calm", "range_break"],
    ("score", "momentum", "--symbol", "ETH"): ["risk_on", "beyond chance"],
    ("score", "range_break"): ["BTC:", "ETH:"],
    ("score", "rsi_14", "--symbol", "BTC"): ["BTC:", "four markets of five"],
    ("score", "bars_1h.volume"): ["BTC:", "ETH:"],
}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_command_tells_what_a_score_is_worth(demo_build, words):
    done = barsieve(*words, BARSIEVE_DATABASE=demo_build.database)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    for text in COMMANDS[words]:
        assert text in said


def test_a_column_asked_for_later_is_corrected_for_all_looks(demo_build, of_demo):
    done = barsieve("score", "rsi_14", "--json", BARSIEVE_DATABASE=demo_build.database)
    told = json.loads(done.stdout)
    ((before,),) = of_demo.sql(
        "select max(comparisons) from report_scores"
    ).fetchall()  # fmt: skip
    own = sum(row["p_value"] is not None for row in told["scores"])
    assert {row["comparisons"] for row in told["scores"]} == {before + own}
    assert {row["lag_hours"] for row in told["decay"]} == set(LAGS)
    assert len(told["months"]) > 100


REFUSED = {
    ("rsi_15",): "did you mean rsi_14",
    ("trend_1h",): "a column of features with numbers",
    ("fusion_scores.confidence",): "one row a symbol and bar_ts",
    ("nowhere.x",): "expected a domain",
    ('features."; drop table trades; --',): "expected a domain",
    ("momentum", "--symbol", "DOGE"): "one of BTC, ETH",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_cannot_be_judged_is_refused(demo_build, words):
    done = barsieve("score", *words, BARSIEVE_DATABASE=demo_build.database)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert re.search(REFUSED[words], " ".join(done.stderr.split()))


ROW = {
    "kind": "domain", "name": "x", "symbol": "ETH", "regime": "all",
    "horizon_hours": 4, "tested": "information_coefficient",
    "information_coefficient": 0.05, "spread_bps": 30.0, "cost_bps": 20.0,
    "beats_cost": True, "p_value": 0.001, "p_adjusted": 0.01, "comparisons": 10,
    "detectable": 0.04, "is_beyond_chance": True,
}  # fmt: skip
VERDICTS = {
    "over 4 h; over 4 h its spread of +30.0 bps is more than the 20.0 bps": {},
    "does not beat the 40.0 bps": {"cost_bps": 40.0, "beats_cost": False},
    "nothing beyond chance among 10 looks; an effect of 0.040 over 4 h": {
        "is_beyond_chance": False
    },
    "+30.0 bps over 4 h in crisis": {"tested": "spread_bps", "regime": "crisis"},
    "too little to say": {"is_beyond_chance": False, "p_value": None},
}


@pytest.mark.parametrize("said", VERDICTS)
def test_a_verdict_is_one_sentence(said):
    assert said in verdict([ROW | VERDICTS[said]])


def test_the_best_horizon_is_the_one_least_by_chance():
    rows = [
        ROW | {"horizon_hours": 1, "p_value": 0.2},
        ROW,
        ROW | {"horizon_hours": 24, "p_value": 1e-9, "regime": "crisis"},
        ROW | {"name": "y", "p_value": None},
    ]
    assert [(row["name"], row["horizon_hours"]) for row in best(rows)] == [
        ("x", 4),
        ("y", 4),
    ]
