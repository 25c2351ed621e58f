-- A bar as the step of the replay sees it; columns as in barsieve.replay.state.BAR.
select
    fusion.profile,
    fusion.symbol,
    fusion.bar_ts,
    fusion.bar_index - 1 as index,
    features.gap_hours + 1 as hours_since,
    features.open,
    features.high,
    features.low,
    features.close,
    features.funding_settled as funding_rate,
    features.atr_20,
    features.adx_14_4h,
    features.volume_z_20,
    features.vix,
    fusion.net_veto_long,
    fusion.net_veto_short,
    fusion.confidence,
    fusion.threshold,
    case fusion.side when 'long' then 1 when 'short' then -1 else 0 end::tinyint
        as side,
    fusion.is_eligible,
from {{ ref('fusion_scores') }} as fusion
inner join {{ ref('features') }} as features using (symbol, bar_ts)
