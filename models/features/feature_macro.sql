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

features_of_symbols as (
    select
        symbols.symbol,
        macro_series.feature,
        macro_series.series,
        macro_series.stale_after_hours,
    from (select distinct symbol from {{ ref('bars_1h') }}) as symbols
    inner join {{ ref('macro_series') }} as macro_series
        on macro_series.symbol is null or symbols.symbol = macro_series.symbol
    where macro_series.source = 'macro' and macro_series.feature is not null
    union all
    select
        symbols.symbol,
        'total2_share' as feature,
        'TOTAL2_SHARE' as series,
        macro_series.stale_after_hours,
    from (select distinct symbol from {{ ref('bars_1h') }}) as symbols
    inner join {{ ref('macro_series') }} as macro_series
        on macro_series.series = 'TOTAL2'
    union all
    select
        symbols.symbol,
        'yield_spread' as feature,
        'YIELD_SPREAD' as series,
        macro_series.stale_after_hours,
    from (select distinct symbol from {{ ref('bars_1h') }}) as symbols
    inner join {{ ref('macro_series') }} as macro_series
        on macro_series.series = 'US2Y'
),

moments as (
    select distinct moment from statistics
),

readings as (
    select
        features_of_symbols.symbol,
        features_of_symbols.feature,
        moments.moment as known_at,
        struct_pack(
            value := statistics.value,
            observed_day := statistics.observed_day,
            known_at := statistics.known_at,
            stale_after_hours := features_of_symbols.stale_after_hours,
            mean_30 := case when statistics.n_days >= 30 then statistics.mean_30 end,
            z_60 := case
                when statistics.n_days >= 60
                    then
                        (statistics.value - statistics.mean_60)
                        / nullif(statistics.sd_60, 0)
            end
        ) as reading,
    from features_of_symbols
    cross join moments
    asof inner join statistics
        on
            features_of_symbols.series = statistics.series
            and moments.moment >= statistics.moment
)

select
    symbol,
    known_at,
    any_value(reading) filter (where feature = 'vix') as vix,
    any_value(reading) filter (where feature = 'move') as move,
    any_value(reading) filter (where feature = 'dxy') as dxy,
    any_value(reading) filter (where feature = 'us2y') as us2y,
    any_value(reading) filter (where feature = 'us10y') as us10y,
    any_value(reading) filter (where feature = 'yield_spread') as yield_spread,
    any_value(reading) filter (where feature = 'wti') as wti,
    any_value(reading) filter (where feature = 'gold') as gold,
    any_value(reading) filter (where feature = 'total') as total,
    any_value(reading) filter (where feature = 'total2') as total2,
    any_value(reading) filter (where feature = 'total2_share') as total2_share,
    any_value(reading) filter (where feature = 'btc_dominance') as btc_dominance,
    any_value(reading) filter (where feature = 'usdt_dominance') as usdt_dominance,
    any_value(reading) filter (where feature = 'open_interest') as open_interest,
from readings
group by symbol, known_at
