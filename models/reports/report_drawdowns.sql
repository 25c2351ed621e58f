-- The deepest drawdowns, the deepest first.
with drawdowns as (
    select
        profile,
        symbol,
        strategy,
        generate_subscripts(drawdowns, 1)::integer as drawdown_number,
        unnest(drawdowns) as drawdown,
    from {{ ref('evaluation_performance') }}
)

select
    * exclude (drawdown),
    drawdown.*,
from drawdowns
order by profile, symbol, strategy, drawdown_number
