with bars as (
    select * from {{ ref('bars_1d') }}
),

windows as (
    select
        *,
        {{ trailing(20, 'avg', 'close', ordered='block_index') }} as sma_20_1d,
        {{ trailing(50, 'avg', 'close', ordered='block_index') }} as sma_50_1d,
        {{ trailing(20, 'max', 'high', ordered='block_index') }} as highest_high_20,
        {{ trailing(20, 'min', 'low', ordered='block_index') }} as lowest_low_20,
        {{ trailing(20, 'avg', 'volume', ordered='block_index') }} as mean_volume_20,
    from bars
)

select
    symbol,
    known_at,
    close as close_1d,
    sma_20_1d,
    sma_50_1d,
    (close - lowest_low_20) / nullif(highest_high_20 - lowest_low_20, 0)
        as range_position_20_1d,
    volume / nullif(mean_volume_20, 0) as volume_ratio_1d,
from windows
