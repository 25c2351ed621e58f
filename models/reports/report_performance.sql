-- The full replay of each profile beside what costs nothing to think of: holding the
-- asset, and the same signals at random times.
with runs as (
    select * exclude (sides, drawdowns, days) from {{ ref('evaluation_performance') }}
),

luck as (
    select
        profile,
        symbol,
        'strategy' as strategy,
        luck,
        luck_mean_r,
        luck_gross_r,
        luck_draws,
        luck_acceptance,
        luck_note,
    from {{ ref('evaluation_random_entries') }}
),

-- The median draw; nulls where none trades as often as the profile.
random_entries as (
    select
        judged.profile,
        judged.symbol,
        'random_entry' as strategy,
        median(draws.trades)::bigint as trades,
        median(draws.win_rate) as win_rate,
        median(draws.profit_factor) as profit_factor,
        median(draws.mean_r) as mean_r,
        median(draws.net_pnl) as net_pnl,
        median(draws.net_pnl) / any_value(accounts.start_balance) as return_share,
        median(draws.sharpe) as sharpe,
        median(draws.max_drawdown) as max_drawdown,
    from luck as judged
    inner join {{ ref('replay_runs') }} as accounts
        on
            judged.profile = accounts.profile
            and judged.symbol = accounts.account
            and accounts.replayed = 'full'
    left join {{ ref('report_random_entries') }} as draws
        on judged.profile = draws.profile and judged.symbol = draws.symbol
    group by judged.profile, judged.symbol
),

compared as (
    select * from runs
    left join luck using (profile, symbol, strategy)
    union all by name
    select * from random_entries
)

select
    * replace (
        trades::integer as trades,
        longest_win_streak::integer as longest_win_streak,
        longest_loss_streak::integer as longest_loss_streak
    ),
from compared
order by
    profile,
    symbol,
    case strategy when 'strategy' then 1 when 'buy_and_hold' then 2 else 3 end
