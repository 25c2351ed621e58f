with readings as (
    select
        symbol,
        bar_ts,
        case
            when rsi_14 > 70 then -0.25
            when rsi_14 < 30 then 0.25
            else (rsi_14 - 50) / 50
        end as rsi_part,
        case
            when macd_hist / close > 0.001 then 0.1
            when macd_hist / close < -0.001 then -0.1
            when macd_hist is not null then 0
        end as macd_part,
    from {{ ref('features') }}
)

select
    symbol,
    bar_ts,
    {{ clip('0.5 + rsi_part + macd_part', 0, 1) }} as score,
from readings
