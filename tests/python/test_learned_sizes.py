"""Learned sizes: recovered where payoff depends on volatility, nothing of noise."""

import numpy as np
import pytest

from barsieve.learning.sizes import SEEN
from barsieve.learning.sizes.evaluation import (
    RUIN_LEVEL,
    SAME_RISK,
    chance_of_ruin,
    judge,
)
from barsieve.learning.sizes.model import Expected, fit
from barsieve.learning.sizes.walk import Results, walk
from barsieve.profiles.settings import Profile
from barsieve.replay.runs import HOUR_US, Inputs
from barsieve.replay.sizing import KELLY
from barsieve.replay.state import BAR
from replay_cases import BALANCE, RULES, random_bars

VOLATILITY = SEEN.index("realized_vol_168")


def planted(rng: np.random.Generator, edge: float, n_bars: int = 12_000):
    """Return inputs and results: entries win more often in a calm market by an edge.

    A trade is decided every 12 bars and ends at its stop or target, 1 R away each, four
    bars later; the probability of a win is 1/2 plus the edge where volatility is low,
    less it where it is high.
    """
    bars = np.zeros(n_bars, BAR).view(np.recarray)
    quiet = random_bars(rng, 1)
    for name in BAR.names:
        bars[name] = quiet[name]
    bars.index, bars.hours_since = np.arange(n_bars), 1.0
    bars.funding_settled, bars.vix, bars.volume_z_20 = np.nan, 15.0, 0.0
    bars.net_veto_long = bars.net_veto_short = 0.0
    bars.atr_20, bars.adx_14_4h, bars.has_sentinel = 0.5, 22.0, True
    for name in ("open", "high", "low", "close"):
        bars[name] = 100.0
    is_calm = (np.arange(n_bars) // 240) % 2 == 0
    bars.realized_vol_168 = np.where(is_calm, 0.3, 1.2) + rng.normal(0, 0.05, n_bars)
    decided = np.arange(0, n_bars - 12, 12)
    bars.side, bars.is_eligible, bars.confidence = 0, False, np.nan
    bars.side[decided], bars.is_eligible[decided] = 1, True
    bars.confidence[decided], bars.threshold = 0.7, 0.6
    is_win = rng.random(len(decided)) < 0.5 + np.where(is_calm[decided], edge, -edge)
    bars.high[decided[is_win] + 5] = 101.0
    bars.low[decided[~is_win] + 5] = 99.0
    seen = np.tile(rng.normal(0, 1, len(SEEN)), (n_bars, 1))
    seen += rng.normal(0, 1, seen.shape)
    seen[:, VOLATILITY] = bars.realized_vol_168
    opens = np.arange(n_bars) * HOUR_US
    found = Results(
        seen[decided], np.where(is_win, 1.0, -1.0), opens[decided],
        opens[decided] + 6 * HOUR_US,
    )  # fmt: skip
    rules = RULES._replace(
        stop_atr=2.0, target_r=1.0, partial_at_r=np.nan, sizing_kind=KELLY,
        kelly_fraction=0.25, risk_min=0.002, risk_max=0.1, margin_cap=1.0,
        leverage=50.0,
    )  # fmt: skip
    import pyarrow as pa

    moments = pa.array(opens, pa.timestamp("us", "UTC"))
    profile = Profile("p", "X", "X", BALANCE, "admissible", rules)
    inputs = Inputs(
        profile, bars, moments, moments, np.ones(n_bars, bool), np.empty(0, np.int64)
    )
    return inputs, found, seen


def judged(inputs: Inputs, found: Results, seen: np.ndarray):
    months = list(walk(found, int(inputs.opens[-1])))
    of_bar = inputs.opens.astype("datetime64[us]").astype("datetime64[M]")
    inputs.bars.kelly_share = np.nan
    for month in months:
        own = of_bar == np.datetime64(month.month, "M")
        inputs.bars.kelly_share[own] = month.model.expect(seen[own]).kelly
    rows = judge(inputs, found, months, seen)
    return {(r["section"], r["subject"], r["figure"]): r for r in rows}


ABOUT = ("learned less, out_of_sample", SAME_RISK, "log_growth_a_year")


def test_a_payoff_that_depends_on_volatility_is_recovered():
    found = judged(*planted(np.random.default_rng(1), 0.2))
    assert found[ABOUT]["low"] > 0
    shares = [found["calibration", f"fifth {n}", "won_share"]["value"] for n in (1, 5)]
    assert shares[0] < 0.42 < 0.58 < shares[1]
    assert found["model", "result", "r2_out_of_sample"]["value"] > 0.05


def noise_found(seeds) -> int:
    found = [judged(*planted(np.random.default_rng(s), 0.0, 6_000)) for s in seeds]
    return sum(f[ABOUT]["low"] > 0 for f in found)


def test_noise_finds_no_size_in_a_few_markets():
    assert noise_found(range(100, 106)) == 0


@pytest.mark.proofs
def test_noise_finds_no_size_in_95_of_100_markets():
    assert noise_found(range(1_000, 1_100)) <= 5


def test_kelly_grows_best_of_all_shares():
    expected = Expected(*(np.array([x]) for x in (0.55, 1.3, 0.9)))
    share = expected.kelly[0]

    def growth(f):
        return 0.55 * np.log1p(1.3 * f) + 0.45 * np.log1p(-0.9 * f)

    tried = np.linspace(0, 1, 2_001)
    assert share == pytest.approx(tried[growth(tried).argmax()], abs=1e-3)


def test_probabilities_are_those_that_come():
    rng = np.random.default_rng(2)
    seen = rng.normal(0, 1, (4_000, len(SEEN)))
    chance = 1 / (1 + np.exp(-0.8 * seen[:, 0]))
    results = np.where(rng.random(4_000) < chance, 1.0, -0.5)
    expected = fit(seen[:3_000], results[:3_000]).expect(seen[3_000:])
    assert np.abs(expected.probability - chance[3_000:]).mean() < 0.03
    assert expected.win_r == pytest.approx(1.0, abs=1e-6)
    assert expected.loss_r == pytest.approx(0.5, abs=1e-6)


def test_the_chance_of_ruin_is_that_of_a_random_walk():
    rng = np.random.default_rng(3)
    moves = rng.choice([0.02, -0.02], 20_000)
    moves = np.expm1(moves - moves.mean())
    # Reflection: the lowest of 500 steps is below -ln 2 twice as often as the last.
    from scipy.stats import norm

    expected = 2 * norm.cdf(np.log(RUIN_LEVEL) / (0.02 * np.sqrt(500)))
    assert chance_of_ruin(moves) == pytest.approx(expected, abs=0.05)
    assert np.isnan(chance_of_ruin(moves[:10]))
    assert chance_of_ruin(np.full(100, 0.01)) == 0.0


def test_a_month_learns_sizes_of_nothing_that_ended_after_it_began():
    inputs, found, _ = planted(np.random.default_rng(4), 0.1)
    last = int(inputs.opens[-1])
    whole = list(walk(found, last))
    cut = whole[len(whole) // 2].starts_at
    other = found._replace(r=np.where(found.known_at > cut, -found.r, found.r))
    again = list(walk(other, last))
    same = [
        np.array_equal(one.model.odds.weights, two.model.odds.weights)
        and one.model[-2:] == two.model[-2:]
        for one, two in zip(whole, again, strict=True)
    ]
    assert same == [month.starts_at <= cut for month in whole]
