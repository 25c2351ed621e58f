"""Configurations, markets and full replays that a sweep is held against."""

import numpy as np
import pyarrow as pa

from barsieve.core.arrow import rows_of
from barsieve.profiles.resolution import complete, resolve
from barsieve.profiles.rules import as_rule
from barsieve.profiles.schema import settings
from barsieve.profiles.settings import Profile
from barsieve.replay.decimals import sum_of_decimals
from barsieve.replay.runs import FULL, Inputs, Run, read_inputs, replay
from barsieve.replay.state import BAR
from barsieve.signals.market import Market
from barsieve.sweep.grids import VARIED, Grid, config_dtype
from barsieve.sweep.run import (
    Rooms,
    Sweep,
    SymbolSweep,
    measure_chunk,
    symbol_over,
    trades_hash,
)
from conftest import PROJECT

DOMAINS = ("wyckoff", "liquidity", "smc", "momentum", "temporal")
CONFIG = config_dtype(len(DOMAINS))
HOUR_US = 3_600_000_000


def configured(base: dict, config) -> dict:
    """Return a profile's row with the settings of a configuration."""
    weights = dict(zip(base["weights"], config["weights"].tolist(), strict=True))
    return base | {name: config[name].item() for name in VARIED} | {"weights": weights}


def signals(votes: dict[str, np.ndarray], row: dict) -> dict[str, np.ndarray]:
    """Read the fusion formula as domain.md writes it, every bar, no screen.

    The operations of the macro, in its order, so that the bits can agree.
    """
    total, weight = 0.0, 0.0
    for domain, own in row["weights"].items():
        score = votes[domain]
        total = total + own * np.where(np.isnan(score), 0.0, score)
        weight = weight + np.where(np.isnan(score), 0.0, own)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(votes["is_aligned"], 1.0, 0.8)
        score = 0.5 + factor * (total / np.where(weight == 0, np.nan, weight) - 0.5)
    score[np.isnan(votes["alignment"])] = np.nan
    more, fewer = votes["votes_long"], votes["votes_short"]
    is_tie = more == fewer
    is_long = (more > fewer) | (is_tie & (score > 0.52))
    is_short = (fewer > more) | (is_tie & (score < 0.48))
    side = np.where(np.isnan(score), 0, is_long.astype(int) - is_short.astype(int))
    passes = (votes["atr_rank_100"] >= row["atr_rank_floor"]) & (
        votes["atr_rank_100"] <= row["atr_rank_cap"]
    )
    passes &= votes["is_aligned"] | (not row["alignment_required"])
    if row["cadence"] == "4h":
        passing = np.flatnonzero(passes)
        block = votes["hour"][passing] // 4
        first = passing[np.flatnonzero(np.diff(block, prepend=block[:1] - 1))]
        passes = np.zeros_like(passes)
        passes[first] = True
    return {
        "side": side,
        "confidence": np.where(side < 0, 1 - score, score),
        "threshold": sum_of_decimals(row["entry_threshold"], votes["shift"]),
        "is_eligible": passes,
    }


def standalone(inputs: Inputs, votes: dict[str, np.ndarray], row: dict) -> Run:
    """Return the full replay of one configuration, on bars of its own."""
    bars = inputs.bars.copy()
    for name, values in signals(votes, row).items():
        bars[name] = values
    own = inputs._replace(bars=bars, profile=Profile.from_row(row))
    return replay(own, FULL)


def standalone_hash(inputs: Inputs, votes: dict[str, np.ndarray], row: dict) -> int:
    """Return the hash of that replay."""
    return trades_hash(standalone(inputs, votes, row))


def read_votes(connection, symbol: str) -> dict[str, np.ndarray]:
    table = connection.sql(
        f"select * from votes where symbol = '{symbol}' order by bar_index"
    ).to_arrow_table()
    votes = {
        name: table[name].to_numpy().astype(float)
        for name in ("alignment", "atr_rank_100")
    }
    scores = {d: table[f"score_{d}"].to_numpy().astype(float) for d in DOMAINS}
    votes |= scores
    votes["votes_long"] = sum((score > 0.55).astype(int) for score in scores.values())
    votes["votes_short"] = sum((score < 0.45).astype(int) for score in scores.values())
    votes["is_aligned"] = table["is_aligned"].to_numpy().astype(bool)
    votes["hour"] = table["bar_ts"].cast(pa.int64()).to_numpy() // HOUR_US
    votes["shift"] = np.zeros(table.num_rows)
    return votes


def inputs_of(connection, profile: str) -> Inputs:
    rows = rows_of(connection.table("config_symbols"))
    own = [Profile.from_row(row) for row in rows if row["profile"] == profile]
    names = ("replay_bars", "candidates", "candidate_windows")
    return read_inputs(own, *(connection.table(name) for name in names))


def one_config(base: dict) -> Grid:
    """Return the grid of nothing but the profile itself."""
    config = np.empty(1, CONFIG).view(np.recarray)
    for name in VARIED:
        config[name] = as_rule(name, base[name])
    config.weights = [*base["weights"].values()]
    return grid_of("own", config)


def grid_of(name: str, configs: np.recarray) -> Grid:
    return Grid(name, DOMAINS, tuple(range(len(DOMAINS))), configs, configs[:0], [])


def figures_of(sweep: Sweep) -> tuple[np.ndarray, np.ndarray]:
    return measure_chunk(sweep, Rooms(sweep), range(len(sweep.grid.configs)))


def random_market(
    rng: np.random.Generator, n: int, hours: np.ndarray | None = None
) -> Market:
    """Return a short market where anything may be unknown and blocks have holes.

    `hours`, shape (n,), are those that it has a bar at.
    """
    bars = np.zeros(n, BAR).view(np.recarray)
    bars["index"] = np.arange(n)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    bars.close, bars.open = close, np.roll(close, 1) * rng.uniform(0.998, 1.002, n)
    bars.open[0] = close[0]
    spread = rng.uniform(1, 1.01, n)
    bars.high = np.maximum(bars.open, bars.close) * spread
    bars.low = np.minimum(bars.open, bars.close) / spread
    bars.atr_20 = np.where(rng.random(n) < 0.05, np.nan, close * 0.01)
    bars.adx_14_4h = rng.uniform(10, 40, n)
    bars.volume_z_20 = rng.normal(0, 1, n)
    bars.vix = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(10, 35, n))
    bars.funding_settled = np.where(
        np.arange(n) % 8 == 0, rng.normal(0, 1e-4, n), np.nan
    )
    bars.net_veto_long, bars.net_veto_short = rng.uniform(-0.2, 1, (2, n))
    bars.confidence = bars.threshold = bars.kelly_share = np.nan
    bars.realized_vol_168 = np.where(
        rng.random(n) < 0.05, np.nan, rng.uniform(0.2, 2, n)
    )
    bars.has_sentinel = rng.random(n) < 0.8
    if rng.random() < 0.5:
        # A jump that no market makes, at which accounts are lost.
        at, factor = rng.integers(0, n), rng.choice([0.001, 0.1, 10.0, 1000.0])
        for name in ("open", "high", "low", "close"):
            bars[name][at:] *= factor
    scores = np.round(rng.uniform(0, 1, (5, n)), 1)
    scores[rng.random((5, n)) < 0.2] = np.nan
    if hours is None:
        hours = np.flatnonzero(rng.random(2 * n) < 0.8)[:n]
    bars.hours_since = np.diff(hours, prepend=np.nan)
    is_known = rng.random(n) < 0.9
    return Market(
        "X",
        DOMAINS,
        bars,
        *(
            pa.chunked_array([pa.array(at * HOUR_US, pa.timestamp("us", "UTC"))])
            for at in (hours, hours + 1)
        ),
        scores,
        (np.nan_to_num(scores, nan=0.5) > 0.55).sum(0)
        - (np.nan_to_num(scores, nan=0.5) < 0.45).sum(0),
        is_known,
        is_known & (rng.random(n) < 0.6),
        np.where(rng.random(n) < 0.05, np.nan, rng.integers(0, 101, n) / 100),
        hours // 4,
        np.round(rng.choice([0.0, 0.0, 0.03, -0.03], n), 2),
        np.ones(n, bool),
    )


def random_configs(rng: np.random.Generator, n: int, base: dict) -> np.recarray:
    configs = np.empty(n, CONFIG).view(np.recarray)
    for name in VARIED:
        configs[name] = as_rule(name, base[name])
    for place in range(len(DOMAINS)):
        configs.weights[:, place] = rng.choice([0.0, 0.1, 0.25, 0.4], n)
    configs.weights[:, DOMAINS.index("momentum")] += 0.05
    configs.entry_threshold = rng.choice([0.5, 0.55, 0.6, 0.7], n)
    if rng.random() < 0.7:
        configs.atr_rank_floor = rng.choice([0.0, 0.1, 0.2, 0.35], n)
        configs.atr_rank_cap = rng.choice([0.7, 0.95, 1.0], n)
        configs.alignment_required = rng.integers(0, 2, n)
    configs.sizing_kind = rng.choice(5, n)
    configs.sizing_risk = rng.choice([0.004, 0.02], n)
    configs.volatility_target = rng.choice([0.3, 2.0], n)
    configs.drawdown_limit = rng.choice([0.02, 0.2], n)
    configs.stop_atr, configs.cooldown_bars = rng.uniform(0.5, 3, n), rng.choice(9, n)
    return configs


def votes_of(market: Market) -> dict[str, np.ndarray]:
    votes = dict(zip(DOMAINS, market.scores, strict=True))
    votes["votes_long"] = np.maximum(market.margin, 0)
    votes["votes_short"] = np.maximum(-market.margin, 0)
    votes["alignment"] = np.where(market.is_known, 1.0, np.nan)
    votes["atr_rank_100"], votes["shift"] = market.atr_rank, market.shift
    votes["is_aligned"] = market.is_aligned
    votes["hour"] = market.bar_ts.cast(pa.int64()).to_numpy() // HOUR_US
    return votes


def sweep_over(market: Market, configs: np.recarray, base: dict) -> SymbolSweep:
    return symbol_over(market, base, grid_of("random", configs), 0.0)


def base_row() -> dict:
    profile = complete(resolve(PROJECT / "configs/eth_comprehensive.json").document)
    row = {"profile": "p", "symbol": "X", "account": "X", "screen": "admissible"}
    row |= {"study_start": None, "study_end": None, "reference_symbol": "X"}
    for section in ("entry", "exits", "risk", "wallet", "costs"):
        row |= profile[section]
    columns = {setting.key: setting.column for setting in settings()}
    sizing = profile["sizing"]
    row |= {columns[f"sizing.{key}"]: value for key, value in sizing.items()}
    row |= {"required_sentinels": None, "macro_signals": "", "sides": "both"}
    return row | {"weights": profile["weights"]}


def inputs_on(market: Market, base: dict) -> Inputs:
    opens, closes = (t.combine_chunks() for t in (market.bar_ts, market.known_at))
    profile, nowhere = Profile.from_row(base), np.empty(0, np.int64)
    return Inputs(profile, market.bars, opens, closes, market.is_in_study, nowhere)
