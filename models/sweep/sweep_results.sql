select
    grid,
    config,
    symbol,
    unnest(folds, max_depth := 2),
from {{ ref('sweep_runs') }}
