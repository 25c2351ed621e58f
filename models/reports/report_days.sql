-- The equity that the figures over time are made of, and what each day changed of it.
with days as (
    select
        profile,
        symbol,
        strategy,
        unnest(days) as marked,
    from {{ ref('evaluation_performance') }}
)

select
    profile,
    symbol,
    strategy,
    marked.day,
    marked.equity,
    marked.equity - lag(marked.equity) over each_in_order as result,
from days
window each_in_order as (partition by profile, symbol, strategy order by marked.day)
order by profile, symbol, strategy, marked.day
