select
    {{ columns_of_settings('profile') }},

    -- the whole, so that a replay with other settings can start from it
    json as document,
from {{ source('configs', 'profiles') }}
