with domain_scores as (
    select
        symbol,
        bar_ts,
        'wyckoff' as domain,
        score,
    from {{ ref('score_wyckoff') }}
    union all
    select
        symbol,
        bar_ts,
        'liquidity' as domain,
        score,
    from {{ ref('score_liquidity') }}
    union all
    select
        symbol,
        bar_ts,
        'smc' as domain,
        score,
    from {{ ref('score_smc') }}
    union all
    select
        symbol,
        bar_ts,
        'momentum' as domain,
        score,
    from {{ ref('score_momentum') }}
    union all
    select
        symbol,
        bar_ts,
        'temporal' as domain,
        score,
    from {{ ref('score_temporal') }}
)

select
    symbol,
    bar_ts,
    domain,
    score,
    {{ vote('score') }} as vote,
from domain_scores
