with legs as (
    select
        replayed,
        profile,
        symbol,
        account,
        trade_id,
        generate_subscripts(legs, 1)::integer as leg,
        unnest(legs) as part,
    from {{ ref('replay_positions') }}
)

select
    * exclude (part),
    part.*,
from legs
