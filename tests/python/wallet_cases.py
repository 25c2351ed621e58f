"""Random markets of many symbols for one wallet: holes, listings, delistings, ties."""

from typing import NamedTuple

import numpy as np

from barsieve.profiles.rules import NEVER, OFF, Rules
from barsieve.replay.ledger import Ledger
from barsieve.replay.wallet import replay_wallet_into_ledger
from replay_cases import BALANCE, entries_of, random_bars, random_rules

BEGIN = 480_000


class Case(NamedTuple):
    """Rows of a market as `replay_wallet_into_ledger` takes them, rules and a start."""

    bars: np.recarray
    hours: np.ndarray
    first: np.ndarray
    rules: Rules
    balance: float = BALANCE


def laid_out(
    parts: list[tuple[np.recarray, np.ndarray]], rules: Rules, balance: float = BALANCE
) -> Case:
    """Return symbols, each its bars and the hours of these, as rows of one market."""
    bars = np.concatenate([part for part, _ in parts])
    bars["index"] = np.arange(len(bars))
    return Case(
        bars=bars.view(np.recarray),
        hours=np.concatenate([hours for _, hours in parts]).astype(np.int64),
        first=np.cumsum([0, *(len(part) for part, _ in parts)]).astype(np.int64),
        rules=rules,
        balance=balance,
    )


def symbol_over(rng: np.random.Generator, hours: np.ndarray) -> np.recarray:
    """Return a lively symbol with a bar at each of some hours."""
    bars = random_bars(rng, len(hours))
    bars.hours_since[:] = np.diff(hours, prepend=np.nan)
    bars.has_sentinel = rng.random(len(hours)) < 0.97
    return bars


def random_hours(rng: np.random.Generator, n_hours: int) -> np.ndarray:
    """Return the hours of a symbol: listed late or delisted early, some missing."""
    begin = rng.choice([0, 0, rng.integers(n_hours)])
    end = rng.choice([n_hours, n_hours, rng.integers(begin, n_hours + 1)])
    is_there = rng.random(n_hours) >= rng.choice([0.0, 0.02, 0.3])
    for _ in range(rng.integers(3)):
        hole = rng.integers(n_hours)
        is_there[hole : hole + rng.integers(1, 200)] = False
    hours = np.flatnonzero(is_there)
    return BEGIN + hours[(hours >= begin) & (hours < end)]


def wallet_rules(rng: np.random.Generator, is_reckless: bool) -> Rules:
    """Return random rules that bind: little margin, few positions, early delistings."""

    def one_of(*values):
        return values[rng.integers(len(values))]

    rules = random_rules(rng)._replace(
        max_positions=one_of(1, 2, 3, NEVER, NEVER),
        delisted_after_hours=one_of(3.0, 24.0, 24.0, 168.0, OFF),
        margin_cap=one_of(0.2, 0.5, 1.0),
        risk_max=one_of(0.02, 0.05),
        min_notional=one_of(10.0, 10.0, 1_500.0),
    )
    if not is_reckless:
        return rules
    return rules._replace(
        risk_min=one_of(0.1, 0.5), risk_max=1.0, risk_cap=1.0,
        leverage=one_of(50.0, 125.0), margin_cap=1.0,
    )  # fmt: skip


def random_case(seed: int, n_symbols: int | None = None, n_hours: int = 240) -> Case:
    """Return a random market; every third is one that accounts are lost in.

    In every other confidences are of few values and signals come together, so that
    orders compete and tie.
    """
    rng = np.random.default_rng(seed)
    is_busy = rng.random(n_hours) < rng.choice([0.3, 0.6])
    parts = []
    for _ in range(n_symbols or rng.integers(1, 7)):
        hours = random_hours(rng, n_hours)
        bars = symbol_over(rng, hours)
        if seed % 2:
            bars.confidence = np.round(bars.confidence, 1)
            bars.is_eligible = is_busy[hours - BEGIN]
        if seed % 3 == 0:
            bars.funding_settled *= 30
            if len(bars):
                jump = rng.integers(len(bars))
                for name in ("open", "high", "low", "close"):
                    bars[name][jump:] *= rng.choice([0.3, 3.0])
        parts.append((bars, hours))
    return laid_out(parts, wallet_rules(rng, seed % 3 == 0))


def full(case: Case) -> Ledger:
    """Replay a case in full."""
    nowhere = np.empty(0, np.int64)
    bars, hours, first, rules, balance = case
    return replay_wallet_into_ledger(bars, rules, balance, hours, first, nowhere, False)


def focused(case: Case, entry_rows: np.ndarray | None = None) -> Ledger:
    """Replay a case where a signal may be taken, or at rows that are given."""
    bars, hours, first, rules, balance = case
    rows = entries_of(bars, rules) if entry_rows is None else entry_rows
    return replay_wallet_into_ledger(bars, rules, balance, hours, first, rows, True)
