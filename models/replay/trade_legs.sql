with trades as (
    select
        replayed,
        profile,
        symbol,
        unnest(trades, max_depth := 2),
    from {{ ref('replay_runs') }}
)

select
    replayed,
    profile,
    symbol,
    trade_id,
    generate_subscripts(legs, 1)::integer as leg,
    unnest(legs, max_depth := 2),
from trades
