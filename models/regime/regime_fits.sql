with fits as (
    select
        classifier,
        fit_window,
        reference_symbol,
        unnest(fits) as fit,
    from {{ ref('regime_runs') }}
)

select
    classifier,
    fit_window,
    reference_symbol,
    fit.fit_at,
    fit.first_day,
    fit.last_day,
    fit.days::integer as days,
    fit.outcome,
    fit.reason,
    fit.columns_used,
    fit.columns_left_out,
    fit.log_likelihood,
    fit.is_short_history,
    fit.agreement_with_last,
    fit.state_stress,
    fit.risk_on,
    fit.neutral,
    fit.risk_off,
    fit.crisis,
from fits
