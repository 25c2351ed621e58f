-- A profile may ask for what a build does not fit unless it is told to.
with fitted as (
    select distinct profile from {{ ref('exit_learned') }}
)

select
    if(len(profiles.symbols) = 1, profiles.symbols[1], '*') as symbol,
    profiles.profile as subject,
    'no_lstm' as finding,
    0::double as value,
    1::double as threshold,
    format(
        '{} learns its exits by an LSTM, and none is fitted: it leaves by its rules. '
        || 'With the extra deep, dbt build --vars ''deep: true'' fits one a month, of '
        || 'the 60 trades or more that had ended by then.',
        profiles.profile
    ) as meaning,
from {{ ref('config_profiles') }} as profiles
where
    profiles.learned_model = 'lstm'
    and profiles.profile not in (select fitted.profile from fitted)
