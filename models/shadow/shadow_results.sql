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
        unnest(legs) as leg,
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
    sum(leg.amount - leg.fee - leg.slippage order by leg.account_leg)
    / (
        any_value(risk_distance) * any_value(leg.qty) filter (where leg.kind = 'entry')
    ) as r_multiple,
    max(leg.ts) + interval '1 hour' as known_at,
from legs
group by all
