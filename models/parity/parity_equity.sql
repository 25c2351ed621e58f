{#- USD at the shipped balance of 10,000; doubles are relative, so it grows with it. -#}
{%- set equity_tolerance = 1e-9 -%}

with legs as (
    select
        replayed,
        profile,
        symbol,
        sum(amount - fee - slippage order by trade_id, leg) as net_of_legs,
    from {{ ref('trade_legs') }}
    group by replayed, profile, symbol
),

sums_of_trades as (
    select
        replayed,
        profile,
        symbol,
        sum(net_pnl order by trade_id) as net_of_trades,
    from {{ ref('trades') }}
    group by replayed, profile, symbol
),

last_marks as (
    select
        replayed,
        profile,
        symbol,
        arg_max(equity, bar_ts) as last_equity,
    from {{ ref('equity') }}
    group by replayed, profile, symbol
),

ends as (
    select
        runs.replayed,
        runs.profile,
        runs.symbol,
        runs.start_balance,
        runs.end_balance,
        runs.start_balance + coalesce(legs.net_of_legs, 0) as start_and_legs,
        runs.start_balance + coalesce(sums_of_trades.net_of_trades, 0)
            as start_and_trades,
        last_marks.last_equity,
        {{ equity_tolerance }} * greatest(1, runs.start_balance / 10000) as tolerance,
    from {{ ref('replay_runs') }} as runs
    left join legs using (replayed, profile, symbol)
    left join sums_of_trades using (replayed, profile, symbol)
    left join last_marks using (replayed, profile, symbol)
)

select
    *,
    case
        when
            abs(end_balance - start_and_legs) <= tolerance
            and abs(end_balance - start_and_trades) <= tolerance
            and abs(end_balance - last_equity) <= tolerance
            then 'identical'
        else 'differs'
    end as verdict,
from ends
