-- Marked to market at each close: what was realised plus the open position at that
-- close. Of an account that trades many symbols a row has the part of its symbol.
with symbols as (
    select
        replayed,
        profile,
        symbol,
        account,
        start_balance,
    from {{ ref('replay_symbols') }}
),

legs as (
    select
        legs.*,
        trades.entry_price,
        legs.amount - legs.fee - legs.slippage
        + if(legs.kind = 'exit', trades.shortfall, 0) as net,
    from {{ ref('replay_legs') }} as legs
    inner join {{ ref('replay_trades') }} as trades
        using (replayed, profile, symbol, account, trade_id)
),

-- What the symbol holds after the last leg of a bar.
states as (
    select
        replayed,
        profile,
        symbol,
        ts,
        balance,
        position,
        entry_price,
        sum(net) over (
            partition by replayed, profile, symbol order by account_leg
        ) as result,
    from legs
    qualify
        row_number() over (
            partition by replayed, profile, symbol, ts order by account_leg desc
        ) = 1
),

-- A position may be left after the last bar of its symbol.
moments as (
    select
        symbols.*,
        bars.bar_ts,
        bars.close,
    from symbols
    inner join {{ ref('bars_1h') }} as bars using (symbol)
    union all
    select
        symbols.*,
        states.ts as bar_ts,
        0 as close,
    from symbols
    inner join states using (replayed, profile, symbol)
    anti join {{ ref('bars_1h') }} as bars
        on states.symbol = bars.symbol and states.ts = bars.bar_ts
),

marks as (
    select
        moments.replayed,
        moments.profile,
        moments.symbol,
        moments.bar_ts,
        case
            when moments.account = moments.symbol
                then coalesce(states.balance, moments.start_balance)
            else moments.start_balance + coalesce(states.result, 0)
        end as balance,
        coalesce(states.position, 0) as position,
        coalesce(states.position * (moments.close - states.entry_price), 0)
            as unrealised_pnl,
    from moments
    asof left join states
        on
            moments.replayed = states.replayed
            and moments.profile = states.profile
            and moments.symbol = states.symbol
            and moments.bar_ts >= states.ts
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
