select
    symbol,
    bar_ts,
    'volume_spike' as sentinel,
    case
        when close > open then 'long'
        when close < open then 'short'
        else 'none'
    end as side,
from {{ ref('features') }}
where volume_sd_20 > 0 and volume > volume_mean_20 + 2 * volume_sd_20
