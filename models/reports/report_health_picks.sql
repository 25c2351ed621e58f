-- The best of many looks good by luck: a picked profile says out of how many.
with picks as (
    select
        profile,
        symbol,
        (document ->> '$.origin.tried')::bigint as tried,
        document ->> '$.origin.grid' as grid,
    from {{ ref('config_profiles') }}
)

select
    symbol,
    profile as subject,
    'picked_of_many' as finding,
    tried::double as value,
    1::double as threshold,
    format(
        '{} was picked out of {:,} configurations that had been tried on this history '
        || '(grid {}): what it earned on it is no evidence of what it will earn.',
        profile,
        tried,
        grid
    ) as meaning,
from picks
where tried > 1
