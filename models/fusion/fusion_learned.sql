with proposed as (
    select
        symbol,
        unnest(proposals) as proposal,
    from {{ ref('sweep_walks') }}
)

select
    proposal.profile,
    symbol,
    proposal.* exclude (profile),
from proposed
