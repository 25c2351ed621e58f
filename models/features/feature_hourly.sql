with bars as (
    select * from {{ ref('bars_1h') }}
),

changes as (
    select
        *,
        close - lag(close) over bars_in_order as change,
        greatest(
            high - low,
            abs(high - lag(close) over bars_in_order),
            abs(low - lag(close) over bars_in_order)
        ) as greatest_range,
        lag(close) over bars_in_order is null as is_first_bar,
        ln(close / lag(close) over bars_in_order) as return_1,
        ln(close / lag(close, 24) over bars_in_order) as return_24,
    from bars
    window bars_in_order as (partition by symbol order by bar_index)
),

ranges as (
    select
        *,
        -- The first bar has no previous close and so no true range.
        case when not is_first_bar then greatest_range end as tr,
        case when not is_first_bar then greatest(change, 0) end as gain,
        case when not is_first_bar then greatest(-change, 0) end as loss,
        {{ ema_block('close', 12) }} as block_12,
        {{ ema_block('close', 26) }} as block_26,
    from changes
),

averages as (
    select
        *,
        {{ trailing(20, 'avg', 'close') }} as sma_20,
        {{ trailing(50, 'avg', 'close') }} as sma_50,
        {{ trailing(100, 'avg', 'close') }} as sma_100,
        {{ trailing(14, 'avg', 'gain') }} as mean_gain,
        {{ trailing(14, 'avg', 'loss') }} as mean_loss,
        {{ trailing(14, 'avg', 'tr') }} as atr_14,
        {{ trailing(20, 'avg', 'tr') }} as atr_20,
        {{ ema('block_12', 12) }} - {{ ema('block_26', 26) }} as macd,
        {{ prior(20, 'avg', 'volume') }} as volume_mean_20,
        {{ prior(20, 'stddev_samp', 'volume') }} as volume_sd_20,
        {{ trailing(10, 'avg', 'volume') }} as volume_mean_last_10,
        {{ trailing(50, 'avg', 'volume') }} as volume_mean_last_50,
        {{ trailing(24, 'stddev_samp', 'return_1') }} as return_sd_24,
        {{ trailing(168, 'stddev_samp', 'return_1') }} as return_sd_168,
    from ranges
),

signals as (
    select
        *,
        {{ ema_block('macd', 9) }} as macd_block_9,
    from averages
),

volatility_ranks as (
    select
        *,
        {{ prior(99, 'quantile_cont', 'atr_14', 0.75) }} as atr_p75_99,
        macd - {{ ema('macd_block_9', 9) }} as macd_hist,
        -- rank() orders within the row's own frame: one more than the values below it.
        case
            when count(atr_14) over last_100 = 100
                then (rank(order by atr_14) over last_100 - 1) / 100
        end as atr_rank_100,
    from signals
    window last_100 as (
        partition by symbol order by bar_index rows between 99 preceding and current row
    )
)

select
    symbol,
    bar_ts,
    known_at,
    bar_index,
    open,
    high,
    low,
    close,
    volume,
    gap_hours,
    funding_settled,
    sma_20,
    sma_50,
    sma_100,
    case
        when mean_gain = 0 and mean_loss = 0 then 50
        -- Of fourteen rising hours the quotient may come out a bit above 100.
        when mean_loss = 0 then least(100 * mean_gain / mean_gain, 100)
        else 100 * mean_gain / (mean_gain + mean_loss)
    end as rsi_14,
    tr,
    atr_14,
    atr_20,
    atr_rank_100,
    atr_p75_99,
    macd_hist,
    volume_mean_20,
    volume_sd_20,
    (volume - volume_mean_20) / nullif(volume_sd_20, 0) as volume_z_20,
    volume_mean_last_10 / nullif(volume_mean_last_50, 0) as volume_surge,
    return_sd_24 * sqrt(8760) as realized_vol_24,
    return_sd_168 * sqrt(8760) as realized_vol_168,
    return_1,
    return_24,
    (high - greatest(open, close)) / nullif(high - low, 0) as upper_wick,
    (least(open, close) - low) / nullif(high - low, 0) as lower_wick,
    abs(close - open) / nullif(high - low, 0) as body,
from volatility_ranks
