with days as (
    select
        classifier,
        fit_window,
        reference_symbol,
        unnest(days, max_depth := 2),
    from {{ ref('regime_runs') }}
)

select
    *,
    (day + interval '1 day')::timestamptz as known_at,
from days
