with runs as (
    select
        entries,
        draw,
        profile,
        account,
        unnest(trades) as trade,
    from {{ ref('shadow_runs') }}
)

select
    entries,
    draw,
    profile,
    account,
    trade.*,
from runs
