select
    symbol,
    ts as settled_at,
    funding_rate,
from {{ source('market', 'funding') }}
