with scores as (
    select
        kind,
        name,
        symbol,
        horizon_hours,
        unnest(by_month) as judged,
    from {{ ref('evaluation_scores') }}
)

select
    kind,
    name,
    symbol,
    horizon_hours,
    judged.*,
from scores
