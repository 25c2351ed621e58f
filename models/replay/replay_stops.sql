with moves as (
    select
        replayed,
        profile,
        symbol,
        trade_id,
        unnest(stops) as move,
    from {{ ref('replay_positions') }}
)

select
    * exclude (move),
    move.*,
from moves
