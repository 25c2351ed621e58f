-- A fractal swing is strictly beyond the 5 bars on each side, so it is known 5 bars
-- late: on row t the swing bar is t - 5, and nothing here looks past t.
with bars as (
    select
        symbol,
        bar_ts,
        bar_index,
        high,
        low,
    from {{ ref('bars_1h') }}
),

neighbourhoods as (
    select
        *,
        lag(high, 5) over bars_in_order as middle_high,
        lag(low, 5) over bars_in_order as middle_low,
        {{ trailing(5, 'max', 'high') }} as high_after,
        {{ trailing(5, 'min', 'low') }} as low_after,
    from bars
    window bars_in_order as (partition by symbol order by bar_index)
),

confirmations as (
    select
        *,
        middle_high > high_after and middle_high > lag(high_after, 6) over bars_in_order
            as confirms_high,
        middle_low < low_after and middle_low < lag(low_after, 6) over bars_in_order
            as confirms_low,
    from neighbourhoods
    window bars_in_order as (partition by symbol order by bar_index)
),

swings as (
    select
        *,
        case when confirms_high then middle_high end as confirmed_high,
        case when confirms_high then bar_index - 5 end as confirmed_high_index,
        case when confirms_low then middle_low end as confirmed_low,
        case when confirms_low then bar_index - 5 end as confirmed_low_index,
    from confirmations
)

select
    symbol,
    bar_ts,
    {{ latest(200, 'confirmed_high') }} as swing_high,
    {{ latest(200, 'confirmed_high_index') }} as swing_high_index,
    {{ latest(200, 'confirmed_low') }} as swing_low,
    {{ latest(200, 'confirmed_low_index') }} as swing_low_index,
from swings
