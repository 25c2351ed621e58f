-- Trades are matched on the decision that opened them; every other field must agree,
-- and so must every stop that was in force.
with stops as (
    select
        replayed,
        profile,
        symbol,
        trade_id,
        list(struct_pack(bar_ts, stop, reason) order by bar_ts) as stops,
    from {{ ref('trade_stops') }}
    group by replayed, profile, symbol, trade_id
),

full_trades as (
    select * from {{ ref('trades') }}
    left join stops using (replayed, profile, symbol, trade_id)
    where replayed = 'full'
),

focused_trades as (
    select * from {{ ref('trades') }}
    left join stops using (replayed, profile, symbol, trade_id)
    where replayed = 'focused'
),

pairs as (
    select
        profile,
        symbol,
        decision_ts,
        one.trade_id as full_trade_id,
        other.trade_id as focused_trade_id,
        concat_ws(
            ',',
            if(one.side is distinct from other.side, 'side', null),
            if(one.entry_ts is distinct from other.entry_ts, 'entry_ts', null),
            if(one.entry_price is distinct from other.entry_price, 'entry_price', null),
            if(one.exit_ts is distinct from other.exit_ts, 'exit_ts', null),
            if(one.exit_price is distinct from other.exit_price, 'exit_price', null),
            if(one.qty is distinct from other.qty, 'qty', null),
            if(one.gross_pnl is distinct from other.gross_pnl, 'gross_pnl', null),
            if(one.fees is distinct from other.fees, 'fees', null),
            if(one.slippage is distinct from other.slippage, 'slippage', null),
            if(one.funding is distinct from other.funding, 'funding', null),
            if(one.net_pnl is distinct from other.net_pnl, 'net_pnl', null),
            if(one.r_multiple is distinct from other.r_multiple, 'r_multiple', null),
            if(one.bars_held is distinct from other.bars_held, 'bars_held', null),
            if(one.exit_reason is distinct from other.exit_reason, 'exit_reason', null),
            if(one.confidence is distinct from other.confidence, 'confidence', null),
            if(one.threshold is distinct from other.threshold, 'threshold', null),
            if(one.loss_streak is distinct from other.loss_streak, 'loss_streak', null),
            if(
                one.threshold_shift_after is distinct from other.threshold_shift_after,
                'threshold_shift_after',
                null
            ),
            if(one.shortfall is distinct from other.shortfall, 'shortfall', null),
            if(one.weights is distinct from other.weights, 'weights', null),
            if(one.stops is distinct from other.stops, 'stops', null),
            if(one.regime is distinct from other.regime, 'regime', null),
            if(one.trade_id is distinct from other.trade_id, 'trade_id', null)
        ) as fields_that_differ,
    from full_trades as one
    full outer join focused_trades as other using (profile, symbol, decision_ts)
)

select
    profile,
    symbol,
    decision_ts,
    full_trade_id,
    focused_trade_id,
    case
        when focused_trade_id is null then 'missing'
        when full_trade_id is null then 'invented'
        when fields_that_differ = '' then 'identical'
        else 'differs'
    end as verdict,
    case
        when full_trade_id is not null and focused_trade_id is not null
            then nullif(fields_that_differ, '')
    end as fields_that_differ,
from pairs
