{#- A week: how long the last published move of a series counts. -#}
{%- set move_days = 7 -%}

with reference_days as (
    select
        days.symbol as reference_symbol,
        days.block_start_at,
        days.block_index as day_index,
        days.known_at,
        days.low,
        days.close,
    from {{ ref('bars_1d') }} as days
    where days.symbol in (select reference_symbol from {{ ref('config_profiles') }})
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
        ln(features.vix / lag(features.vix) over days_in_order) as vix_step,
        ln(features.move / lag(features.move) over days_in_order) as move_step,
        ln(features.dxy / lag(features.dxy) over days_in_order) as dxy_step,
    from reference_days as days
    asof inner join {{ ref('features') }} as features
        on
            days.reference_symbol = features.symbol
            and days.known_at >= features.known_at
    window days_in_order as (partition by days.reference_symbol order by days.day_index)
)

select
    reference_symbol,
    day,
    known_at,
    low,
    close,
    vix,
    move,
    dxy,
    realized_vol_24,
    sqrt(
        {{ trailing(3, 'avg', 'realized_vol_24 * realized_vol_24',
                    by='reference_symbol', ordered='day_index') }}
    ) as realized_vol_72,
    ln(dxy) - {{ trailing(91, 'avg', 'ln(dxy)', by='reference_symbol',
                          ordered='day_index') }} as dxy_gap_91,
    -- Markets close at weekends; their last move stays what is known of them.
    {{ latest(move_days, 'nullif(vix_step, 0)', by='reference_symbol',
              ordered='day_index') }} as vix_change,
    {{ latest(move_days, 'nullif(move_step, 0)', by='reference_symbol',
              ordered='day_index') }} as move_change,
    {{ latest(move_days, 'nullif(dxy_step, 0)', by='reference_symbol',
              ordered='day_index') }} as dxy_change,
from closes
