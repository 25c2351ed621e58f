-- The fusion score is linear-fractional in the weights, so over a box of weights its
-- extremes lie at the corners: at most 32, one where the box is a point.
with domains as (
    select unnest(['wyckoff', 'liquidity', 'smc', 'momentum', 'temporal']) as domain
),

bounds as (
    select
        profile,
        domain,
        json_extract_string(envelope, '$.weights.' || domain || '[0]')::double as low,
        json_extract_string(envelope, '$.weights.' || domain || '[1]')::double as high,
        case domain
            when 'wyckoff' then weight_wyckoff
            when 'liquidity' then weight_liquidity
            when 'smc' then weight_smc
            when 'momentum' then weight_momentum
            when 'temporal' then weight_temporal
        end as own,
    from {{ ref('config_profiles') }}
    cross join domains
),

edges as (
    select distinct
        profile,
        domain,
        unnest([coalesce(low, own), coalesce(high, own)]) as weight,
    from bounds
)

select
    profile,
    wyckoff.weight as weight_wyckoff,
    liquidity.weight as weight_liquidity,
    smc.weight as weight_smc,
    momentum.weight as weight_momentum,
    temporal.weight as weight_temporal,
from edges as wyckoff
inner join edges as liquidity using (profile)
inner join edges as smc using (profile)
inner join edges as momentum using (profile)
inner join edges as temporal using (profile)
where
    wyckoff.domain = 'wyckoff'
    and liquidity.domain = 'liquidity'
    and smc.domain = 'smc'
    and momentum.domain = 'momentum'
    and temporal.domain = 'temporal'
