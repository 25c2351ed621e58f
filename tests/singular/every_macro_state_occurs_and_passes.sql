-- Above 0 and below 90 % of the bars at which every series is known; judged on two
-- years of such bars, for a calm quarter need not see every state.
with covered as (
    select
        symbol,
        bar_ts,
    from {{ ref('macro_vetoes') }}
    where macro_coverage = 1
),

totals as (
    select count(*) as covered_bars
    from covered
),

signals as (
    select unnest([
        'vix_risk_off',
        'vix_calm',
        'dxy_breakout',
        'dxy_soft',
        'move_stress',
        'usdt_flight',
        'btc_flight',
        'oil_dollar',
        'funding_oi_trap',
        'total2_divergence',
        'yield_inversion',
        'dxy_vix_synergy'
    ]) as signal
),

in_force as (
    select
        macro_signals.signal,
        count(*) as bars,
    from {{ ref('macro_signals') }} as macro_signals
    inner join covered using (symbol, bar_ts)
    group by macro_signals.signal
),

rates as (
    select
        signals.signal,
        totals.covered_bars,
        coalesce(in_force.bars, 0) / totals.covered_bars as rate,
    from signals
    cross join totals
    left join in_force using (signal)
)

select *
from rates
where covered_bars >= 17520 and (rate = 0 or rate >= 0.9)
