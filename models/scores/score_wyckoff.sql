with phases as (
    select
        symbol,
        bar_ts,
        case
            when range_position_20_1d is null or volume_ratio_1d is null then null
            when volume_ratio_1d > 1.5 and range_position_20_1d < 0.3
                then 'accumulation'
            when volume_ratio_1d > 1.5 and range_position_20_1d > 0.7
                then 'distribution'
            when range_position_20_1d < 0.2 and volume_ratio_1d < 0.8 then 'spring'
            when range_position_20_1d > 0.8 and volume_ratio_1d < 0.8 then 'upthrust'
            else 'none'
        end as phase,
    from {{ ref('features') }}
)

select
    symbol,
    bar_ts,
    phase,
    case phase
        when 'accumulation' then 0.72
        when 'distribution' then 0.28
        when 'spring' then 0.65
        when 'upthrust' then 0.35
        when 'none' then 0.5
    end::double as score,
from phases
