-- The legacy screen, as it was but for the unfinished bars it read.
with fired as (
    select distinct
        symbol,
        bar_ts,
    from {{ ref('sentinels') }}
),

readings as (
    select
        features.symbol,
        features.bar_ts,
        features.bar_index,
        features.adx_14_4h,
        0.3 * {{ clip('features.adx_14_4h / 50', 0, 1) }}
        + 0.2 * {{ clip('(features.rsi_14 - 30) / 40', 0, 1) }}
        + case
            when
                (features.close > features.sma_20)
                = (features.sma_20_1d > features.sma_50_1d)
                then 0.3
            else 0
        end
        + case when features.vix < 25 then 0.2 else 0 end as proto_fusion,
        case
            when
                features.close > features.sma_20
                and features.rsi_14 < 70
                and features.adx_14_4h > 20
                then 'long'
            when
                features.close < features.sma_20
                and features.rsi_14 > 30
                and features.adx_14_4h > 20
                then 'short'
        end as side,
    from {{ ref('features') }} as features
    inner join fired using (symbol, bar_ts)
)

select
    profiles.profile,
    readings.symbol,
    readings.bar_ts,
    readings.bar_index,
    readings.side,
    readings.proto_fusion as score,
from readings
inner join {{ ref('config_profiles') }} as profiles
    on readings.symbol = profiles.symbol
where
    profiles.screen = 'sentinel'
    and readings.proto_fusion >= 0.35
    and readings.adx_14_4h >= 22
    and readings.side is not null
    and profiles.sides in ('both', readings.side)
