{%- set now = 'hourly.known_at' -%}

-- Everything known at the close of an hour. Slower timeframes and macro series are
-- looked up as-of that close: the latest row whose known_at has passed.
with
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

-- Which rows an hour finds. An as-of join sorts every column that it is given, so these
-- are given keys, and the rows are joined by them: over 40 symbols of five years 17 s,
-- and 35 with all columns in all six.
found as (
    select
        hourly.symbol,
        hourly.bar_ts,
        blocks_4h.known_at as known_at_4h,
        blocks_1d.known_at as known_at_1d,
        macro.known_at as known_at_macro,
        day_before.known_at as known_at_day_before,
        interest_then.value as interest_then,
        funding.known_at as known_at_funding,
    from {{ ref('feature_hourly') }} as hourly
    asof left join {{ ref('feature_4h') }} as blocks_4h
        on hourly.symbol = blocks_4h.symbol and hourly.known_at >= blocks_4h.known_at
    asof left join {{ ref('feature_1d') }} as blocks_1d
        on hourly.symbol = blocks_1d.symbol and hourly.known_at >= blocks_1d.known_at
    asof left join {{ ref('feature_macro') }} as macro
        on hourly.symbol = macro.symbol and hourly.known_at >= macro.known_at
    asof left join {{ ref('feature_macro') }} as day_before
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
    hourly.*,
    swings.* exclude (symbol, bar_ts),
    blocks_4h.adx_14_4h,
    blocks_4h.sma_20_4h,
    blocks_1d.sma_20_1d,
    blocks_1d.sma_50_1d,
    {{ trend('hourly.close', 'hourly.sma_20') }} as trend_1h,
    {{ trend('blocks_4h.close_4h', 'blocks_4h.sma_20_4h') }} as trend_4h,
    {{ trend('blocks_1d.close_1d', 'blocks_1d.sma_20_1d') }} as trend_1d,
    blocks_1d.range_position_20_1d,
    blocks_1d.volume_ratio_1d,
    {{ fresh_and_age('macro.vix', now) }},
    {{ fresh_and_age('macro.move', now) }},
    {{ fresh_and_age('macro.dxy', now) }},
    {{ fresh_and_age('macro.us2y', now) }},
    {{ fresh_and_age('macro.us10y', now) }},
    {{ fresh_and_age('macro.wti', now) }},
    {{ fresh_and_age('macro.gold', now) }},
    {{ fresh_and_age('macro.total', now) }},
    {{ fresh_and_age('macro.total2', now) }},
    {{ fresh_and_age('macro.btc_dominance', now) }},
    {{ fresh_and_age('macro.usdt_dominance', now) }},
    {{ fresh_and_age('macro.open_interest', now) }},
    {{ fresh_and_age('funding.funding_rate', now) }},
    case
        when
            {{ fresh('day_before.open_interest', now ~ " - interval '24 hours'") }}
            is not null
            then
                {{ fresh('macro.open_interest', now) }}
                / nullif(found.interest_then, 0)
                - 1
    end as oi_change_24h,
    {{ fresh('macro.usdt_dominance', now, 'z_60') }} as usdt_dominance_z_60,
    {{ fresh('macro.total', now, 'mean_30') }} as total_mean_30,
    {{ fresh('macro.total2_share', now) }} as total2_share,
    {{ fresh('macro.total2_share', now, 'mean_30') }} as total2_share_mean_30,
    {{ fresh('macro.yield_spread', now) }} as yield_spread,
from {{ ref('feature_hourly') }} as hourly
inner join {{ ref('feature_swings') }} as swings using (symbol, bar_ts)
inner join found using (symbol, bar_ts)
left join {{ ref('feature_4h') }} as blocks_4h
    on hourly.symbol = blocks_4h.symbol and found.known_at_4h = blocks_4h.known_at
left join {{ ref('feature_1d') }} as blocks_1d
    on hourly.symbol = blocks_1d.symbol and found.known_at_1d = blocks_1d.known_at
left join {{ ref('feature_macro') }} as macro
    on hourly.symbol = macro.symbol and found.known_at_macro = macro.known_at
left join {{ ref('feature_macro') }} as day_before
    on
        hourly.symbol = day_before.symbol
        and found.known_at_day_before = day_before.known_at
left join funding
    on hourly.symbol = funding.symbol and found.known_at_funding = funding.known_at
order by hourly.symbol, hourly.bar_index
