"""The regime at a moment: state, probabilities, inputs with their ages, shift."""

from datetime import datetime
from typing import Any

import duckdb

from barsieve.core.arrow import rows_of
from barsieve.replay.decimals import sum_of_decimals

_BELIEFS = """
select
    classifier, fit_window, reference_symbol, believed_at,
    epoch($at::timestamptz - believed_at) / 3600 as age_hours,
    p_risk_on, p_neutral, p_risk_off, p_crisis, most_likely,
    $at > stale_at as is_stale,
    epoch(stale_at - believed_at) / 3600 as stale_after_hours,
    case when is_stale then 'unknown' else coalesce(days.regime, 'unknown')
        end as regime,
    case days.regime when 'risk_on' then p_risk_on when 'neutral' then p_neutral
        when 'risk_off' then p_risk_off when 'crisis' then p_crisis end as probability,
    case when not is_stale and probability > 0
        then policy.threshold_shift * probability else 0 end as threshold_shift,
    fit_at
from (
    select *, known_at as believed_at from regime_days where known_at <= $at
    qualify row_number() over (
        partition by classifier, fit_window, reference_symbol order by known_at desc
    ) = 1
) as days
left join regime_policy as policy on days.regime = policy.regime
order by classifier, fit_window, reference_symbol
"""

_INPUTS = """
with readings as (
    select * from features where symbol = $symbol and known_at <= $at
    order by known_at desc limit 1
)
select unnest([
    {'input': 'vix', 'value': vix, 'known': vix_age_hours, 'known_at': known_at},
    {'input': 'move', 'value': move, 'known': move_age_hours, 'known_at': known_at},
    {'input': 'dxy', 'value': dxy, 'known': dxy_age_hours, 'known_at': known_at},
    {'input': 'realized_vol_24', 'value': realized_vol_24, 'known': 0,
     'known_at': known_at}
], recursive := true)
from readings
"""

_PROFILES = """
select
    profile, symbol, classifier, fit_window, reference_symbol, entry_threshold, learned
from config_symbols order by profile, symbol
"""

# For the bar that closed last, within the envelope, as `fusion_scores` has it.
_LEARNED = """
with closed as (
    select symbol, max(bar_ts) as bar_ts from bars_1h where known_at <= $at
    group by symbol
)
select greatest(any_value(threshold), any_value(lowest_threshold)) as threshold
from fusion_learned
inner join config_envelopes using (profile)
inner join closed using (symbol)
where profile = $profile and symbol = $symbol and regime = $regime
    and month = strftime(closed.bar_ts, '%Y-%m')
having count(*) > 0
"""


def _inputs(connection, symbol: str, at: datetime) -> list[dict[str, Any]]:
    """Return each input of a reference symbol with its age in hours at the moment."""
    rows = rows_of(connection.execute(_INPUTS, {"symbol": symbol, "at": at}))
    return [
        {
            "reference_symbol": symbol,
            "input": row["input"],
            "value": row["value"],
            "age_hours": None
            if row["known"] is None
            else row["known"] + (at - row["known_at"]).total_seconds() / 3600,
        }
        for row in rows
    ]


def regime_at(connection: duckdb.DuckDBPyConnection, at: datetime) -> dict[str, Any]:
    """Return `beliefs`, `inputs` and `profiles` as known at a moment with a time zone.

    A belief that is stale shifts nothing: its regime is `unknown`.
    """
    beliefs = rows_of(connection.execute(_BELIEFS, {"at": at}))
    inputs = [
        row
        for symbol in sorted({belief["reference_symbol"] for belief in beliefs})
        for row in _inputs(connection, symbol, at)
    ]
    keys = ("classifier", "fit_window", "reference_symbol")
    by_run = {tuple(b[k] for k in keys): b for b in beliefs}
    profiles = []
    for profile in rows_of(connection.execute(_PROFILES)):
        belief = by_run.get(tuple(profile[k] for k in keys))
        shift = belief["threshold_shift"] if belief else 0.0
        is_off = profile["classifier"] == "off"
        regime = "off" if is_off else belief["regime"] if belief else "unknown"
        if profile["learned"]:
            where = {"profile": profile["profile"], "at": at}
            where["symbol"] = profile["symbol"]
            where["regime"] = "unknown" if is_off else regime
            for learned in rows_of(connection.execute(_LEARNED, where)):
                profile["entry_threshold"] = learned["threshold"]
        profiles.append(
            profile
            | {
                "regime": regime,
                "threshold_shift": shift,
                "threshold": sum_of_decimals(profile["entry_threshold"], shift),
            }
        )
    return {"at": at, "beliefs": beliefs, "inputs": inputs, "profiles": profiles}
