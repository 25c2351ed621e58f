with runs as (
    select
        profile,
        symbol,
        unnest(draws) as drawn,
    from {{ ref('evaluation_random_entries') }}
)

select
    profile,
    symbol,
    drawn.*,
from runs
