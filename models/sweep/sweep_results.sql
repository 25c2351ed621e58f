with runs as (
    select
        grid,
        config,
        symbol,
        unnest(folds) as fold,
    from {{ ref('sweep_runs') }}
)

select
    grid,
    config,
    symbol,
    fold.*,
from runs
