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

-- Known at the first of the next 3 closes that turns away from the sweep.
turns as (
    select
        sweeps.symbol,
        sweeps.event_index,
        any_value(sweeps.middle) as middle,
        min(bars.bar_index) filter (
            where sweeps.is_bullish and bars.close >= 1.001 * sweeps.swept_close
        ) as bullish_index,
        min(bars.bar_index) filter (
            where sweeps.is_bearish and bars.close <= 0.999 * sweeps.swept_close
        ) as bearish_index,
    from sweeps
    cross join (select unnest([1, 2, 3]) as bars_later) as next_three
    inner join bars
        on
            sweeps.symbol = bars.symbol
            and sweeps.event_index + next_three.bars_later = bars.bar_index
    where sweeps.is_bullish or sweeps.is_bearish
    group by sweeps.symbol, sweeps.event_index
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
