select
    symbol,
    unnest(proposals, recursive := true),
from {{ ref('sweep_walks') }}
