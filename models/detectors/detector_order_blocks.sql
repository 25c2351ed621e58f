-- Row t looks back at the block's bar i = t - 3, so an event is dated when it is known.
with bars as (
    select
        *,
        {{ prior(20, 'avg', 'volume') }} as volume_mean_before,
        {{ trailing(3, 'max', 'high') }} as reached_high,
        {{ trailing(3, 'min', 'low') }} as reached_low,
    from {{ ref('bars_1h') }}
),

reactions as (
    select
        symbol,
        bar_index as known_index,
        bar_index - 3 as event_index,
        lag(high, 3) over bars_in_order as block_high,
        lag(low, 3) over bars_in_order as block_low,
        lag(volume, 3) over bars_in_order
        >= 1.5 * lag(volume_mean_before, 3) over bars_in_order as has_volume,
        reached_high >= 1.02 * lag(close, 3) over bars_in_order as is_bullish,
        reached_low <= 0.98 * lag(close, 3) over bars_in_order as is_bearish,
    from bars
    window bars_in_order as (partition by symbol order by bar_index)
)

select
    symbol,
    'order_block' as detector,
    case when is_bullish then 'long' else 'short' end as side,
    event_index,
    known_index,
    (block_high + block_low) / 2 as middle,
    -- Spent by a close beyond the far edge.
    case when is_bullish then block_low end as spent_by_close_below,
    case when not is_bullish then block_high end as spent_by_close_above,
    null::double as spent_by_low_at,
    null::double as spent_by_high_at,
    199 as lasts_bars,
    0.02 as reach,
from reactions
where has_volume and (is_bullish or is_bearish)
