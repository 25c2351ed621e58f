with runs as (
    select
        replayed,
        profile,
        symbol,
        unnest(trades) as trade,
    from {{ ref('replay_runs') }}
),

legs as (
    select
        replayed,
        profile,
        symbol,
        trade.trade_id,
        generate_subscripts(trade.legs, 1) as leg_number,
        unnest(trade.legs) as leg,
    from runs
)

select
    replayed,
    profile,
    symbol,
    trade_id,
    leg_number::integer as leg,
    leg.kind,
    leg.ts,
    leg.price,
    leg.qty,
    leg.amount,
    leg.fee,
    leg.slippage,
    leg.position,
    leg.balance,
from legs
