select max(bar_ts) as ends_at
from {{ ref('bars_1h') }}
