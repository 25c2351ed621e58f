with bars as (
    select
        *,
        {{ prior(10, 'avg', 'volume') }} as volume_mean_before,
    from {{ ref('bars_1h') }}
),

gaps as (
    select
        symbol,
        bar_index,
        low,
        high,
        lag(low, 2) over bars_in_order as low_before,
        lag(high, 2) over bars_in_order as high_before,
        lag(close) over bars_in_order as middle_close,
        lag(volume) over bars_in_order
        >= 1.2 * lag(volume_mean_before) over bars_in_order as has_volume,
    from bars
    window bars_in_order as (partition by symbol order by bar_index)
),

zones as (
    select
        *,
        case when low > high_before then 'long' when high < low_before then 'short' end
            as side,
        case when low > high_before then high_before else high end as zone_low,
        case when low > high_before then low else low_before end as zone_high,
        zone_high - zone_low as zone_size,
    from gaps
    where has_volume
)

select
    symbol,
    'fair_value_gap' as detector,
    side,
    bar_index as event_index,
    bar_index as known_index,
    (zone_low + zone_high) / 2 as middle,
    null::double as spent_by_close_below,
    null::double as spent_by_close_above,
    -- Spent once later bars have traded through 70 % of the zone.
    case when side = 'long' then zone_high - 0.7 * zone_size end as spent_by_low_at,
    case when side = 'short' then zone_low + 0.7 * zone_size end as spent_by_high_at,
    199 as lasts_bars,
    0.02 as reach,
from zones
where side is not null and zone_size >= 0.003 * middle_close
