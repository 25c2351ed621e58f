{#- Start of the block of a timeframe that holds a bar, by the UTC clock. -#}
{%- macro block_start(ts, hours) -%}
    time_bucket(interval '{{ hours }} hours', {{ ts }}, timestamptz '1970-01-01 00:00:00+00')
{%- endmacro -%}

{#- The blocks of a timeframe that have ended: OHLCV of each from its hours. Sums are
    ordered, so that they have one set of bits. With fewer than half of its hours a block
    has prices but no volume. -#}
{%- macro closed_blocks(bars, hours) -%}
with bars as (
    select * from {{ bars }}
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
        {{ barsieve.block_start('bar_ts', hours) }} as block_start_at,
        arg_min(open, bar_ts) as open,
        max(high) as high,
        min(low) as low,
        arg_max(close, bar_ts) as close,
        case when count(*) * 2 >= {{ hours }} then sum(volume order by bar_ts) end
            as volume,
        count(*)::integer as hours,
    from bars
    group by symbol, block_start_at
)

select
    blocks.symbol,
    blocks.block_start_at,
    -- Known at the block's end by the clock, even if hours are missing in it.
    blocks.block_start_at + interval '{{ hours }} hours' as known_at,
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
    and blocks.block_start_at + interval '{{ hours }} hours' <= history.known_until
{%- endmacro -%}
