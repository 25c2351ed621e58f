-- A bar as the step of the replay sees it, with what was learned of the shadow replay.
select
    bars.*,
    sizes.kelly_share,
from {{ ref('shadow_bars') }} as bars
left join {{ ref('sizing_learned') }} as sizes using (profile, symbol, bar_ts)
