-- The legacy screen, as it was but for the unfinished bars it read.
with fired as (
    select distinct
        profiles.profile,
        profiles.sides,
        sentinels.symbol,
        sentinels.bar_ts,
    from {{ ref('config_symbols') }} as profiles
    inner join {{ ref('sentinels') }} as sentinels
        on
            profiles.symbol = sentinels.symbol
            and list_contains(
                string_split(profiles.screen_sentinels, ','), sentinels.sentinel
            )
    where profiles.screen = 'sentinel'
),

readings as (
    select
        fired.profile,
        fired.sides,
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
    profile,
    symbol,
    bar_ts,
    bar_index,
    side,
    proto_fusion as score,
from readings
where
    proto_fusion >= 0.35
    and adx_14_4h >= 22
    and side is not null
    and sides in ('both', side)
