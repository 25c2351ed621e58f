-- Ordered sums: equal legs give equal bits.
with legs as (
    select
        entries,
        draw,
        profile,
        symbol,
        trade_id,
        side,
        decision_ts,
        risk_distance,
        exit_reason,
        unnest(legs, recursive := true),
    from {{ ref('shadow_positions') }}
)

select
    entries,
    draw,
    profile,
    symbol,
    trade_id,
    side,
    decision_ts,
    exit_reason,
    sum(amount - fee - slippage order by account_leg)
    / (any_value(risk_distance) * any_value(qty) filter (where kind = 'entry'))
        as r_multiple,
    max(ts) + interval '1 hour' as known_at,
from legs
group by all
