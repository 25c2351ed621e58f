with runs as (
    select
        replayed,
        profile,
        symbol,
        unnest(trades) as trade,
    from {{ ref('replay_runs') }}
),

moves as (
    select
        replayed,
        profile,
        symbol,
        trade.trade_id,
        unnest(trade.stops) as move,
    from runs
)

select
    * exclude (move),
    move.*,
from moves
