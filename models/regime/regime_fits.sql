with fits as (
    select
        classifier,
        fit_window,
        reference_symbol,
        unnest(fits, max_depth := 2),
    from {{ ref('regime_runs') }}
)

select * replace (days::integer as days)
from fits
