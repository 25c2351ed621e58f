with runs as (
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
    fit.* replace (fit.days::integer as days),
from runs
