-- Where the close stands above the mean of its last three days, in units of how far
-- three days usually carry it.
with hours as (
    select
        symbol,
        bar_ts,
        close,
        realized_vol_168 * sqrt(72 / 8760) as usual_move,
        {{ barsieve.trailing(72, 'avg', 'close') }} as mean_72,
    from {{ ref('features') }}
)

select
    symbol,
    bar_ts,
    {{ barsieve.clip('0.5 + 0.25 * ln(close / mean_72) / nullif(usual_move, 0)', 0, 1) }}
        as score,
from hours
