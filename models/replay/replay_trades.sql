-- Ordered sums: equal legs give equal bits.
with sums as (
    select
        replayed,
        profile,
        symbol,
        trade_id,
        any_value(ts) filter (where kind = 'entry') as entry_ts,
        any_value(price) filter (where kind = 'entry') as entry_price,
        any_value(qty) filter (where kind = 'entry') as qty,
        any_value(ts) filter (where kind = 'exit') as exit_ts,
        any_value(price) filter (where kind = 'exit') as exit_price,
        sum(case when kind = 'funding' then 0 else amount end order by leg)
            as gross_pnl,
        sum(fee order by leg) as fees,
        sum(slippage order by leg) as slippage,
        sum(price * qty order by leg) filter (where kind != 'funding') as notional,
        -- A cost: positive when the trade paid.
        0 - sum(case when kind = 'funding' then amount else 0 end order by leg)
            as funding,
    from {{ ref('replay_legs') }}
    group by replayed, profile, symbol, trade_id
)

select
    positions.replayed,
    positions.profile,
    positions.symbol,
    positions.account,
    positions.trade_id,
    positions.side,
    sums.entry_ts,
    sums.entry_price,
    sums.exit_ts,
    sums.exit_price,
    positions.decision_ts,
    sums.qty,
    sums.gross_pnl,
    sums.fees,
    sums.slippage,
    sums.funding,
    sums.gross_pnl - sums.fees - sums.slippage - sums.funding as net_pnl,
    net_pnl / (positions.risk_distance * sums.qty) as r_multiple,
    positions.bars_held::integer as bars_held,
    positions.exit_reason,
    positions.confidence,
    positions.threshold,
    positions.loss_streak::integer as loss_streak,
    positions.threshold_shift_after,
    positions.shortfall,
    positions.mae_share,
    positions.mfe_share,
    positions.mae_r,
    positions.mfe_r,
    sums.notional,
    fusion.weights,
    fusion.regime,
from {{ ref('replay_positions') }} as positions
inner join sums using (replayed, profile, symbol, trade_id)
-- A label may be missing, a trade may not.
left join {{ ref('fusion_scores') }} as fusion
    on
        positions.profile = fusion.profile
        and positions.symbol = fusion.symbol
        and positions.decision_ts = fusion.bar_ts
