-- One row per symbol and moment at which any series changed: the macro picture from
-- then on. Bars look it up as-of, so daily work stays daily whatever the number of
-- bars.
with observations as (
    select
        series,
        observed_day,
        known_at,
        value,
    from {{ ref('bars_macro') }}
),

-- TOTAL2 / TOTAL of a day is known when the later of the two is.
total2_shares as (
    select
        'TOTAL2_SHARE' as series,
        total2.observed_day,
        greatest(total2.known_at, total.known_at) as known_at,
        total2.value / total.value as value,
    from observations as total2
    inner join observations as total using (observed_day)
    where total2.series = 'TOTAL2' and total.series = 'TOTAL'
),

observations_and_shares as (
    select * from observations
    union all by name
    select * from total2_shares
),

numbered as (
    select
        *,
        row_number() over (partition by series order by known_at, observed_day)
            as series_index,
    from observations_and_shares
),

statistics as (
    select
        *,
        {{ trailing(30, 'avg', 'value', by='series', ordered='series_index') }}
            as mean_30,
        {{ trailing(60, 'avg', 'value', by='series', ordered='series_index') }}
            as mean_60,
        {{ trailing(60, 'stddev_samp', 'value', by='series', ordered='series_index') }}
            as sd_60,
    from numbered
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
),

moments as (
    select distinct known_at from statistics
),

readings as (
    select
        features_of_symbols.symbol,
        features_of_symbols.feature,
        moments.known_at,
        struct_pack(
            value := statistics.value,
            known_at := statistics.known_at,
            stale_after_hours := features_of_symbols.stale_after_hours,
            mean_30 := statistics.mean_30,
            z_60 := (statistics.value - statistics.mean_60)
            / nullif(statistics.sd_60, 0)
        ) as reading,
    from features_of_symbols
    cross join moments
    asof inner join statistics
        on
            features_of_symbols.series = statistics.series
            and moments.known_at >= statistics.known_at
)

select
    symbol,
    known_at,
    any_value(reading) filter (where feature = 'vix') as vix,
    any_value(reading) filter (where feature = 'move') as move,
    any_value(reading) filter (where feature = 'dxy') as dxy,
    any_value(reading) filter (where feature = 'us2y') as us2y,
    any_value(reading) filter (where feature = 'us10y') as us10y,
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
