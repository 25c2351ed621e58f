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
    unnest(stops, max_depth := 2),
from trades
