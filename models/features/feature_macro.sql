{%- set features = [
    'vix', 'move', 'dxy', 'us2y', 'us10y', 'yield_spread', 'wti', 'gold', 'total', 'total2',
    'total2_share', 'btc_dominance', 'usdt_dominance', 'open_interest',
] -%}

-- One row per symbol and moment at which any series changed: the macro picture from
-- then on. Bars look it up as-of, so daily work stays daily whatever the number of
-- bars.
with days as (
    select * from {{ ref('feature_macro_days') }}
),

-- Summed in the order of days: one set of bits.
statistics as (
    select
        series,
        moment,
        any_value(observed_day) filter (where days_back = 1) as observed_day,
        any_value(value) filter (where days_back = 1) as value,
        any_value(known_at) filter (where days_back = 1) as known_at,
        count(*) as n_days,
        avg(value order by observed_day) filter (where days_back <= 30) as mean_30,
        avg(value order by observed_day) filter (where days_back <= 60) as mean_60,
        stddev_samp(value order by observed_day) filter (where days_back <= 60)
            as sd_60,
    from days
    group by series, moment
),

symbols as (
    select distinct symbol from {{ ref('bars_1h') }}
),

-- A feature that names no symbol is that of all.
features_of_series as (
    select
        symbol,
        feature,
        series,
        stale_after_hours,
    from {{ ref('macro_series') }}
    where source = 'macro' and feature is not null
    union all
    select
        null as symbol,
        'total2_share' as feature,
        'TOTAL2_SHARE' as series,
        stale_after_hours,
    from {{ ref('macro_series') }}
    where series = 'TOTAL2'
    union all
    select
        null as symbol,
        'yield_spread' as feature,
        'YIELD_SPREAD' as series,
        stale_after_hours,
    from {{ ref('macro_series') }}
    where series = 'US2Y'
),

moments as (
    select distinct moment from statistics
),

readings as (
    select
        features_of_series.symbol,
        features_of_series.feature,
        moments.moment as known_at,
        struct_pack(
            value := statistics.value,
            observed_day := statistics.observed_day,
            known_at := statistics.known_at,
            stale_after_hours := features_of_series.stale_after_hours,
            mean_30 := case when statistics.n_days >= 30 then statistics.mean_30 end,
            z_60 := case
                when statistics.n_days >= 60
                    then
                        (statistics.value - statistics.mean_60)
                        / nullif(statistics.sd_60, 0)
            end
        ) as reading,
    from features_of_series
    cross join moments
    asof inner join statistics
        on
            features_of_series.series = statistics.series
            and moments.moment >= statistics.moment
),

-- Grouped before there are symbols: what is the same for all is grouped once.
pictures as (
    select
        symbol,
        known_at,
        {% for feature in features -%}
            any_value(reading) filter (where feature = '{{ feature }}')
                as {{ feature }},
        {% endfor -%}
    from readings
    group by symbol, known_at
)

select
    symbols.symbol,
    moments.moment as known_at,
    {% for feature in features -%}
        coalesce(own.{{ feature }}, common.{{ feature }}) as {{ feature }},
    {% endfor -%}
from symbols
cross join moments
left join pictures as common
    on common.symbol is null and moments.moment = common.known_at
left join pictures as own
    on symbols.symbol = own.symbol and moments.moment = own.known_at
where common.known_at is not null or own.known_at is not null
