-- Learned settings stay in the envelope of the profile as it is now: the screen covers
-- no others. Those of another set of domains are none of its.
with learned_sets as (
    select
        profile,
        symbol,
        month,
        regime,
        count(*) as n_domains,
    from {{ ref('fusion_learned') }}
    group by profile, symbol, month, regime
),

proposed as (
    select
        profile,
        learned.symbol,
        learned.month,
        learned.regime,
        greatest(learned.threshold, envelopes.lowest_threshold) as entry_threshold,
        domain,
        domain_number,
        {{ clip('learned.weight', 'low', 'high') }} as weight,
        learned_sets.n_domains,
    from {{ ref('fusion_learned') }} as learned
    inner join learned_sets using (profile, symbol, month, regime)
    inner join {{ ref('config_weights') }} using (profile, domain)
    inner join {{ ref('config_envelopes') }} as envelopes using (profile)
),

own as (
    select
        profile,
        null::varchar as symbol,
        null::varchar as month,
        null::varchar as regime,
        profiles.entry_threshold,
        domain,
        domain_number,
        weight,
        cardinality(profiles.weights) as n_domains,
    from {{ ref('config_weights') }}
    inner join {{ ref('config_profiles') }} as profiles using (profile)
)

select
    profile,
    symbol,
    month,
    regime,
    any_value(settings.entry_threshold) as entry_threshold,
    map(
        list(domain order by domain_number), list(weight order by domain_number)
    ) as weights,
    {{ by_domain('weight', 'weight_') }},
from (
    select * from proposed
    union all by name
    select * from own
) as settings
inner join {{ ref('config_profiles') }} as profiles using (profile)
group by profile, symbol, month, regime
having
    count(*) = any_value(cardinality(profiles.weights))
    and any_value(settings.n_domains) = any_value(cardinality(profiles.weights))
