-- What each trade was decided upon: the close of its decision, that at which its exit
-- was ordered, and the levels in force at its end.
with trades as (
    select
        *,
        -- Still open at the decision: the trade before it was of the other side.
        coalesce(lag(exit_ts) over (
            partition by replayed, profile, symbol order by trade_id
        ) > decision_ts, false) as is_reversal,
    from {{ ref('replay_trades') }}
),

last_stops as (
    select
        replayed,
        profile,
        symbol,
        trade_id,
        arg_max(stop, bar_ts) as last_stop,
    from {{ ref('replay_stops') }}
    group by replayed, profile, symbol, trade_id
),

bars as (
    select * from {{ ref('votes') }}
)

select
    trades.replayed,
    trades.profile,
    trades.symbol,
    trades.trade_id,
    trades.decision_ts as bar_ts,
    bars.known_at,
    decided.fusion_score,
    decided.is_in_atr_band,
    decided.is_in_study,
    bars.atr_rank_100,
    decided.is_aligned,
    decided.alignment,
    decided.is_eligible,
    decided.side,
    decided.votes_long,
    decided.votes_short,
    trades.confidence,
    trades.threshold,
    {{ decimal_sum('trades.threshold', '-decided.threshold') }} as streak_shift,
    trades.loss_streak,
    decided.regime,
    decided.regime_shift,
    decided.net_veto,
    bars.vix,
    decided.is_macro_exit,
    {{ map_by_domain(vote('bars.score_{}')) }} as votes,
    trades.is_reversal,
    trades.entry_price,
    trades.exit_ts,
    trades.exit_price,
    trades.exit_reason,
    trades.bars_held,
    trades.shortfall,
    positions.risk_distance,
    last_stops.last_stop,
    if(trades.side = 'long', left_at.net_veto_long, left_at.net_veto_short)
        as exit_net_veto,
    bars_left.vix as exit_vix,
    exits.known_at as exit_known_at,
from trades
inner join {{ ref('replay_positions') }} as positions
    using (replayed, profile, symbol, trade_id)
left join last_stops using (replayed, profile, symbol, trade_id)
inner join bars
    on trades.symbol = bars.symbol and trades.decision_ts = bars.bar_ts
inner join {{ ref('fusion_scores') }} as decided
    on
        trades.profile = decided.profile
        and trades.symbol = decided.symbol
        and trades.decision_ts = decided.bar_ts
-- A position may be left after the last bar of its symbol.
asof inner join bars as exits
    on trades.symbol = exits.symbol and trades.exit_ts >= exits.bar_ts
-- An exit ordered at a close filled at the open of the next bar.
left join bars as bars_left
    on exits.symbol = bars_left.symbol and exits.bar_index - 1 = bars_left.bar_index
left join {{ ref('fusion_scores') }} as left_at
    on
        trades.profile = left_at.profile
        and bars_left.symbol = left_at.symbol
        and bars_left.bar_ts = left_at.bar_ts
