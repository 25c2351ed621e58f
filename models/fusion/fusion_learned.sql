with proposed as (
    select
        symbol,
        unnest(proposals, recursive := true),
    from {{ ref('sweep_walks') }}
)

select
    profile,
    symbol,
    * exclude (profile, symbol),
from proposed
