with days as (
    select
        classifier,
        fit_window,
        reference_symbol,
        unnest(days) as day,
    from {{ ref('regime_runs') }}
)

select
    classifier,
    fit_window,
    reference_symbol,
    day.day,
    (day.day + interval '1 day')::timestamptz as known_at,
    day.fit_at,
    day.p_risk_on,
    day.p_neutral,
    day.p_risk_off,
    day.p_crisis,
    day.most_likely,
    day.regime,
    day.predictive_log_likelihood,
from days
