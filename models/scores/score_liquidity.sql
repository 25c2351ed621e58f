with bars as (
    select
        *,
        close - lag(close, 4) over (partition by symbol order by bar_index) as change_4,
    from {{ ref('features') }}
),

strengths as (
    select
        *,
        0.5
        + case when volume_surge > 1.2 then 0.20 else 0 end
        + case when volume_surge > 1.8 then 0.15 else 0 end
        -- A bar without a range has no wick, and so absorbs nothing.
        + case
            when change_4 > 0 and lower_wick > 0.3 then 0.15
            when change_4 < 0 and upper_wick > 0.3 then 0.15
            else 0
        end as strength,
    from bars
)

select
    symbol,
    bar_ts,
    case
        when change_4 is null or volume_surge is null then null
        when change_4 > 0 then strength
        when change_4 < 0 then 1 - strength
        else 0.5
    end::double as score,
from strengths
