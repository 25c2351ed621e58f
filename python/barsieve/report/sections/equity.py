"""Equity marked to market, drawdown, and the return of each month."""

from typing import Any

import numpy as np

from barsieve.metrics.performance import max_drawdown, peaks
from barsieve.report.section import Section
from barsieve.report.source import Source

CURVES = """
    select
        epoch(bars_1h.bar_ts) as at,
        full_replay.equity as full_replay,
        focused_replay.equity as focused_replay,
    from bars_1h
    left join equity as full_replay
        on full_replay.symbol = bars_1h.symbol and full_replay.bar_ts = bars_1h.bar_ts
        and full_replay.profile = $profile and full_replay.replayed = 'full'
    left join equity as focused_replay
        on focused_replay.symbol = bars_1h.symbol
        and focused_replay.bar_ts = bars_1h.bar_ts
        and focused_replay.profile = $profile and focused_replay.replayed = 'focused'
    where bars_1h.symbol = $symbol
    order by bars_1h.bar_ts
"""
# A month's return is on the equity at the end of the month before.
MONTHS = """
    with marks as (
        select
            year(bar_ts) as year,
            month(bar_ts) as month,
            arg_max(equity, bar_ts) as equity,
        from equity where profile = $profile and replayed = 'full'
        group by all
    )
    select
        year,
        month,
        equity
        / nullif(coalesce(lag(equity) over (order by year, month), $start), 0) - 1
            as return_share,
    from marks order by year, month
"""


def _decimals(balance: float) -> int:
    """Return the decimals of a hundred-thousandth of a percent of the balance."""
    return int(np.clip(7 - np.ceil(np.log10(max(balance, 1e-9))), 0, 9))


def _profile(source: Source, profile: dict[str, Any]) -> dict[str, Any]:
    name, start = profile["profile"], profile["start_balance"]
    curves = source.arrays(CURVES, profile=name, symbol=profile["symbol"])
    pack, decimals, full = source.pack, _decimals(start), curves["full_replay"]
    at = pack.rounded(curves.pop("at"), 0)
    packed = {k: pack.rounded(curve, decimals) for k, curve in curves.items()}
    return {
        **packed,
        "at": at,
        "falls": pack.falls(packed["full_replay"], pack.rounded(peaks(full), decimals)),
        "max_drawdown": max_drawdown(full),
        "start_balance": start,
        "months": source.rows(MONTHS, profile=name, start=start),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return the curves of both replays and the months of the full one, by profile."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


SECTION = Section("equity", "Equity", ("equity", "bars_1h"), collect)
