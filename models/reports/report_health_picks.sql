-- The best of many looks good by luck: a picked profile says out of how many.
with origins as (
    select
        profile,
        if(len(symbols) = 1, symbols[1], '*') as symbol,
        (document ->> '$.origin.tried')::bigint as tried,
        document ->> '$.origin.grid' as grid,
        document ->> '$.origin.market' as market,
        (document ->> '$.origin.until')::date as until_day,
    from {{ ref('config_profiles') }}
),

picks as (
    select
        *,
        coalesce('the market ' || market, 'this history') as history,
        coalesce(' until ' || until_day, '') as span,
        coalesce(' (grid ' || grid || ')', '') as of_grid,
    from origins
    where tried > 1
)

select
    symbol,
    profile as subject,
    'picked_of_many' as finding,
    tried::double as value,
    1::double as threshold,
    format(
        '{} was picked out of {:,} configurations that had been tried on {}{}{}: '
        || 'what it earned on it is no evidence of what it will earn.',
        profile,
        tried,
        history,
        span,
        of_grid
    ) as meaning,
from picks
