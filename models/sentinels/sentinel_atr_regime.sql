with states as (
    select
        symbol,
        bar_ts,
        bar_index,
        atr_14 > atr_p75_99 as is_high,
    from {{ ref('features') }}
)

select
    symbol,
    bar_ts,
    'atr_regime' as sentinel,
    'none' as side,
from states
qualify is_high != lag(is_high) over (partition by symbol order by bar_index)
