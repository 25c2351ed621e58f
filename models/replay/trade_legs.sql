with runs as (
    select
        replayed,
        profile,
        symbol,
        unnest(trades) as trade,
    from {{ ref('replay_runs') }}
),

legs as (
    select
        replayed,
        profile,
        symbol,
        trade.trade_id,
        generate_subscripts(trade.legs, 1)::integer as leg,
        unnest(trade.legs) as part,
    from runs
)

select
    * exclude (part),
    part.*,
from legs
