with policy as (
    select * from {{ ref('regime_policy') }}
),

bars as (
    select
        symbol,
        bar_ts,
        known_at,
    from {{ ref('bars_1h') }}
),

runs as (
    select
        classifier,
        fit_window,
        reference_symbol,
        is_of_all,
    from {{ ref('regime_runs') }}
),

beliefs as (
    select
        runs.classifier,
        runs.fit_window,
        runs.reference_symbol,
        bars.symbol,
        bars.bar_ts,
        days.known_at as believed_at,
        days.fit_at,
        days.p_risk_on,
        days.p_neutral,
        days.p_risk_off,
        days.p_crisis,
        days.most_likely,
        coalesce(days.regime, 'unknown') as regime,
        case regime
            when 'risk_on' then days.p_risk_on
            when 'neutral' then days.p_neutral
            when 'risk_off' then days.p_risk_off
            when 'crisis' then days.p_crisis
        end as probability,
    from bars
    inner join runs on runs.is_of_all or bars.symbol = runs.reference_symbol
    asof inner join {{ ref('regime_days') }} as days
        on
            runs.classifier = days.classifier
            and runs.fit_window = days.fit_window
            and runs.reference_symbol = days.reference_symbol
            and bars.known_at >= days.known_at
    where bars.known_at <= days.stale_at
)

select
    beliefs.classifier,
    beliefs.fit_window,
    beliefs.reference_symbol,
    beliefs.symbol,
    beliefs.bar_ts,
    beliefs.believed_at,
    beliefs.fit_at,
    beliefs.p_risk_on,
    beliefs.p_neutral,
    beliefs.p_risk_off,
    beliefs.p_crisis,
    beliefs.most_likely,
    beliefs.regime,
    beliefs.probability,
    case
        when beliefs.probability > 0
            then policy.threshold_shift * beliefs.probability
        else 0
    end as threshold_shift,
from beliefs
left join policy using (regime)
