with wholes as (
    select
        results.symbol,
        results.grid,
        results.config,
        configs.profile,
        configs.entry_threshold,
        results.trades,
        results.net_pnl,
        results.sharpe,
    from {{ ref('sweep_results') }} as results
    inner join {{ ref('sweep_configs') }} as configs using (grid, config, symbol)
    where results.fold = 'all'
),

swept as (
    select
        symbol,
        grid,
        any_value(profile) as profile,
        count(*) as configurations,
        count_if(trades > 0)::bigint as with_trades,
        count_if(net_pnl > 0)::bigint as profitable,
        max(net_pnl) as best_net_pnl,
        arg_max(config, net_pnl) as best_config,
        arg_max(trades, net_pnl)::bigint as best_trades,
        median(net_pnl) as median_net_pnl,
        max(sharpe) as best_sharpe,
        corr(entry_threshold, sharpe) as threshold_sharpe_correlation,
    from wholes
    group by symbol, grid
),

boundaries as (
    select
        symbol,
        grid,
        list_sort(list_distinct(list(fold))) as months,
        months[len(months) // 2 + 1] as second_half_from,
    from {{ ref('sweep_results') }}
    where fold != 'all'
    group by symbol, grid
),

-- What never traded in either half was neither chosen nor beaten.
halves as (
    select
        results.symbol,
        results.grid,
        results.config,
        any_value(boundaries.second_half_from) as second_half_from,
        sum(if(results.fold < boundaries.second_half_from, results.net_pnl, 0))
            as first_net_pnl,
        sum(if(results.fold >= boundaries.second_half_from, results.net_pnl, 0))
            as second_net_pnl,
        rank() over (
            partition by results.symbol, results.grid
            order by second_net_pnl desc
        ) as second_rank,
    from {{ ref('sweep_results') }} as results
    inner join boundaries using (symbol, grid)
    where results.fold != 'all'
    group by results.symbol, results.grid, results.config
    having sum(results.trades) > 0
),

winners as (
    from halves
    qualify row_number() over (
        partition by symbol, grid
        order by first_net_pnl desc, config asc
    ) = 1
),

judged as (
    select
        swept.*,
        statistics.months,
        statistics.best_sharpe as best_monthly_sharpe,
        statistics.trials,
        statistics.mean_correlation,
        statistics.effective_trials,
        statistics.expected_sharpe as expected_monthly_sharpe,
        statistics.needed_sharpe as needed_monthly_sharpe,
        statistics.visible_annual_sharpe,
        statistics.deflated_sharpe,
        statistics.blocks as overfitting_blocks,
        statistics.combinations as overfitting_combinations,
        statistics.overfitting as overfitting_probability,
        statistics.loss_probability as overfitting_loss_probability,
        winners.second_half_from,
        winners.config as winner_config,
        winners.first_net_pnl as winner_first_net_pnl,
        winners.second_net_pnl as winner_second_net_pnl,
        winners.second_rank as winner_second_rank,
        case
            when swept.profitable = 0 then 'no edge'
            when statistics.deflated_sharpe is null then 'not judged'
            when statistics.deflated_sharpe < 0.95 then 'no edge'
            when
                statistics.overfitting > 0.05 or winners.second_net_pnl <= 0
                then 'doubtful'
            else 'beyond luck'
        end as finding,
        -- What was not seen may have been too small to be seen.
        coalesce(
            format(
                '; an annual Sharpe ratio of {:.1f} would have been seen.',
                statistics.visible_annual_sharpe
            ),
            '.'
        ) as would_have_been_seen,
    from swept
    left join {{ ref('evaluation_sweep') }} as statistics using (symbol, grid)
    left join winners using (symbol, grid)
)

select
    * exclude (would_have_been_seen),
    profitable / configurations as profitable_share,
    finding || ': ' || case
        when profitable = 0
            then
                format('none of {} configurations earned anything', configurations)
                || would_have_been_seen
        when finding = 'not judged'
            then
                'it takes 12 months and two configurations with trades to tell luck.'
        when finding = 'no edge'
            then
                format(
                    'the best of {} configurations is what luck gives among so many: '
                    || '{:.1f} % of such sweeps without any skill show as good a one',
                    trials, 100 * (1 - deflated_sharpe)
                ) || would_have_been_seen
        when finding = 'doubtful'
            then
                format(
                    'the best of {} configurations is beyond luck, but winners of the '
                    || 'past did not stay winners: {:.0f} % of the ways to halve the '
                    || 'months put them in the lower half.',
                    trials, 100 * overfitting_probability
                )
        else
            format(
                'the best of {} configurations is beyond what luck gives among so '
                || 'many, and winners of one half of the months win in the other.',
                trials
            )
    end as verdict,
from judged
