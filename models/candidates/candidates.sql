{#- Rounding may only widen the screen, never narrow it. -#}
{%- set slack = 1e-12 -%}

with bounds as (
    select * from {{ ref('candidate_bounds') }}
),

-- Each side gets the best case of the envelope; a tie of votes may go either way.
admissible as (
    select
        profile,
        symbol,
        bar_ts,
        bar_index,
        'long' as side,
        highest_fusion_score as score,
    from bounds
    where
        (
            votes_long > votes_short
            or (votes_long = votes_short and highest_fusion_score > 0.52 - {{ slack }})
        )
        and highest_fusion_score >= lowest_threshold - {{ slack }}
        and net_veto_long < highest_veto_limit
        and net_veto_long < macro_exit_veto
        and not is_vix_exit
    union all
    select
        profile,
        symbol,
        bar_ts,
        bar_index,
        'short' as side,
        1 - lowest_fusion_score as score,
    from bounds
    where
        (
            votes_short > votes_long
            or (votes_long = votes_short and lowest_fusion_score < 0.48 + {{ slack }})
        )
        and 1 - lowest_fusion_score >= lowest_threshold - {{ slack }}
        and net_veto_short < highest_veto_limit
        and net_veto_short < macro_exit_veto
        and not is_vix_exit
),

sentinels_of_bars as (
    select
        symbol,
        bar_ts,
        string_agg(sentinel, ',' order by sentinel) as reason,
    from {{ ref('sentinels') }}
    group by symbol, bar_ts
),

-- The legacy screen, as it was but for the unfinished bars it read.
legacy_readings as (
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
    inner join sentinels_of_bars using (symbol, bar_ts)
),

legacy as (
    select
        profiles.profile,
        readings.symbol,
        readings.bar_ts,
        readings.bar_index,
        readings.side,
        readings.proto_fusion as score,
    from legacy_readings as readings
    inner join {{ ref('config_profiles') }} as profiles
        on readings.symbol = profiles.symbol
    where
        profiles.screen = 'sentinel'
        and readings.proto_fusion >= 0.35
        and readings.adx_14_4h >= 22
        and readings.side is not null
)

select
    screened.profile,
    screened.symbol,
    screened.bar_ts,
    screened.bar_index,
    screened.side,
    screened.score,
    sentinels_of_bars.reason,
from (
    select * from admissible
    union all by name
    select * from legacy
) as screened
left join sentinels_of_bars using (symbol, bar_ts)
