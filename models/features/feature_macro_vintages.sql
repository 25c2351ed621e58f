-- Every vintage of every series, and of what is made of two: both at the same day and
-- moment, so that a new vintage of either is one of theirs.
with vintages as (
    select * from {{ ref('bars_macro') }}
),

pairs as (
    select
        unnest([
            struct_pack(series := 'TOTAL2_SHARE', one := 'TOTAL2', other := 'TOTAL'),
            struct_pack(series := 'YIELD_SPREAD', one := 'US2Y', other := 'US10Y')
        ], recursive := true),
),

moments as (
    select distinct
        pairs.series,
        pairs.one,
        pairs.other,
        vintages.observed_day,
        vintages.known_at,
    from pairs
    inner join vintages
        on pairs.one = vintages.series or pairs.other = vintages.series
),

combined as (
    select
        moments.series,
        moments.observed_day,
        moments.known_at,
        case moments.series
            when 'TOTAL2_SHARE' then one.value / other.value
            -- Yields are decimals: 3.9 - 4.1 is -0.2 exactly.
            else (one.value::decimal(18, 12) - other.value::decimal(18, 12))::double
        end as value,
    from moments
    asof inner join vintages as one
        on
            moments.one = one.series
            and moments.observed_day = one.observed_day
            and moments.known_at >= one.known_at
    asof inner join vintages as other
        on
            moments.other = other.series
            and moments.observed_day = other.observed_day
            and moments.known_at >= other.known_at
)

select
    series,
    observed_day,
    known_at,
    value,
from vintages
union all by name
select
    series,
    observed_day,
    known_at,
    value,
from combined
