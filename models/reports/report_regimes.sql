{#- Days ahead over which a regime is judged. -#}
{%- set horizon = 5 -%}

with beliefs as (
    select * from {{ ref('regime_days') }}
    where regime is not null
),

-- The same days for all classifiers of a symbol: from where the last of them knows.
first_days as (
    select
        classifier,
        fit_window,
        reference_symbol,
        min(day) as first_day,
    from beliefs
    group by classifier, fit_window, reference_symbol
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
        coalesce(regime != lag(regime) over run_in_order, true) as is_switch,
    from beliefs
    inner join spans using (reference_symbol)
    where beliefs.day >= spans.first_day
    window
        run_in_order as (
            partition by
                beliefs.classifier, beliefs.fit_window, beliefs.reference_symbol
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
            and today.day < ahead.day
            and today.day + {{ horizon }} >= ahead.day
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
            range between unbounded preceding and interval {{ horizon }} days preceding
        ),
        all_before as (
            partition by judged.classifier, judged.fit_window, judged.reference_symbol
            order by judged.day
            range between unbounded preceding and interval {{ horizon }} days preceding
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
),

-- Each day counts within its regime and for the whole.
scopes as (
    select
        *,
        regime as scope,
        false as is_whole,
    from centred
    union all
    select
        *,
        'all' as scope,
        true as is_whole,
    from centred
),

sums as (
    select
        classifier,
        fit_window,
        reference_symbol,
        scope,
        is_whole,
        min(day) as first_day,
        count(*) as days,
        count_if(is_switch) as stays,
        avg(predictive_log_likelihood order by day) as predictive_log_likelihood,
        sum(from_regime_mean * from_regime_mean order by day) as within_regimes,
        sum(from_mean * from_mean order by day) as about_the_mean,
        sum(pow(next_log_vol - forecast, 2) order by day) as missed_by_forecast,
        sum(
            case
                when forecast is not null then pow(next_log_vol - plain_forecast, 2)
            end
            order by day
        ) as missed_by_plain_forecast,
        avg(forward_return order by day) as mean_forward_return,
        avg(forward_drawdown order by day) as mean_forward_drawdown,
    from scopes
    group by classifier, fit_window, reference_symbol, scope, is_whole
)

select
    classifier,
    fit_window,
    reference_symbol,
    scope as regime,
    first_day,
    days::integer as days,
    days / sum(days) over (
        partition by classifier, fit_window, reference_symbol, is_whole
    ) as share_of_days,
    days / stays as mean_duration_days,
    case when is_whole then (stays - 1) / days * 365.25 end as switches_per_year,
    case when is_whole then predictive_log_likelihood end as predictive_log_likelihood,
    case when is_whole then 1 - within_regimes / nullif(about_the_mean, 0) end
        as next_vol_explained,
    case
        when is_whole
            then 1 - missed_by_forecast / nullif(missed_by_plain_forecast, 0)
    end as next_vol_forecast,
    mean_forward_return,
    mean_forward_drawdown,
from sums
