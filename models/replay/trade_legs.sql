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
        trade.trade_id as trade_id,
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
    leg.kind as kind,
    leg.ts as ts,
    leg.price as price,
    leg.qty as qty,
    leg.amount as amount,
    leg.fee as fee,
    leg.slippage as slippage,
    leg.position as position,
    leg.balance as balance,
from legs
