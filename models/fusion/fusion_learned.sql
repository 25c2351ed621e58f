with proposals as (
    select unnest(proposals, recursive := true)
    from {{ ref('sweep_walks') }}
)

select
    profile,
    month,
    regime,
    domain,
    weight,
    threshold,
    confidence,
    reason,
from proposals
