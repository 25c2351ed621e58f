with runs as (
    select
        replayed,
        profile,
        account,
        unnest(states) as state,
    from {{ ref('replay_runs') }}
)

select
    * exclude (state),
    state.*,
from runs
