-- A bar as the step of the replay sees it; columns as in barsieve.replay.state.BAR.
select
    fusion.profile,
    fusion.symbol,
    fusion.bar_ts,
    {{ replay_bar('fusion', 'features') }},
    fusion.confidence,
    fusion.threshold,
    case fusion.side when 'long' then 1 when 'short' then -1 else 0 end::tinyint
        as side,
    fusion.is_eligible,
from {{ ref('fusion_scores') }} as fusion
inner join {{ ref('features') }} as features using (symbol, bar_ts)
