with runs as (
    select
        replayed,
        profile,
        symbol,
        unnest(trades) as trade,
    from {{ ref('replay_runs') }}
)

select
    replayed,
    profile,
    symbol,
    trade.*,
from runs
