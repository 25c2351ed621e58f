with profiles as (
    select
        {{ columns_of_settings('profile') }},

        -- the whole, so that a replay with other settings can start from it
        json as document,
    from {{ source('configs', 'profiles') }}
)

-- What a profile names, in the order of the lists of the project.
select
    * replace (
        {{ weights_in_order('weights') }} as weights,
        {{ chosen(macro_signals(), 'macro_signals', shipped('macro_signals')) }}
            as macro_signals,
        {{ chosen(sentinels(), 'screen_sentinels', shipped('sentinels')) }}
            as screen_sentinels,
        {{ chosen(sentinels(), 'required_sentinels') }} as required_sentinels
    ),
from profiles
