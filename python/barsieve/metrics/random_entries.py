"""Random entries: how many replays of the same signals at other times do as well.

(k + 1) / (n + 1), where k of n draws did at least as well. Signals that know nothing of
what follows give a number that is uniform between 0 and 1, whatever they cost; a small
one is timing. By net result, by mean R and by mean R before costs, for a net result
is mostly the number and the size of the trades.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyRelation

from barsieve.core import schemas
from barsieve.core.remembered import Kept, packed, recall, unpacked
from barsieve.metrics.account import marks_of, nets_of
from barsieve.metrics.performance import DAY_US, of_equity, of_results
from barsieve.metrics.shifts import DRAWS, Draws
from barsieve.replay.learned_tables import LearnedTables
from barsieve.replay.ledger import ENTRY, FUNDING
from barsieve.replay.runs import Inputs, Run, accounts

LEAST_DRAWS = 99
"""With fewer nothing is said."""
LEAST_DISTINCT = 20
"""Different results that the draws must have; fewer are the same trades again."""
SEED = 20_260_101


class Earned(NamedTuple):
    """Result of a replay by the three measures of luck; R of no trade is 0.

    `net_pnl` in USD with all costs, the means of R with them and without any.
    """

    net_pnl: float
    mean_r: float
    gross_r: float


LUCKS = {"luck": "net_pnl", "luck_mean_r": "mean_r", "luck_gross_r": "gross_r"}


def earned(run: Run) -> Earned:
    """Return what a replay earned."""
    legs, nets = run.legs, nets_of(run)
    if not len(nets):
        return Earned(0.0, 0.0, 0.0)
    is_entry, moved = legs.kind == ENTRY, np.where(legs.kind == FUNDING, 0, legs.amount)
    gross = np.bincount(legs.trade, moved, minlength=len(nets))
    qty = np.bincount(legs.trade[is_entry], legs.qty[is_entry], len(nets))
    risked = run.trades.risk_distance * qty
    return Earned(
        float(nets.sum()), float((nets / risked).mean()), float((gross / risked).mean())
    )


def at_least_as_good(own: float, drawn: np.ndarray) -> float:
    """Return (k + 1) / (n + 1), where k of n draws did at least as well."""
    return (int(np.count_nonzero(drawn >= own)) + 1) / (len(drawn) + 1)


def _whole(is_judged: np.ndarray) -> np.ndarray:
    """Return the hours from the first to the last that is judged."""
    inside = np.flatnonzero(is_judged)
    whole = np.zeros(len(is_judged), bool)
    if len(inside):
        whole[inside[0] : inside[-1] + 1] = True
    return whole


def _row(run: Run, hours: np.ndarray, is_judged: np.ndarray) -> dict[str, object]:
    marks = marks_of([run], hours)
    days = marks.bar_ts[is_judged] // DAY_US
    return {
        **of_results(nets_of(run)),
        **earned(run)._asdict(),
        **of_equity(marks.equity[is_judged], days),
        "costs": float((run.legs.fee + run.legs.slippage).sum()),
    }


class Sample(NamedTuple):
    """A profile's own trades and result, and those of its draws.

    `places`: bars of the track. `tried`, `accepted`: shifts of all signals, and those
    of them that traded as often. `kept`: mean share of the signals that draws kept;
    `own_kept`: that of the profile, whose `own` result is then without the others.
    """

    own_trades: int
    own: Earned
    places: int
    tried: int
    accepted: int
    kept: float
    own_kept: float
    rows: list[dict[str, Any]]


def sample(inputs: Inputs, rng: np.random.Generator, n_draws: int = DRAWS) -> Sample:
    """Replay a profile with its signals at random times, which its bars then have."""
    hours, is_judged = inputs.hours, _whole(inputs.is_judged)
    draws = Draws(inputs, rng, inputs.bars)
    drawn = draws.take(n_draws)
    rows = [
        {"draw": k, "shift": one.shift, "kept": one.kept}
        | _row(one.run, hours, is_judged)
        for k, one in enumerate(drawn)
    ]
    return Sample(
        len(draws.own.trades), earned(draws.own), draws.places, draws.tried,
        draws.accepted, float(np.mean([one.kept for one in drawn] or [1.0])),
        draws.own_kept, rows,
    )  # fmt: skip


def why_untold(found: Sample) -> str | None:
    """Return why nothing can be said of luck; None where it can."""
    n = len(found.rows)
    if not found.own_trades:
        return "no trade"
    if found.places <= LEAST_DRAWS:
        return f"signals can be moved along {found.places} bars only"
    if n < LEAST_DRAWS:
        return (
            f"{found.accepted} of {found.tried} shifts trade as often as the profile, "
            f"{LEAST_DRAWS} wanted"
        )
    distinct = len({row["net_pnl"] for row in found.rows} | {found.own.net_pnl})
    if distinct < LEAST_DISTINCT:
        return f"the shifts have {distinct} different results only"
    return None


def luck_of(found: Sample) -> dict[str, object]:
    """Return luck by each measure, or None and why."""
    note, lucks = why_untold(found), dict.fromkeys(LUCKS)
    if note is None:
        for name, measure in LUCKS.items():
            drawn = np.array([row[measure] for row in found.rows])
            lucks[name] = at_least_as_good(getattr(found.own, measure), drawn)
        if found.kept < 1.0:
            note = (
                f"shifts trade more often; {1 - found.kept:.1%} of the signals were "
                "left out at random"
            )
        elif found.own_kept < 1.0:
            note = (
                f"shifts trade less often; {1 - found.own_kept:.1%} of the profile's "
                "signals were left out at random"
            )
    return lucks | {
        "luck_draws": len(found.rows),
        "luck_acceptance": found.accepted / found.tried if found.tried else None,
        "luck_note": note,
    }


def _of_account(inputs: Inputs) -> Kept:
    """Return luck and draws of an account, to be remembered by its inputs."""
    rng = np.random.default_rng([SEED, *inputs.profile.profile.encode()])
    found = sample(inputs, rng)
    return {"luck": packed(luck_of(found) | {"draws": found.rows})}


def draw_random_entries(
    profiles: DuckDBPyRelation,
    bars: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    windows: DuckDBPyRelation,
    exits: DuckDBPyRelation,
    seen: DuckDBPyRelation,
) -> pa.Table:
    """Return luck and draws of every account: the rows of `evaluation_random_entries`.

    Parameters are relations of the built database. Randomness comes from `SEED` and
    the profile's name alone: a draw does not depend on which other profiles exist.
    """
    rows = []
    for inputs in accounts(
        profiles, bars, candidates, windows, LearnedTables(exits, seen)
    ):
        profile = inputs.profile
        kept = recall("random entries", inputs, partial(_of_account, inputs))
        about = {"profile": profile.profile, "symbol": profile.symbol}
        rows.append(about | unpacked(kept["luck"]))
    return pa.Table.from_pylist(rows, schema=schemas.RANDOM_ENTRY_RUNS)
