select
    profile,
    symbol,
    classifier,
    span,
    figure,
    without_regime,
    with_regime,
    difference,
    low,
    high,
    comparisons,
    coalesce(low > 0 or high < 0, false) as is_beyond_chance,
from {{ ref('evaluation_regimes') }}
