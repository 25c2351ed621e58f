-- Every zone with the span of bars in which it is active: from the bar that makes it
-- known to the bar before the one that spends it, or until it is too old.
with zones as (
    select * from {{ ref('detector_order_blocks') }}
    union all by name
    select * from {{ ref('detector_fair_value_gaps') }}
    union all by name
    select * from {{ ref('detector_liquidity_sweeps') }}
),

-- Zones and bars meet in stretches of 200 bars, so that the join is on equality and no
-- zone is expanded to a row for each later bar: 100 symbols were 100 million of them.
stretches_of_zones as (
    select
        zones.* exclude (known_index, middle, reach),
        unnest(range(
            (event_index + 1) // 200, (event_index + lasts_bars) // 200 + 1
        )) as stretch,
    from zones
    where detector != 'liquidity_sweep'
),

bars as (
    select
        symbol,
        bar_index,
        bar_index // 200 as stretch,
        low,
        high,
        close,
    from {{ ref('bars_1h') }}
),

spent as (
    select
        later.symbol,
        later.detector,
        later.event_index,
        min(bars.bar_index) as spent_index,
    from stretches_of_zones as later
    inner join bars using (symbol, stretch)
    where
        -- The age of the zone at the bar.
        bars.bar_index - later.event_index between 1 and later.lasts_bars
        and (
            bars.close < later.spent_by_close_below
            or bars.close > later.spent_by_close_above
            or bars.low <= later.spent_by_low_at
            or bars.high >= later.spent_by_high_at
        )
    group by later.symbol, later.detector, later.event_index
)

select
    zones.symbol,
    zones.detector,
    zones.event_index,
    zones.side,
    zones.middle,
    zones.reach,
    zones.known_index,
    least(
        zones.event_index + zones.lasts_bars,
        coalesce(spent.spent_index - 1, 2147483647)
    ) as last_index,
from zones
left join spent using (symbol, detector, event_index)
