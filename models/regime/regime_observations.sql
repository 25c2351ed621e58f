{#- Days between two dates of a series that still make a daily move: a long weekend. -#}
{%- set move_days = 7 -%}
{#- A quarter, and how many dates of it must be known: half. -#}
{%- set quarter_days = 91 -%}
{%- set quarter_least = 45 -%}

with reference_days as (
    select
        days.symbol as reference_symbol,
        days.block_start_at,
        days.block_index as day_index,
        days.known_at,
        days.low,
        days.close,
    from {{ ref('bars_1d') }} as days
    where days.symbol in (select reference_symbol from {{ ref('config_symbols') }})
),

-- What was known when the day ended, even if its last hours are missing.
closes as (
    select
        days.reference_symbol,
        days.block_start_at::date as day,
        days.day_index,
        days.known_at,
        days.low,
        days.close,
        features.vix,
        features.move,
        features.dxy,
        features.realized_vol_24,
    from reference_days as days
    asof inner join {{ ref('features') }} as features
        on
            days.reference_symbol = features.symbol
            and days.known_at >= features.known_at
),

vintages as (
    select
        macro_series.feature,
        macro.observed_day,
        macro.known_at,
        macro.value,
    from {{ ref('bars_macro') }} as macro
    inner join {{ ref('macro_series') }} as macro_series using (series)
    where macro_series.feature in ('vix', 'move', 'dxy')
),

moments as (
    select distinct known_at as moment from closes
),

-- The dates of a series as they stood when a day ended, each in its latest vintage.
-- Twice a quarter holds a whole one, however old the last date is before it is stale.
dates as (
    select
        moments.moment,
        vintages.feature,
        vintages.observed_day,
        arg_max(vintages.value, vintages.known_at) as value,
    from moments
    inner join vintages
        on
            moments.moment >= vintages.known_at
            and moments.moment - interval '{{ 2 * quarter_days }} days'
            < vintages.observed_day
    group by moments.moment, vintages.feature, vintages.observed_day
),

numbered_dates as (
    select
        *,
        max(observed_day) over of_series as last_day,
        row_number() over (
            partition by moment, feature order by observed_day desc
        ) as days_back,
    from dates
    window of_series as (partition by moment, feature)
),

-- How a series stood: its last move, and how far it is from its mean of a quarter.
standings as (
    select
        moment,
        feature,
        case
            when
                min(observed_day) filter (where days_back <= 2)
                >= any_value(last_day) - {{ move_days }}
                then
                    ln(
                        any_value(value) filter (where days_back = 1)
                        / any_value(value) filter (where days_back = 2)
                    )
        end as last_move,
        case
            when
                count(*) filter (where observed_day > last_day - {{ quarter_days }})
                >= {{ quarter_least }}
                then
                    ln(any_value(value) filter (where days_back = 1))
                    - avg(ln(value) order by observed_day) filter (
                        where observed_day > last_day - {{ quarter_days }}
                    )
        end as quarter_gap,
    from numbered_dates
    group by moment, feature
)

select
    closes.reference_symbol,
    closes.day,
    closes.known_at,
    closes.low,
    closes.close,
    closes.vix,
    closes.move,
    closes.dxy,
    closes.realized_vol_24,
    sqrt(
        {{ trailing(3, 'avg', 'closes.realized_vol_24 * closes.realized_vol_24',
                    by='closes.reference_symbol', ordered='closes.day_index') }}
    ) as realized_vol_72,
    case when closes.dxy is not null then dxy.quarter_gap end as dxy_gap_91,
    -- Markets close at weekends; their last move stays what is known of them.
    case when closes.vix is not null then vix.last_move end as vix_change,
    case when closes.move is not null then move.last_move end as move_change,
    case when closes.dxy is not null then dxy.last_move end as dxy_change,
from closes
left join standings as vix
    on closes.known_at = vix.moment and vix.feature = 'vix'
left join standings as move
    on closes.known_at = move.moment and move.feature = 'move'
left join standings as dxy
    on closes.known_at = dxy.moment and dxy.feature = 'dxy'
