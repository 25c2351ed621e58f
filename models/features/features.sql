-- Everything known at the close of an hour. Slower timeframes and macro series are
-- looked up as-of that close: the latest row whose known_at has passed.
with hourly as (
    select * from {{ ref('feature_hourly') }}
),

swings as (
    select * from {{ ref('feature_swings') }}
),

blocks_4h as (
    select * from {{ ref('feature_4h') }}
),

blocks_1d as (
    select * from {{ ref('feature_1d') }}
),

macro as (
    select * from {{ ref('feature_macro') }}
),

-- A rate is comparable only with the hours that it covers: scaled to 8.
funding as (
    select
        funding.symbol,
        funding.known_at,
        struct_pack(
            value := funding.funding_rate * 8 / funding.interval_hours,
            known_at := funding.known_at,
            stale_after_hours := macro_series.stale_after_hours
        ) as funding_rate,
    from {{ ref('bars_funding') }} as funding
    cross join {{ ref('macro_series') }} as macro_series
    where macro_series.source = 'funding'
),

vintages_of_interest as (
    select
        macro_series.symbol,
        vintages.observed_day,
        vintages.known_at,
        vintages.value,
    from {{ ref('feature_macro_vintages') }} as vintages
    inner join {{ ref('macro_series') }} as macro_series using (series)
    where macro_series.feature = 'open_interest'
),

assembled as (
    select
        hourly.*,
        swings.swing_high,
        swings.swing_high_index,
        swings.swing_low,
        swings.swing_low_index,
        blocks_4h.adx_14_4h,
        blocks_4h.close_4h,
        blocks_4h.sma_20_4h,
        blocks_1d.close_1d,
        blocks_1d.sma_20_1d,
        blocks_1d.sma_50_1d,
        blocks_1d.range_position_20_1d,
        blocks_1d.volume_ratio_1d,
        macro.* exclude (symbol, known_at),
        funding.funding_rate,
        day_before.open_interest as open_interest_24h_ago,
        interest_then.value as open_interest_of_then,
    from hourly
    inner join swings using (symbol, bar_ts)
    asof left join blocks_4h
        on hourly.symbol = blocks_4h.symbol and hourly.known_at >= blocks_4h.known_at
    asof left join blocks_1d
        on hourly.symbol = blocks_1d.symbol and hourly.known_at >= blocks_1d.known_at
    asof left join macro
        on hourly.symbol = macro.symbol and hourly.known_at >= macro.known_at
    asof left join macro as day_before
        on
            hourly.symbol = day_before.symbol
            and hourly.known_at - interval '24 hours' >= day_before.known_at
    -- The day that was the latest then, in the vintage of now: both sides of a ratio at
    -- one moment.
    asof left join vintages_of_interest as interest_then
        on
            hourly.symbol = interest_then.symbol
            and struct_extract(day_before.open_interest, 'observed_day')
            = interest_then.observed_day
            and hourly.known_at >= interest_then.known_at
    asof left join funding
        on hourly.symbol = funding.symbol and hourly.known_at >= funding.known_at
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
    rsi_14,
    tr,
    atr_14,
    atr_20,
    atr_rank_100,
    atr_p75_99,
    macd_hist,
    volume_mean_20,
    volume_sd_20,
    volume_z_20,
    volume_surge,
    realized_vol_24,
    realized_vol_168,
    return_1,
    return_24,
    upper_wick,
    lower_wick,
    body,
    swing_high,
    swing_high_index,
    swing_low,
    swing_low_index,
    adx_14_4h,
    sma_20_4h,
    sma_20_1d,
    sma_50_1d,
    {{ trend('close', 'sma_20') }} as trend_1h,
    {{ trend('close_4h', 'sma_20_4h') }} as trend_4h,
    {{ trend('close_1d', 'sma_20_1d') }} as trend_1d,
    range_position_20_1d,
    volume_ratio_1d,
    {{ fresh('vix') }} as vix,
    {{ age_hours('vix') }} as vix_age_hours,
    {{ fresh('move') }} as move,
    {{ age_hours('move') }} as move_age_hours,
    {{ fresh('dxy') }} as dxy,
    {{ age_hours('dxy') }} as dxy_age_hours,
    {{ fresh('us2y') }} as us2y,
    {{ age_hours('us2y') }} as us2y_age_hours,
    {{ fresh('us10y') }} as us10y,
    {{ age_hours('us10y') }} as us10y_age_hours,
    {{ fresh('wti') }} as wti,
    {{ age_hours('wti') }} as wti_age_hours,
    {{ fresh('gold') }} as gold,
    {{ age_hours('gold') }} as gold_age_hours,
    {{ fresh('total') }} as total,
    {{ age_hours('total') }} as total_age_hours,
    {{ fresh('total2') }} as total2,
    {{ age_hours('total2') }} as total2_age_hours,
    {{ fresh('btc_dominance') }} as btc_dominance,
    {{ age_hours('btc_dominance') }} as btc_dominance_age_hours,
    {{ fresh('usdt_dominance') }} as usdt_dominance,
    {{ age_hours('usdt_dominance') }} as usdt_dominance_age_hours,
    {{ fresh('open_interest') }} as open_interest,
    {{ age_hours('open_interest') }} as open_interest_age_hours,
    {{ fresh('funding_rate') }} as funding_rate,
    {{ age_hours('funding_rate') }} as funding_rate_age_hours,
    case
        when
            {{ fresh('open_interest_24h_ago', at="known_at - interval '24 hours'") }}
            is not null
            then {{ fresh('open_interest') }} / nullif(open_interest_of_then, 0) - 1
    end as oi_change_24h,
    {{ fresh('usdt_dominance', 'z_60') }} as usdt_dominance_z_60,
    {{ fresh('total', 'mean_30') }} as total_mean_30,
    {{ fresh('total2_share') }} as total2_share,
    {{ fresh('total2_share', 'mean_30') }} as total2_share_mean_30,
    {{ fresh('yield_spread') }} as yield_spread,
from assembled
