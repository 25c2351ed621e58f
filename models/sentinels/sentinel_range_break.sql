with breaks as (
    select
        symbol,
        bar_ts,
        coalesce(close > swing_high, false) as is_above,
        coalesce(close < swing_low, false) as is_below,
    from {{ ref('features') }}
)

select
    symbol,
    bar_ts,
    'range_break' as sentinel,
    -- Beyond both (the last high lies below the last low): a break without a side.
    case
        when is_above and is_below then 'none'
        when is_above then 'long'
        else 'short'
    end as side,
from breaks
where is_above or is_below
