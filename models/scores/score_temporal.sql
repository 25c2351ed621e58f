with bars as (
    select
        *,
        (isodow(bar_ts) - 1) * 24 + hour(bar_ts) as week_hour,
        (isodow(known_at) - 1) * 24 + hour(known_at) as next_week_hour,
        -- A return over more than one hour is no return of that hour of the week.
        case when gap_hours = 0 then return_1 end as hourly_return,
    from {{ ref('features') }}
),

seasons as (
    select
        symbol,
        bar_ts,
        week_hour,
        {{ trailing(12, 'avg', 'hourly_return', by='symbol, week_hour') }}
            as mean_return,
        {{ trailing(12, 'stddev_samp', 'hourly_return', by='symbol, week_hour') }}
            as return_sd,
    from bars
),

-- The next bar's hour of the week, over its last 12 occurrences known by now.
views as (
    select
        bars.symbol,
        bars.bar_ts,
        seasons.mean_return / (nullif(seasons.return_sd, 0) / sqrt(12)) as t_statistic,
        greatest(bars.swing_high_index, bars.swing_low_index) as swing_index,
        bars.bar_index - swing_index as bars_since_swing,
        sign(
            coalesce(bars.swing_low_index, 0) - coalesce(bars.swing_high_index, 0)
        ) as swing_direction,
    from bars
    asof left join seasons
        on
            bars.symbol = seasons.symbol
            and bars.next_week_hour = seasons.week_hour
            and bars.bar_ts >= seasons.bar_ts
),

parts as (
    select
        *,
        0.25 * {{ clip('t_statistic / 2', -1, 1) }} as season_part,
        -- Within one bar of 21, 34, 55, 89 or 144 bars after the swing.
        case
            when
                bars_since_swing between 20 and 22
                or bars_since_swing between 33 and 35
                or bars_since_swing between 54 and 56
                or bars_since_swing between 88 and 90
                or bars_since_swing between 143 and 145
                then 0.25 * swing_direction
            else 0
        end as fibonacci_part,
    from views
)

select
    symbol,
    bar_ts,
    {{ clip('0.5 + season_part + fibonacci_part', 0, 1) }} as score,
from parts
