-- A domain that the envelope leaves out keeps the profile's weight.
select
    profiles.profile,
    domains.name as domain,
    domains.name_number as domain_number,
    profiles.weights[domains.name] as weight,
    coalesce((
        profiles.envelope ->> ('$.weights.' || domains.name || '[0]')
    )::double, weight) as low,
    coalesce((
        profiles.envelope ->> ('$.weights.' || domains.name || '[1]')
    )::double, weight) as high,
from {{ ref('config_profiles') }} as profiles
inner join {{ ref('config_models') }} as domains
    on
        domains.list = 'domains'
        and profiles.weights[domains.name] is not null
