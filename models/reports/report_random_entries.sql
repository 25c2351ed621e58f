select
    profile,
    symbol,
    unnest(draws, max_depth := 2),
from {{ ref('evaluation_random_entries') }}
