with bars as (
    select
        symbol,
        bar_ts,
        bar_index,
        close,
        volume,
        swing_high,
        swing_low,
        {{ prior(10, 'avg', 'volume') }} as volume_mean_before,
    from {{ ref('features') }}
),

-- A bar beyond both swings (the high lies below the low) breaks neither.
breaks as (
    select
        symbol,
        bar_ts,
        bar_index,
        case
            when volume < 1.2 * volume_mean_before then null
            when close >= 1.001 * swing_high and close <= 0.999 * swing_low then null
            when close >= 1.001 * swing_high then 'long'
            when close <= 0.999 * swing_low then 'short'
        end as broken_side,
    from bars
)

select
    symbol,
    bar_ts,
    bar_index,
    {{ latest(200, 'broken_side') }} as side,
from breaks
