-- The full replay of each profile beside what costs nothing to think of: holding the
-- asset, and the same signals at random times.
with profiles as (
    select * from {{ ref('config_profiles') }}
),

-- A study limits trading, so it limits what is judged.
marks as (
    select
        equity.profile,
        equity.symbol,
        equity.bar_ts,
        equity.equity,
        equity.position != 0 as is_held,
        bars.open,
        bars.close,
        bars.known_at,
        profiles.start_balance,
        (profiles.fees_bps + profiles.slippage_bps) / 10000 as cost_rate,
    from {{ ref('equity') }} as equity
    inner join {{ ref('bars_1h') }} as bars using (symbol, bar_ts)
    inner join profiles using (profile)
    where
        equity.replayed = 'full'
        and bars.known_at > coalesce(profiles.study_start, '-infinity'::timestamptz)
        and bars.known_at <= coalesce(profiles.study_end, 'infinity'::timestamptz)
),

-- All in at the first open, out at the last close, costs on both legs.
holdings as (
    select
        profile,
        symbol,
        start_balance,
        cost_rate,
        start_balance / (arg_min(open, bar_ts) * (1 + cost_rate)) as quantity,
        arg_min(open, bar_ts) as first_open,
        arg_max(close, bar_ts) as last_close,
    from marks
    group by profile, symbol, start_balance, cost_rate
),

curves as (
    select
        profile,
        symbol,
        'strategy' as strategy,
        bar_ts,
        equity,
        is_held,
    from marks
    union all
    select
        marks.profile,
        marks.symbol,
        'buy_and_hold' as strategy,
        marks.bar_ts,
        holdings.quantity * marks.close * (1 - holdings.cost_rate) as equity,
        true as is_held,
    from marks
    inner join holdings using (profile, symbol)
),

-- The running peak in two steps, peaks of whole weeks and bars within the week: a frame
-- over the whole history would cost the square of its bars.
weekly_peaks as (
    select
        profile,
        symbol,
        strategy,
        date_trunc('week', bar_ts) as week_start_at,
        max(equity) as peak,
    from curves
    group by profile, symbol, strategy, week_start_at
),

peaks_before as (
    select
        profile,
        symbol,
        strategy,
        week_start_at,
        max(peak) over (
            partition by profile, symbol, strategy
            order by week_start_at
            rows between unbounded preceding and 1 preceding
        ) as peak_before,
    from weekly_peaks
),

peaks as (
    select
        curves.*,
        greatest(
            peaks_before.peak_before,
            max(curves.equity) over (
                partition by
                    curves.profile,
                    curves.symbol,
                    curves.strategy,
                    peaks_before.week_start_at
                order by curves.bar_ts
                rows between unbounded preceding and current row
            )
        ) as peak,
    from curves
    inner join peaks_before
        on
            curves.profile = peaks_before.profile
            and curves.strategy = peaks_before.strategy
            and date_trunc('week', curves.bar_ts) = peaks_before.week_start_at
),

risks as (
    select
        profile,
        symbol,
        strategy,
        max(1 - equity / peak) as max_drawdown,
        avg(is_held::integer) as exposure,
    from peaks
    group by profile, symbol, strategy
),

daily_closes as (
    select
        profile,
        symbol,
        strategy,
        bar_ts::date as close_day,
        arg_max(equity, bar_ts) as equity,
    from curves
    group by profile, symbol, strategy, close_day
),

daily_returns as (
    select
        *,
        equity / lag(equity) over (
            partition by profile, symbol, strategy order by close_day
        ) - 1 as daily_return,
    from daily_closes
),

sharpes as (
    select
        profile,
        symbol,
        strategy,
        avg(daily_return order by close_day)
        / nullif(stddev_samp(daily_return order by close_day), 0)
        * sqrt(365) as sharpe,
    from daily_returns
    group by profile, symbol, strategy
),

results as (
    select
        profile,
        symbol,
        count(*) as trades,
        avg((net_pnl > 0)::integer) as win_rate,
        sum(case when net_pnl > 0 then net_pnl else 0 end order by trade_id)
        / nullif(
            -sum(case when net_pnl <= 0 then net_pnl else 0 end order by trade_id), 0
        ) as profit_factor,
        sum(net_pnl order by trade_id) as net_pnl,
        sum(gross_pnl order by trade_id) as gross_pnl,
        sum(fees order by trade_id) as fees,
        sum(slippage order by trade_id) as slippage,
        sum(funding order by trade_id) as funding,
        avg(r_multiple order by trade_id) as mean_r,
    from {{ ref('trades') }}
    where replayed = 'full'
    group by profile, symbol
),

runs as (
    select
        profile,
        symbol,
        start_balance,
        end_balance,
        ruined_ts,
    from {{ ref('replay_runs') }}
    where replayed = 'full'
),

luck as (
    select
        profile,
        symbol,
        luck,
        luck_mean_r,
        luck_gross_r,
        luck_draws,
        luck_acceptance,
        luck_note,
    from {{ ref('random_entry_runs') }}
),

strategies as (
    select
        runs.profile,
        runs.symbol,
        'strategy' as strategy,
        coalesce(results.trades, 0) as trades,
        results.win_rate,
        results.profit_factor,
        results.mean_r,
        coalesce(results.gross_pnl, 0) as gross_pnl,
        coalesce(results.fees, 0) as fees,
        coalesce(results.slippage, 0) as slippage,
        coalesce(results.funding, 0) as funding,
        runs.end_balance - runs.start_balance as net_pnl,
        -- Not by the name above: it would be read as that of the trades' sum, which is
        -- null without a trade and leaves out what a lost account could not pay.
        (runs.end_balance - runs.start_balance) / runs.start_balance as return_share,
        luck.luck,
        luck.luck_mean_r,
        luck.luck_gross_r,
        luck.luck_draws,
        luck.luck_acceptance,
        luck.luck_note,
        runs.ruined_ts as ruined_at,
    from runs
    left join results using (profile, symbol)
    left join luck using (profile, symbol)
),

holds as (
    select
        profile,
        symbol,
        'buy_and_hold' as strategy,
        1 as trades,
        quantity * (last_close - first_open) as gross_pnl,
        quantity * last_close * (1 - cost_rate) - start_balance as net_pnl,
        net_pnl / start_balance as return_share,
    from holdings
),

-- The median draw; nulls where none trades as often as the profile.
random_entries as (
    select
        runs.profile,
        runs.symbol,
        'random_entry' as strategy,
        median(draws.trades)::bigint as trades,
        median(draws.win_rate) as win_rate,
        median(draws.profit_factor) as profit_factor,
        median(draws.mean_r) as mean_r,
        median(draws.net_pnl) as net_pnl,
        median(draws.net_pnl) / any_value(runs.start_balance) as return_share,
        median(draws.sharpe) as sharpe,
        median(draws.max_drawdown) as max_drawdown,
    from runs
    left join {{ ref('report_random_entries') }} as draws using (profile, symbol)
    group by runs.profile, runs.symbol
),

compared as (
    select * from strategies
    left join risks using (profile, symbol, strategy)
    left join sharpes using (profile, symbol, strategy)
    union all by name
    select * from holds
    left join risks using (profile, symbol, strategy)
    left join sharpes using (profile, symbol, strategy)
    union all by name
    select * from random_entries
)

select
    profile,
    symbol,
    strategy,
    trades::integer as trades,
    win_rate,
    profit_factor,
    mean_r,
    return_share,
    sharpe,
    max_drawdown,
    exposure,
    gross_pnl,
    fees,
    slippage,
    funding,
    net_pnl,
    luck,
    luck_mean_r,
    luck_gross_r,
    luck_draws,
    luck_acceptance,
    luck_note,
    ruined_at,
from compared
order by
    profile,
    case strategy when 'strategy' then 1 when 'buy_and_hold' then 2 else 3 end
