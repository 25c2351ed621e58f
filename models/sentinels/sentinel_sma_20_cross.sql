with positions as (
    select
        symbol,
        bar_ts,
        close,
        lag(sma_20) over bars_in_order as mean_before,
        lag(close) over bars_in_order as close_before,
        lag(sma_20, 2) over bars_in_order as mean_two_before,
    from {{ ref('features') }}
    window bars_in_order as (partition by symbol order by bar_index)
)

select
    symbol,
    bar_ts,
    'sma_20_cross' as sentinel,
    case when close > mean_before then 'long' else 'short' end as side,
from positions
where
    (close > mean_before and close_before <= mean_two_before)
    or (close < mean_before and close_before >= mean_two_before)
