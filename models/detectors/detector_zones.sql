-- Every zone with the span of bars in which it is active: from the bar that makes it
-- known to the bar before the one that spends it, or until it is too old.
with zones as (
    select * from {{ ref('detector_order_blocks') }}
    union all by name
    select * from {{ ref('detector_fair_value_gaps') }}
    union all by name
    select * from {{ ref('detector_liquidity_sweeps') }}
),

-- Expanded to one row per zone and later bar, so that the join is on equality.
later_bars as (
    select
        zones.* exclude (known_index, middle, reach),
        unnest(range(event_index + 1, event_index + lasts_bars + 1)) as bar_index,
    from zones
    where detector != 'liquidity_sweep'
),

spent as (
    select
        later_bars.symbol,
        later_bars.detector,
        later_bars.event_index,
        min(later_bars.bar_index) as spent_index,
    from later_bars
    inner join {{ ref('bars_1h') }} as bars using (symbol, bar_index)
    where
        bars.close < later_bars.spent_by_close_below
        or bars.close > later_bars.spent_by_close_above
        or bars.low <= later_bars.spent_by_low_at
        or bars.high >= later_bars.spent_by_high_at
    group by later_bars.symbol, later_bars.detector, later_bars.event_index
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
