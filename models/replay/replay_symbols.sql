with runs as (
    select
        replayed,
        profile,
        account,
        start_balance,
        liquidated,
        unnest(symbols) as traded,
    from {{ ref('replay_runs') }}
)

select
    * exclude (traded),
    traded.*,
from runs
