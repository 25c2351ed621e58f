"""Evaluation of all the learning, in figures: the rows of `report_optimizer`."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from barsieve.core import schemas
from barsieve.core.arrow import rows_of
from barsieve.core.extras import empty_without
from barsieve.learning import LEARNERS
from barsieve.learning.backtests import (
    LEARNED,
    STRATEGIES,
    read_in_force,
    replay_strategies,
)
from barsieve.learning.dataset import CONFIGURATION, Rows, SweepTables, read_rows
from barsieve.learning.proposals import last_best, learners_of
from barsieve.learning.verdict import verdict
from barsieve.learning.walk import Month
from barsieve.metrics.bootstrap import drawn_days, interval
from barsieve.signals.market import read_market
from barsieve.sweep.overfit import judge

TOO_FEW = "it takes 12 months and two configurations with trades to tell luck"


def row(section, subject, figure, value, low=None, high=None, note=None) -> dict:
    """Return a figure; NaN becomes null."""
    known = [
        None if v is None or not np.isfinite(v) else float(v)
        for v in (value, low, high)
    ]
    names = ("value", "low", "high")
    about = {"section": section, "subject": subject, "figure": figure, "note": note}
    return about | dict(zip(names, known, strict=True))


def r_squared(scores: list[dict], errors: list[float]) -> float:
    """Return 1 - error / variance over all configurations and months of the scores."""
    n = sum(s["configs"] for s in scores)
    total = sum(s["total"] for s in scores)
    variance = sum(s["total_squares"] for s in scores) - total * total / n
    return 1 - sum(errors) / variance if variance > 0 else float("nan")


@cache
def _draws(n: int) -> np.ndarray:
    """Return the same draws of so many months for every figure: they are paired."""
    return drawn_days(n)


def _mean_and_interval(values: np.ndarray) -> tuple[float, float | None, float | None]:
    """Return the mean of months and its interval, months drawn in blocks."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return (float(known[0]) if len(known) else float("nan")), None, None
    return float(known.mean()), *interval(known[_draws(len(known))].mean(axis=1))


def model_rows(walked: dict[str, Any]) -> Iterator[dict]:
    """Yield how each model predicted, in and out of sample."""
    inside = {fit["model"]: fit["r2"] for fit in walked["in_sample"]}
    for model in dict.fromkeys(s["model"] for s in walked["scores"]):
        scores = [s for s in walked["scores"] if s["model"] == model]
        picked = np.array([s["picked"] for s in scores])
        average = np.array([s["average"] for s in scores])
        r2 = r_squared(scores, [s["squared_error"] for s in scores])
        yield row("model", model, "in_sample_r2", inside.get(model))
        yield row("model", model, "walk_forward_r2", r2)
        for figure in ("rank_correlation", "same_threshold"):
            ranks = np.array([s[figure] for s in scores], np.float64)
            yield row("model", model, figure, *_mean_and_interval(ranks))
        lift = _mean_and_interval(picked - average)
        yield row("model", model, "lift_r", *lift)
        yield row("model", model, "picked_r", *_mean_and_interval(picked))
        yield row("model", model, "average_r", *_mean_and_interval(average))
        yield row("model", model, "months", len(scores))


def importance_rows(walked: dict[str, Any]) -> Iterator[dict]:
    """Yield by how much the walk-forward R² falls with a group out of order."""
    for model in LEARNERS:
        scores = [s for s in walked["scores"] if s["model"] == model]
        if not scores:
            continue
        plain = r_squared(scores, [s["squared_error"] for s in scores])
        for group in [part["feature"] for part in scores[0]["shuffled"]]:
            errors = [
                part["squared_error"]
                for s in scores
                for part in s["shuffled"]
                if part["feature"] == group
            ]
            yield row("importance", group, model, plain - r_squared(scores, errors))


def vix_rows(rows: list[dict]) -> Iterator[dict]:
    """Yield VIX over configuration parameters; null where either explains nothing."""
    found = {(r["subject"], r["figure"]): r["value"] for r in rows}
    for model in LEARNERS:
        vix, own = found.get(("VIX", model)), found.get((CONFIGURATION, model))
        if vix is None or own is None:
            continue
        ratio = vix / own if vix > 0 and own > 0 else None
        note = None if ratio else "one of the two makes predictions no better"
        yield row("importance", "VIX / configuration", model, ratio, note=note)


def overfitting_rows(rows: Rows) -> Iterator[dict]:
    """Yield the deflated Sharpe ratio and PBO of the trials that were run, by month."""
    luck = judge(rows.configs, rows.returns)
    n_trials = len(rows.configs)
    yield row("overfitting", "sweep", "trials", n_trials)
    yield row("overfitting", "sweep", "trials_without_a_trade",
              n_trials - luck["trials"])  # fmt: skip
    if "deflated_sharpe" not in luck:
        note = f"{TOO_FEW}: {luck['months']} months, {luck['trials']} with trades"
        yield row("overfitting", "best", "deflated_sharpe", None, note=note)
        return
    for figure, name in {
        "sharpe_monthly": "best_sharpe",
        "expected_maximum_monthly": "expected_sharpe",
        "needed_monthly": "needed_sharpe",
        "visible_annual": "visible_annual_sharpe",
        "effective_trials": "effective_trials",
        "probabilistic_sharpe": "probabilistic_sharpe",
        "deflated_sharpe": "deflated_sharpe",
    }.items():
        yield row("overfitting", "best", figure, luck[name])
    for figure, name in {
        "pbo": "overfitting",
        "loss_probability": "loss_probability",
        "degradation_slope": "degradation_slope",
    }.items():
        yield row("overfitting", "sweep", figure, luck[name])


def sweep_rows(
    sweep: SweepTables, symbol: str, domains: tuple[str, ...]
) -> Iterator[dict]:
    """Yield what the sweep itself says: how many configurations earned anything."""
    whole = sweep.results.filter("fold = 'all'")
    whole = whole.join(sweep.configs, "grid, config, symbol")
    listed = ", ".join(f"'{domain}'" for domain in domains)
    own = f"symbol = '{symbol}' and map_keys(weights) = [{listed}]"
    found = whole.filter(own).aggregate(
        "avg((net_pnl > 0)::integer), corr(entry_threshold, sharpe), max(net_pnl)"
    ).fetchall()[0]  # fmt: skip
    names = ("profitable_share", "threshold_sharpe_correlation", "best_net_pnl")
    for name, value in zip(names, found, strict=True):
        yield row("sweep", "all", name, value)


def strategy_rows(runs: dict[str, Any], first: str) -> Iterator[dict]:
    """Yield each strategy out of sample, and how far the learned one beats the rest."""
    from barsieve.regime.worth import FIGURES, by_day, figures

    days = {name: _since(by_day(run), run, first) for name, run in runs.items()}
    n_days = len(days[LEARNED].returns)
    whole, drawn = np.arange(n_days)[None, :], drawn_days(n_days)
    sampled = {name: figures(day, drawn) for name, day in days.items()}
    for name in STRATEGIES:
        found = figures(days[name], whole)[0]
        total = np.prod(1 + days[name].returns) - 1
        yield row("strategy", name, "return_share", total)
        for k, figure in enumerate(FIGURES):
            ends = interval(sampled[name][:, k])
            yield row("strategy", name, figure, found[k], *ends)
        if name == LEARNED:
            continue
        gain = figures(days[LEARNED], whole)[0] - found
        for k, figure in enumerate(FIGURES):
            ends = interval(sampled[LEARNED][:, k] - sampled[name][:, k])
            yield row("learned_less", name, figure, gain[k], *ends)
        daily = days[LEARNED].returns - days[name].returns
        ends = interval(daily[drawn].mean(axis=1))
        yield row("learned_less", name, "mean_daily_return", daily.mean(), *ends)


def _since(days, run, first: str):
    """Return a replay by day from a month on."""
    from barsieve.metrics.performance import DAY_US

    judged = np.flatnonzero(run.inputs.is_in_study)
    day = np.unique(run.inputs.bar_ts.cast(pa.int64()).to_numpy()[judged] // DAY_US)
    start = np.datetime64(first).astype("datetime64[D]").astype(np.int64)
    return type(days)(*(column[day >= start] for column in days))


def learned_strategies(base, rows: Rows, walked, sweep_bars, regimes, fusion):
    """Yield the rows of a learned profile's strategies; none without a proposal."""
    months = [s["month"] for s in walked["scores"]]
    if not months:
        return
    positions = [rows.months.index(month) for month in dict.fromkeys(months)]
    seen = [Month(p, rows.known_before(p), [], {}) for p in positions]
    market = read_market(sweep_bars, regimes, base, rows.symbol)
    in_force = read_in_force(fusion, base)
    runs = replay_strategies(market, base, in_force, last_best(rows, seen))
    for found in strategy_rows(runs, months[0]):
        yield found | {"profile": base["profile"]}


@empty_without("ml", schemas.OPTIMIZER_FIGURES)
def optimizer_figures(
    profiles,
    envelopes,
    weights,
    walks,
    sweep: SweepTables,
    sweep_bars,
    regimes,
    fusion_scores,
) -> pa.Table:
    """Return the figures of every symbol of the sweep, its verdict last.

    Parameters are relations of the built database. What belongs to no learned profile
    has the profile `-`.
    """
    bases, judged = learners_of(profiles, envelopes, weights), sweep.judged
    made = []
    for walked in rows_of(walks.order("symbol")):
        symbol, domains = walked["symbol"], tuple(walked["domains"])
        rows, found = read_rows(sweep, symbol, domains), []
        is_judged = judged[symbol] == domains
        if is_judged:
            found = [*model_rows(walked), *importance_rows(walked)]
            found += [*vix_rows(found), *overfitting_rows(rows)]
            found += sweep_rows(sweep, symbol, domains)
        for base in bases:
            if base["symbol"] == symbol and set(base["weights"]) == set(rows.domains):
                found += learned_strategies(
                    base, rows, walked, sweep_bars, regimes, fusion_scores
                )
        if is_judged:
            has_edge, sentence = verdict(found)
            found.append(row("verdict", "all", "edge", has_edge, note=sentence))
        made += [{"symbol": symbol, "profile": "-"} | figure for figure in found]
    return pa.Table.from_pylist(made, schema=schemas.OPTIMIZER_FIGURES)
