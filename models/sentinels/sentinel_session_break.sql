select
    symbol,
    bar_ts,
    'session_break' as sentinel,
    'none' as side,
from {{ ref('features') }}
-- More than 2 h since the row before: at least 2 hours are missing.
where gap_hours >= 2
