-- A column for each setting of the profile's JSON Schema, the one list of them.
select
    {{ columns_of_settings() }},

    -- the whole, so that a replay with other settings can start from it
    json as document,
from {{ source('configs', 'profiles') }}
