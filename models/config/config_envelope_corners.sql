-- The fusion score is linear-fractional in the weights, so over a box of weights its
-- extremes lie at the corners: at most 32, one where the box is a point.
with edges as (
    select
        profile,
        list_distinct([least_wyckoff, most_wyckoff]) as wyckoff,
        list_distinct([least_liquidity, most_liquidity]) as liquidity,
        list_distinct([least_smc, most_smc]) as smc,
        list_distinct([least_momentum, most_momentum]) as momentum,
        list_distinct([least_temporal, most_temporal]) as temporal,
    from {{ ref('config_envelopes') }}
)

select
    edges.profile,
    wyckoff_edges.weight as weight_wyckoff,
    liquidity_edges.weight as weight_liquidity,
    smc_edges.weight as weight_smc,
    momentum_edges.weight as weight_momentum,
    temporal_edges.weight as weight_temporal,
from edges
cross join unnest(edges.wyckoff) as wyckoff_edges (weight)
cross join unnest(edges.liquidity) as liquidity_edges (weight)
cross join unnest(edges.smc) as smc_edges (weight)
cross join unnest(edges.momentum) as momentum_edges (weight)
cross join unnest(edges.temporal) as temporal_edges (weight)
