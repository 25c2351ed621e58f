-- Trades are matched on the decision that opened them; every other field must agree.
with full_trades as (
    select * from {{ ref('trades') }}
    where replayed = 'full'
),

focused_trades as (
    select * from {{ ref('trades') }}
    where replayed = 'focused'
),

pairs as (
    select
        profile,
        symbol,
        decision_ts,
        full_trades.trade_id as full_trade_id,
        focused_trades.trade_id as focused_trade_id,
        concat_ws(
            ',',
            case when full_trades.side is distinct from focused_trades.side then 'side' end,
            case when full_trades.entry_ts is distinct from focused_trades.entry_ts then 'entry_ts' end,
            case when full_trades.entry_price is distinct from focused_trades.entry_price then 'entry_price' end,
            case when full_trades.exit_ts is distinct from focused_trades.exit_ts then 'exit_ts' end,
            case when full_trades.exit_price is distinct from focused_trades.exit_price then 'exit_price' end,
            case when full_trades.qty is distinct from focused_trades.qty then 'qty' end,
            case when full_trades.gross_pnl is distinct from focused_trades.gross_pnl then 'gross_pnl' end,
            case when full_trades.fees is distinct from focused_trades.fees then 'fees' end,
            case when full_trades.slippage is distinct from focused_trades.slippage then 'slippage' end,
            case when full_trades.funding is distinct from focused_trades.funding then 'funding' end,
            case when full_trades.net_pnl is distinct from focused_trades.net_pnl then 'net_pnl' end,
            case when full_trades.r_multiple is distinct from focused_trades.r_multiple then 'r_multiple' end,
            case when full_trades.bars_held is distinct from focused_trades.bars_held then 'bars_held' end,
            case when full_trades.exit_reason is distinct from focused_trades.exit_reason then 'exit_reason' end,
            case when full_trades.confidence is distinct from focused_trades.confidence then 'confidence' end,
            case when full_trades.regime is distinct from focused_trades.regime then 'regime' end,
            case when full_trades.trade_id is distinct from focused_trades.trade_id then 'trade_id' end
        ) as fields_that_differ,
    from full_trades
    full outer join focused_trades using (profile, symbol, decision_ts)
)

select
    profile,
    symbol,
    decision_ts,
    full_trade_id,
    focused_trade_id,
    case
        when focused_trade_id is null then 'missing'
        when full_trade_id is null then 'invented'
        when fields_that_differ = '' then 'identical'
        else 'differs'
    end as verdict,
    case
        when full_trade_id is not null and focused_trade_id is not null
            then nullif(fields_that_differ, '')
    end as fields_that_differ,
from pairs
