with observations as (
    select
        series,
        date as observed_day,
        value,
        known_at,
    from {{ source('market', 'macro') }}
),

-- A late vintage of an old day is not news: the last known value is that of the
-- latest day known so far.
in_known_order as (
    select
        *,
        max(observed_day) over (
            partition by series
            order by known_at, observed_day
            rows between 250 preceding and 1 preceding
        ) as latest_day_before,
    from observations
)

select
    series,
    observed_day,
    value,
    known_at,
from in_known_order
where latest_day_before is null or observed_day >= latest_day_before
-- Two days that become known at once leave the later one.
qualify row_number() over (partition by series, known_at order by observed_day desc) = 1
