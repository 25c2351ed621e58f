{#- Start of the block of a timeframe that holds a bar, by the UTC clock. -#}
{%- macro block_start(ts, hours) -%}
    time_bucket(interval '{{ hours }} hours', {{ ts }}, timestamptz '1970-01-01 00:00:00+00')
{%- endmacro -%}

{#- OHLCV of a block from its hours. Ordered, so that the sum has one set of bits. With
    fewer than half of its hours a block has prices but no volume. -#}
{%- macro resampled_bar(block_hours) -%}
    arg_min(open, bar_ts) as open,
        max(high) as high,
        min(low) as low,
        arg_max(close, bar_ts) as close,
        case when count(*) * 2 >= {{ block_hours }} then sum(volume order by bar_ts) end
            as volume,
        count(*)::integer as hours
{%- endmacro -%}
