{#- Bars whose close is strictly on the new side of the mean of the row before, and was
    at or beyond it on the old side one bar earlier. -#}
{%- macro mean_crosses(features, mean) -%}
with positions as (
    select
        symbol,
        bar_ts,
        close,
        lag({{ mean }}) over bars_in_order as mean_before,
        lag(close) over bars_in_order as close_before,
        lag({{ mean }}, 2) over bars_in_order as mean_two_before,
    from {{ features }}
    window bars_in_order as (partition by symbol order by bar_index)
)

select
    symbol,
    bar_ts,
    '{{ mean }}_cross' as sentinel,
    case when close > mean_before then 'long' else 'short' end as side,
from positions
where
    (close > mean_before and close_before <= mean_two_before)
    or (close < mean_before and close_before >= mean_two_before)
{%- endmacro -%}
