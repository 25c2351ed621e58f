-- The replay evaluates the entry predicate itself. Where it entered, `is_entry` must
-- hold: the loss streak only ever asks for more.
select
    trades.profile,
    trades.decision_ts,
    trades.side,
from {{ ref('replay_trades') }} as trades
left join {{ ref('fusion_scores') }} as fusion
    on
        trades.profile = fusion.profile
        and trades.symbol = fusion.symbol
        and trades.decision_ts = fusion.bar_ts
where not coalesce(fusion.is_entry and fusion.side = trades.side, false)
