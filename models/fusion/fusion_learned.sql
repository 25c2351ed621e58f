select unnest(proposals, max_depth := 2)
from {{ ref('sweep_walks') }}
