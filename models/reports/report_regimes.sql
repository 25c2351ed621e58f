{#- Days ahead over which a regime is judged. -#}
{%- set horizon = 5 -%}

with beliefs as (
    select
        *,
        regime is not null as is_known,
    from {{ ref('regime_days') }}
),

-- The same days for all classifiers of a symbol: from where the last of them knows.
first_days as (
    select
        classifier,
        fit_window,
        reference_symbol,
        min(day) as first_day,
    from beliefs
    where is_known
    group by all
),

spans as (
    select
        reference_symbol,
        max(first_day) as first_day,
    from first_days
    group by reference_symbol
),

judged as (
    select
        beliefs.*,
        row_number() over run_in_order as nth_day,
        regime is distinct from lag(regime) over run_in_order as is_switch,
    from beliefs
    inner join spans using (reference_symbol)
    where beliefs.is_known and beliefs.day >= spans.first_day
    window
        run_in_order as (
            partition by beliefs.classifier, beliefs.fit_window, beliefs.reference_symbol
            order by beliefs.day
        )
),

-- What the next days brought; days at the end of history have none yet.
outcomes as (
    select
        today.reference_symbol,
        today.day,
        0.5 * ln(avg(ahead.realized_vol_24 * ahead.realized_vol_24 order by ahead.day))
            as next_log_vol,
        ln(arg_max(ahead.close, ahead.day) / any_value(today.close)) as forward_return,
        least(min(ahead.low) / any_value(today.close) - 1, 0) as forward_drawdown,
    from {{ ref('regime_observations') }} as today
    inner join {{ ref('regime_observations') }} as ahead
        on
            today.reference_symbol = ahead.reference_symbol
            and ahead.day > today.day
            and ahead.day <= today.day + {{ horizon }}
    group by today.reference_symbol, today.day
    having count(ahead.realized_vol_24) = {{ horizon }}
),

-- The forecast of a day: the mean of what followed such days, as far as it was known.
forecasts as (
    select
        judged.*,
        outcomes.next_log_vol,
        outcomes.forward_return,
        outcomes.forward_drawdown,
        avg(outcomes.next_log_vol) over same_regime_before as forecast,
        avg(outcomes.next_log_vol) over all_before as plain_forecast,
    from judged
    left join outcomes using (reference_symbol, day)
    window
        same_regime_before as (
            partition by
                judged.classifier, judged.fit_window, judged.reference_symbol,
                judged.regime
            order by judged.day
            range between
                unbounded preceding and interval {{ horizon }} days preceding
        ),
        all_before as (
            partition by
                judged.classifier, judged.fit_window, judged.reference_symbol
            order by judged.day
            range between
                unbounded preceding and interval {{ horizon }} days preceding
        )
),

centred as (
    select
        *,
        next_log_vol - avg(next_log_vol) over (
            partition by classifier, fit_window, reference_symbol
        ) as from_mean,
        next_log_vol - avg(next_log_vol) over (
            partition by classifier, fit_window, reference_symbol, regime
        ) as from_regime_mean,
    from forecasts
)

select
    classifier,
    fit_window,
    reference_symbol,
    coalesce(regime, 'all') as regime,
    min(day) as first_day,
    count(*)::integer as days,
    count(*) / sum(count(*)) over (
        partition by classifier, fit_window, reference_symbol, grouping(regime)
    ) as share_of_days,
    count(*) / nullif(count_if(is_switch), 0) as mean_duration_days,
    case when grouping(regime) = 1
        then (count_if(is_switch) - 1) / count(*) * 365.25
    end as switches_per_year,
    case when grouping(regime) = 1
        then avg(predictive_log_likelihood order by day)
    end as predictive_log_likelihood,
    case when grouping(regime) = 1
        then 1 - sum(from_regime_mean * from_regime_mean order by day)
            / nullif(sum(from_mean * from_mean order by day), 0)
    end as next_vol_explained,
    case when grouping(regime) = 1
        then 1 - sum(pow(next_log_vol - forecast, 2) order by day) filter (where forecast is not null)
            / nullif(sum(pow(next_log_vol - plain_forecast, 2) order by day) filter (where forecast is not null), 0)
    end as next_vol_forecast,
    avg(forward_return order by day) as mean_forward_return,
    avg(forward_drawdown order by day) as mean_forward_drawdown,
from centred
group by
    grouping sets (
        (classifier, fit_window, reference_symbol, regime),
        (classifier, fit_window, reference_symbol)
    )
