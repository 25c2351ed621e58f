select
    series,
    date as observed_day,
    value,
    known_at,
from {{ source('market', 'macro') }}
