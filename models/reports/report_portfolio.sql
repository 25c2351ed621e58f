-- What each symbol of a profile contributed, what it held and what found no room; the
-- whole, `*`, beside an equal part of the money in each symbol, held.
with money as (
    select
        profile,
        sum(start_balance order by account) as start_balance,
    from {{ ref('replay_runs') }}
    where replayed = 'full'
    group by profile
),

hold as (
    select
        profile,
        symbol,
        return_share as hold_return_share,
        sharpe as hold_sharpe,
        max_drawdown as hold_max_drawdown,
    from {{ ref('report_performance') }}
    where strategy = 'buy_and_hold'
),

-- Each pair from both of its ends and of the whole; what all others are to one, once.
pairs as (
    select
        profile,
        unnest(if(other_symbol = '*', [symbol], [symbol, other_symbol, '*'])) as symbol,
        symbol || ' ' || other_symbol as pair,
        other_symbol = '*' as is_rest,
        correlation,
    from {{ ref('report_correlations') }}
),

correlations as (
    select
        profile,
        symbol,
        avg(correlation order by pair) filter (where not is_rest) as mean_correlation,
        max(correlation) filter (where is_rest) as correlation_with_rest,
    from pairs
    group by profile, symbol
)

select
    profile,
    symbol,
    own.trades,
    own.net_pnl,
    own.net_pnl / money.start_balance as contribution,
    own.return_share,
    own.sharpe,
    own.max_drawdown,
    own.exposure,
    exposures.* exclude (profile, symbol),
    orders.refused::integer as refused,
    orders.no_room::integer as no_room,
    orders.lapsed::integer as lapsed,
    coalesce(exits.delisted_exits, 0) as delisted_exits,
    coalesce(exits.delisted_net_pnl, 0) as delisted_net_pnl,
    coalesce(exits.end_of_data_exits, 0) as end_of_data_exits,
    coalesce(exits.end_of_data_net_pnl, 0) as end_of_data_net_pnl,
    correlations.mean_correlation,
    correlations.correlation_with_rest,
    hold.* exclude (profile, symbol),
from {{ ref('report_performance') }} as own
inner join money using (profile)
left join hold using (profile, symbol)
left join {{ ref('evaluation_exposures') }} as exposures using (profile, symbol)
left join {{ ref('evaluation_gate_counts') }} as orders using (profile, symbol)
left join {{ ref('evaluation_forced_exits') }} as exits using (profile, symbol)
left join correlations using (profile, symbol)
where own.strategy = 'strategy'
order by profile, symbol
