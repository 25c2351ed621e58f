select
    *,
    coalesce(low > 0 or high < 0, false) as is_beyond_chance,
from {{ ref('evaluation_regimes') }}
