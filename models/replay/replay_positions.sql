with runs as (
    select
        replayed,
        profile,
        account,
        unnest(trades) as trade,
    from {{ ref('replay_runs') }}
)

select
    replayed,
    profile,
    account,
    trade.*,
from runs
