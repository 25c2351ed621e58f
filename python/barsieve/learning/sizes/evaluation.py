"""Judgement of sizes: each kind replayed on the same signals; rows of `report_sizing`.

From the first month that has a model on. Growth is compared day by day with each other
kind, days drawn in blocks; the chance of ruin is that of trades drawn in blocks.
"""

from collections.abc import Iterator
from dataclasses import replace as with_fields
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.extras import empty_without
from barsieve.learning.evaluation import row
from barsieve.learning.exits.evaluation import IN, OUT
from barsieve.learning.exits.walk import start_of
from barsieve.learning.sizes import LEAST_TRADES
from barsieve.learning.sizes.model import Expected
from barsieve.learning.sizes.walk import (
    LEARNERS,
    Month,
    Results,
    expected_at_bars,
    last_moment,
    read_results,
    walk,
)
from barsieve.metrics.account import marks_of, nets_of
from barsieve.metrics.bootstrap import drawn_days, simultaneous
from barsieve.metrics.performance import (
    DAY_US,
    annual_growth,
    annual_sharpe,
    ends_of_days,
    max_drawdown,
    years_of,
)
from barsieve.metrics.under_water import under_water
from barsieve.replay.learned_tables import LearnedTables
from barsieve.replay.ledger import ENTRY
from barsieve.replay.runs import FULL, Inputs, Run, accounts, replay
from barsieve.replay.sizing import CONSTANT, KELLY, SIZING
from barsieve.replay.state import FLAT

LEARNED, SAME_RISK = "kelly", "constant, same mean risk"
KINDS = tuple(name for name in SIZING if name != LEARNED)
HORIZON_TRADES, RUIN_LEVEL, BLOCK_TRADES, RUIN_DRAWS = 500, 0.5, 10, 2_000
"""Ruin: the account falls to this share of its start within so many trades."""
BINS, SEED = 5, 20_260_101


class Account(NamedTuple):
    """A replay with one kind of size, from a moment on.

    `growth`, shape (n_days,): log returns of days, of the days `day`; `returns`, shape
    (n_trades,): net results as shares of the balance before.
    """

    run: Run
    growth: np.ndarray
    day: np.ndarray
    equity: np.ndarray
    hours: np.ndarray
    returns: np.ndarray
    capital: float


def from_moment(inputs: Inputs, moment: int) -> Inputs:
    """Return inputs that decide no entry before a moment, in µs."""
    bars = inputs.bars.copy()
    is_before = inputs.opens < moment
    bars.is_eligible &= ~is_before
    bars.side = np.where(is_before, FLAT, bars.side)
    return inputs._replace(bars=bars)


def _sized(inputs: Inputs, kind: int, **changes: float) -> Inputs:
    rules = inputs.profile.rules._replace(sizing_kind=kind, **changes)
    return inputs._replace(profile=with_fields(inputs.profile, rules=rules))


def _capital(run: Run) -> float:
    """Return the mean share of the balance that was bound as margin at a close."""
    legs, trades = run.legs, run.trades
    is_entry = legs.kind == ENTRY
    balance = legs.balance[is_entry] + legs.fee[is_entry] + legs.slippage[is_entry]
    notional = legs.price[is_entry] * legs.qty[is_entry]
    margin = notional / run.inputs.profile.rules.leverage / balance
    held = trades.bars_held[legs.trade[is_entry]]
    return float((margin * held).sum() / max(len(run.inputs.hours), 1))


def account_of(inputs: Inputs, moment: int) -> Account:
    """Replay inputs from a moment on, and look at the account."""
    run = replay(inputs, FULL)
    marks = marks_of([run])
    inside = marks.bar_ts >= moment
    equity, hours = marks.equity[inside], marks.bar_ts[inside]
    closes = np.maximum(equity[ends_of_days(hours // DAY_US)], 1e-9)
    start = float(inputs.profile.start_balance)
    entered = run.legs[run.legs.kind == ENTRY]
    before = entered.balance + entered.fee + entered.slippage
    return Account(
        run=run,
        growth=np.diff(np.log(np.concatenate([[start], closes]))),
        day=np.unique(hours // DAY_US),
        equity=np.concatenate([[start], equity]),
        hours=hours,
        returns=nets_of(run) / before,
        capital=_capital(run),
    )


def chance_of_ruin(returns: np.ndarray) -> float:
    """Return the share of draws of trades that fall to `RUIN_LEVEL` of the start.

    Circular blocks of `BLOCK_TRADES` trades, over `HORIZON_TRADES`. NaN of too few.
    """
    if len(returns) < LEAST_TRADES:
        return float("nan")
    rng = np.random.default_rng(SEED)
    n_blocks = -(-HORIZON_TRADES // BLOCK_TRADES)
    first = rng.integers(0, len(returns), (RUIN_DRAWS, n_blocks))
    places = (first[:, :, None] + np.arange(BLOCK_TRADES)) % len(returns)
    moves = np.log1p(np.maximum(returns, -1 + 1e-12))[places.reshape(RUIN_DRAWS, -1)]
    lowest = np.cumsum(moves[:, :HORIZON_TRADES], axis=1).min(axis=1)
    return float((lowest <= np.log(RUIN_LEVEL)).mean())


def account_rows(name: str, account: Account, sample: str) -> Iterator[dict[str, Any]]:
    """Yield the figures of an account with one kind of size."""
    about, equity = f"account, {sample}", account.equity
    years = years_of(account.hours)
    daily = np.expm1(account.growth)
    water = under_water(equity[1:], account.hours)
    ruin = (
        f"to {RUIN_LEVEL:.0%} of the start within {HORIZON_TRADES} trades, drawn in "
        f"blocks of {BLOCK_TRADES}"
    )
    yield row(about, name, "trades", len(account.run.trades))
    yield row(about, name, "cagr", annual_growth(equity[0], equity[-1], years))
    yield row(about, name, "sharpe", float(annual_sharpe(daily)))
    yield row(about, name, "max_drawdown", max_drawdown(equity))
    yield row(about, name, "under_water_share", water["under_water_share"])
    ruined = chance_of_ruin(account.returns)
    yield row(about, name, "chance_of_ruin", ruined, note=ruin)
    yield row(about, name, "capital_used", account.capital)


def less_rows(
    learned: Account, others: dict[str, Account], sample: str
) -> Iterator[dict[str, Any]]:
    """Yield by how much the learned size grew faster, log growth a year."""
    n_days, names = len(learned.growth), list(others)
    if n_days < 2 or len(learned.run.trades) < LEAST_TRADES:
        return
    less = np.stack([learned.growth - others[name].growth for name in names]) * 365
    drawn = less[:, drawn_days(n_days)].mean(axis=2)
    points = less.mean(axis=1)
    low, high, tried = simultaneous(points, drawn, np.full(len(points), n_days))
    note = f"intervals hold {tried} comparisons at once"
    for place, name in enumerate(names):
        yield row(
            f"learned less, {sample}", name, "log_growth_a_year", points[place],
            low[place], high[place], note,
        )  # fmt: skip


def mean_share(inputs: Inputs, run: Run) -> float:
    """Return the mean share at risk of the entries that a learned size made."""
    rules = inputs.profile.rules
    kelly = inputs.bars.kelly_share[run.trades.decision_index]
    shares = np.nan_to_num(rules.kelly_fraction * kelly, nan=rules.risk_min)
    if not len(shares):
        return float(rules.sizing_risk)
    return float(np.clip(shares, rules.risk_min, rules.risk_max).mean())


def kinds_rows(inputs: Inputs, moment: int, sample: str) -> Iterator[dict[str, Any]]:
    """Yield the figures of all kinds of size, and the learned one less the others."""
    inputs = from_moment(inputs, moment)
    own = _sized(inputs, KELLY)
    learned = account_of(own, moment)
    others = {name: account_of(_sized(inputs, SIZING[name]), moment) for name in KINDS}
    same = _sized(inputs, CONSTANT, sizing_risk=mean_share(own, learned.run))
    others[SAME_RISK] = account_of(same, moment)
    yield from account_rows(LEARNED, learned, sample)
    if sample == OUT:
        for name, account in others.items():
            yield from account_rows(name, account, sample)
    yield from less_rows(learned, others, sample)


def expected_of(found: Results, months: list[Month]) -> tuple[Expected, np.ndarray]:
    """Return what the models said of trades of their months, and which trades."""
    of_trade = found.decided_at.astype("datetime64[us]").astype("datetime64[M]")
    parts, chosen = list[Expected](), list[np.ndarray]()
    for month in months:
        own = np.flatnonzero(of_trade == np.datetime64(month.month, "M"))
        parts.append(month.model.expect(found.seen[own]))
        chosen.append(own)
    if not parts:
        nothing = np.empty(0)
        return Expected(nothing, nothing, nothing), np.empty(0, np.int64)
    joined = Expected(*(np.concatenate(p) for p in zip(*parts, strict=True)))
    return joined, np.concatenate(chosen)


def calibration_rows(found: Results, months: list[Month]) -> Iterator[dict[str, Any]]:
    """Yield how often trades won that were expected to as often, by fifths."""
    expected, chosen = expected_of(found, months)
    if len(chosen) < LEAST_TRADES:
        return
    order = np.argsort(expected.probability, kind="stable")
    is_win = found.r[chosen] > 0
    for number, part in enumerate(np.array_split(order, BINS), start=1):
        said = expected.probability[part].mean()
        yield row("calibration", f"fifth {number}", "expected_share", said)
        yield row("calibration", f"fifth {number}", "won_share", is_win[part].mean())
    expected_r = expected.probability * expected.win_r
    expected_r -= (1 - expected.probability) * expected.loss_r
    spread = np.square(found.r[chosen] - found.r[chosen].mean()).sum()
    errors = np.square(found.r[chosen] - expected_r).sum()
    yield row("model", "result", "r2_" + OUT, 1 - errors / spread if spread else np.nan)


def verdict(rows: list[dict[str, Any]]) -> tuple[float, str]:
    """Return 1 or 0 and a sentence: a size pays that grows faster than all others."""
    about = f"learned less, {OUT}"
    less = [r for r in rows if r["section"] == about]
    if not less:
        return 0.0, "nothing can be said: too few trades out of sample."
    same = next(r for r in less if r["subject"] == SAME_RISK)
    inside = [
        r
        for r in rows
        if r["section"] == f"learned less, {IN}" and r["subject"] == SAME_RISK
    ]
    told = (
        f"{same['value']:+.3f} log growth a year beyond the same mean risk out of "
        f"sample ({same['low']:+.3f} to {same['high']:+.3f})"
    )
    if inside:
        told += f", {inside[0]['value']:+.3f} in sample"
    left = [r["subject"] for r in less if r["low"] is None or not r["low"] > 0]
    if left:
        return 0.0, f"not worth sizing by: {told}; not beyond: {', '.join(left)}."
    return 1.0, f"worth sizing by, beyond every other kind: {told}."


def _with_shares(inputs: Inputs, shares: np.ndarray) -> Inputs:
    bars = inputs.bars.copy()
    bars.kelly_share = shares
    return inputs._replace(bars=bars)


def judge(
    inputs: Inputs, found: Results, months: list[Month], seen: np.ndarray
) -> list[dict[str, Any]]:
    """Return the figures of an account's sizes, the verdict last.

    `seen`, shape (n_bars, n_seen): what the model sees of each bar.
    """
    made: list[dict[str, Any]] = [row("model", "months", "fitted", len(months))]
    if months:
        moment = start_of(months[0].month)
        made += kinds_rows(inputs, moment, OUT)
        last = months[-1].model.expect(seen).kelly
        made += kinds_rows(_with_shares(inputs, last), moment, IN)
        made += calibration_rows(found, months)
    is_worth, sentence = verdict(made)
    made.append(row("verdict", "all", "edge", is_worth, note=sentence))
    return made


@empty_without("ml", schemas.SIZING_FIGURES)
def sizing_figures(
    profiles: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    windows: DuckDBPyRelation,
    results: DuckDBPyRelation,
    exits: DuckDBPyRelation,
    seen: DuckDBPyRelation,
) -> pa.Table:
    """Return the figures of every account whose sizes are learned.

    Relations of the built database: `config_symbols`, `replay_bars`, `candidates`,
    `candidate_windows`, `shadow_results`, `exit_learned` and `shadow_seen`.
    """
    made, tables = [], LearnedTables(exits, seen)
    learners = profiles.filter(LEARNERS)
    for inputs in accounts(learners, bars, candidates, windows, tables):
        name = inputs.profile.profile
        last = last_moment(seen, name)
        found = read_results(results, seen, name)
        months = list(walk(found, last)) if last is not None else []
        at_bars = expected_at_bars(seen, name, [p.symbol for p in inputs.symbols])
        about = {"profile": name, "symbol": inputs.profile.symbol}
        made += [about | figure for figure in judge(inputs, found, months, at_bars)]
    return pa.Table.from_pylist(made, schema=schemas.SIZING_FIGURES)
