{#- A belief older than this says nothing of the hour. -#}
{%- set stale_after_hours = 72 -%}

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
    known_at + interval '{{ stale_after_hours }} hours' as stale_at,
from runs
