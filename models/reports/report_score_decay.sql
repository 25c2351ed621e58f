with scores as (
    select
        kind,
        name,
        symbol,
        unnest(decay) as judged,
    from {{ ref('evaluation_scores') }}
)

select
    kind,
    name,
    symbol,
    judged.*,
from scores
