-- A bar as the step of the replay sees it: the columns of barsieve.replay.state.BAR but
-- `index`, which is a bar's position among those that are read. When it is known,
-- whether it is judged and when the market ends do not concern the step.
select
    fusion.profile,
    fusion.symbol,
    fusion.bar_ts,
    fusion.known_at,
    fusion.is_in_study,
    market.ends_at as market_ends_at,
    {{ replay_bar('fusion', 'features', 'fusion') }},
    fusion.confidence,
    fusion.threshold,
    case fusion.side when 'long' then 1 when 'short' then -1 else 0 end::tinyint
        as side,
    fusion.is_eligible,
    fusion.has_sentinel,
from {{ ref('fusion_scores') }} as fusion
inner join {{ ref('features') }} as features using (symbol, bar_ts)
cross join {{ ref('shadow_end') }} as market
