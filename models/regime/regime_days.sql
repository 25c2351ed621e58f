with runs as (
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
    day.*,
    (day.day + interval '1 day')::timestamptz as known_at,
from runs
