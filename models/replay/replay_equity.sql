-- Marked to market at each close: realised balance plus the open position at that
-- close.
with runs as (
    select
        replayed,
        profile,
        symbol,
        start_balance,
    from {{ ref('replay_runs') }}
),

-- What the account holds after the last leg of a bar.
states as (
    select
        legs.replayed,
        legs.profile,
        legs.symbol,
        legs.ts,
        legs.balance,
        legs.position,
        trades.entry_price,
    from {{ ref('replay_legs') }} as legs
    inner join {{ ref('replay_trades') }} as trades
        using (replayed, profile, symbol, trade_id)
    qualify
        row_number() over (
            partition by legs.replayed, legs.profile, legs.symbol, legs.ts
            order by legs.trade_id desc, legs.leg desc
        ) = 1
),

marks as (
    select
        runs.replayed,
        runs.profile,
        runs.symbol,
        bars.bar_ts,
        coalesce(states.balance, runs.start_balance) as balance,
        coalesce(states.position, 0) as position,
        coalesce(states.position * (bars.close - states.entry_price), 0)
            as unrealised_pnl,
    from runs
    inner join {{ ref('bars_1h') }} as bars using (symbol)
    asof left join states
        on
            runs.replayed = states.replayed
            and runs.profile = states.profile
            and runs.symbol = states.symbol
            and bars.bar_ts >= states.ts
)

select
    replayed,
    profile,
    symbol,
    bar_ts,
    balance,
    position,
    unrealised_pnl,
    balance + unrealised_pnl as equity,
from marks
