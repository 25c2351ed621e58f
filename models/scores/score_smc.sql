{#- Bars of history that the oldest event in view can depend on: events of the last 200
    bars, a swing of the 200 before the event, and the 10 bars that confirm it. -#}
{%- set history_bars = 410 -%}

with bars as (
    select
        symbol,
        bar_index,
        close,
    from {{ ref('bars_1h') }}
),

active as (
    select
        symbol,
        detector,
        side,
        middle,
        reach,
        unnest(range(known_index, last_index + 1)) as bar_index,
    from {{ ref('detector_zones') }}
),

nearest as (
    select
        active.symbol,
        active.bar_index,
        active.detector,
        min(abs(bars.close - active.middle)) filter (where active.side = 'long')
            as long_distance,
        min(abs(bars.close - active.middle)) filter (where active.side = 'short')
            as short_distance,
    from active
    inner join bars using (symbol, bar_index)
    where
        active.reach is null
        or abs(bars.close - active.middle) <= active.reach * active.middle
    group by active.symbol, active.bar_index, active.detector
),

-- A detector with zones of both kinds follows the nearest; a tie says nothing.
zone_votes as (
    select
        symbol,
        bar_index,
        count(*) filter (
            where coalesce(long_distance, 'inf') < coalesce(short_distance, 'inf')
        ) as bullish,
        count(*) filter (
            where coalesce(short_distance, 'inf') < coalesce(long_distance, 'inf')
        ) as bearish,
    from nearest
    group by symbol, bar_index
),

votes as (
    select
        structures.symbol,
        structures.bar_ts,
        structures.bar_index,
        coalesce(zone_votes.bullish, 0)
        + case when structures.side = 'long' then 1 else 0 end as bullish,
        coalesce(zone_votes.bearish, 0)
        + case when structures.side = 'short' then 1 else 0 end as bearish,
    from {{ ref('detector_structure_breaks') }} as structures
    left join zone_votes using (symbol, bar_index)
)

select
    symbol,
    bar_ts,
    bullish::integer as bullish,
    bearish::integer as bearish,
    case
        when bar_index < {{ history_bars }} then null
        when bullish > bearish and bullish >= 2 then 0.5 + 0.5 * bullish / 4
        when bearish > bullish and bearish >= 2 then 0.5 - 0.5 * bearish / 4
        else 0.5
    end::double as score,
from votes
