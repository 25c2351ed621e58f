with bars as (
    select * from {{ ref('bars_1h') }}
),

history as (
    select
        symbol,
        min(bar_ts) as first_bar_ts,
        max(known_at) as known_until,
    from bars
    group by symbol
),

blocks as (
    select
        symbol,
        {{ block_start('bar_ts', 24) }} as block_start_at,
        {{ resampled_bar(24) }},
    from bars
    group by symbol, block_start_at
)

select
    blocks.symbol,
    blocks.block_start_at,
    -- Known at the block's end by the clock, even if hours are missing in it.
    blocks.block_start_at + interval '24 hours' as known_at,
    row_number() over (partition by symbol order by block_start_at) as block_index,
    blocks.open,
    blocks.high,
    blocks.low,
    blocks.close,
    blocks.volume,
    blocks.hours,
from blocks
inner join history using (symbol)
-- Neither the block that history starts within nor one that has not ended.
where
    blocks.block_start_at >= history.first_bar_ts
    and blocks.block_start_at + interval '24 hours' <= history.known_until
