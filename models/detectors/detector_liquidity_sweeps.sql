-- Named columns: a CTE that is read twice is held in memory, all of it.
with bars as (
    select
        symbol,
        bar_index,
        high,
        low,
        close,
        volume,
        lower_wick,
        upper_wick,
    from {{ ref('features') }}
),

surroundings as (
    select
        *,
        {{ prior(50, 'min', 'low') }} as lowest_low_before,
        {{ prior(50, 'max', 'high') }} as highest_high_before,
        {{ prior(50, 'avg', 'volume') }} as volume_mean_before,
    from bars
),

sweeps as (
    select
        symbol,
        bar_index as event_index,
        close as swept_close,
        (high + low) / 2 as middle,
        low < lowest_low_before and lower_wick >= 0.6 as is_bullish,
        high > highest_high_before and upper_wick >= 0.6 as is_bearish,
    from surroundings
    where volume >= 1.3 * volume_mean_before
),

-- One row per sweep and later bar, so that the join is on equality.
next_three as (
    select
        *,
        event_index + unnest([1, 2, 3]) as bar_index,
    from sweeps
    where is_bullish or is_bearish
),

-- Known at the first of the next 3 closes that turns away from the sweep.
turns as (
    select
        next_three.symbol,
        next_three.event_index,
        any_value(next_three.middle) as middle,
        min(bars.bar_index) filter (
            where next_three.is_bullish and bars.close >= 1.001 * next_three.swept_close
        ) as bullish_index,
        min(bars.bar_index) filter (
            where next_three.is_bearish and bars.close <= 0.999 * next_three.swept_close
        ) as bearish_index,
    from next_three
    inner join bars using (symbol, bar_index)
    group by next_three.symbol, next_three.event_index
)

select
    symbol,
    'liquidity_sweep' as detector,
    case when bullish_index is not null then 'long' else 'short' end as side,
    event_index,
    coalesce(bullish_index, bearish_index) as known_index,
    middle,
    null::double as spent_by_close_below,
    null::double as spent_by_close_above,
    null::double as spent_by_low_at,
    null::double as spent_by_high_at,
    20 as lasts_bars,
    null::double as reach,
from turns
where bullish_index is not null or bearish_index is not null
