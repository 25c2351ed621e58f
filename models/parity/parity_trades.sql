-- Trades are matched on the decision that opened them; every other field must agree,
-- and so must every stop that was in force.
with stops as (
    select
        replayed,
        profile,
        symbol,
        trade_id,
        list(struct_pack(bar_ts, stop, reason) order by bar_ts) as stops,
    from {{ ref('replay_stops') }}
    group by replayed, profile, symbol, trade_id
),

full_trades as (
    select * from {{ ref('replay_trades') }}
    left join stops using (replayed, profile, symbol, trade_id)
    where replayed = 'full'
),

focused_trades as (
    select * from {{ ref('replay_trades') }}
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
        {{ fields_that_differ(
            'replay_trades', 'one', 'other',
            but=['replayed', 'profile', 'symbol', 'decision_ts'],
            last=['stops', 'regime', 'trade_id'],
        ) }} as fields_that_differ,
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
