-- Marked to market at each close: realised money plus the open position at that close.
with runs as (
    select
        replayed,
        profile,
        symbol,
        start_balance,
    from {{ ref('replay_runs') }}
),

signed_legs as (
    select
        legs.replayed,
        legs.profile,
        legs.symbol,
        legs.ts,
        legs.amount - legs.fee - legs.slippage as cash,
        case trades.side when 'long' then 1 else -1 end
        * case legs.kind when 'entry' then legs.qty when 'funding' then 0 else -legs.qty end
            as quantity,
        case legs.kind when 'entry' then legs.price end as entry_price,
        legs.trade_id,
        legs.leg,
        legs.kind,
    from {{ ref('trade_legs') }} as legs
    inner join {{ ref('trades') }} as trades
        using (replayed, profile, symbol, trade_id)
),

-- The state after each leg; an exit leaves exactly nothing.
states as (
    select
        replayed,
        profile,
        symbol,
        ts,
        trade_id,
        leg,
        sum(cash) over legs_so_far as cash,
        case
            when kind = 'exit' then 0
            else sum(quantity) over legs_of_trade_so_far
        end as position,
        first_value(entry_price ignore nulls) over legs_of_trade as entry_price,
    from signed_legs
    window
        legs_so_far as (
            partition by replayed, profile, symbol
            order by trade_id, leg
            rows between unbounded preceding and current row
        ),
        legs_of_trade_so_far as (
            partition by replayed, profile, symbol, trade_id
            order by leg
            rows between unbounded preceding and current row
        ),
        legs_of_trade as (
            partition by replayed, profile, symbol, trade_id
            order by leg
            rows between unbounded preceding and unbounded following
        )
),

states_at_closes as (
    select *
    from states
    qualify
        row_number() over (
            partition by replayed, profile, symbol, ts order by trade_id desc, leg desc
        ) = 1
)

select
    runs.replayed,
    runs.profile,
    runs.symbol,
    bars.bar_ts,
    runs.start_balance + coalesce(states.cash, 0) as balance,
    coalesce(states.position, 0) as position,
    coalesce(states.position * (bars.close - states.entry_price), 0) as unrealised_pnl,
    runs.start_balance
    + coalesce(states.cash, 0)
    + coalesce(states.position * (bars.close - states.entry_price), 0) as equity,
from runs
inner join {{ ref('bars_1h') }} as bars using (symbol)
asof left join states_at_closes as states
    on
        runs.replayed = states.replayed
        and runs.profile = states.profile
        and runs.symbol = states.symbol
        and bars.bar_ts >= states.ts
