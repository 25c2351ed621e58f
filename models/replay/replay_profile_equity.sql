-- All that a profile has, over its accounts and symbols. A symbol without a bar at an
-- hour stands as it stood at its last one.
with symbols as (
    select
        replayed,
        profile,
        symbol,
        account,
        start_balance,
    from {{ ref('replay_symbols') }}
),

hours as (
    select distinct
        replayed,
        profile,
        bar_ts,
    from {{ ref('replay_equity') }}
),

-- Money lies in accounts.
moved as (
    select
        replayed,
        profile,
        account,
        ts,
        arg_max(balance, account_leg) as balance,
    from {{ ref('replay_legs') }}
    group by replayed, profile, account, ts
),

money as (
    select
        hours.replayed,
        hours.profile,
        hours.bar_ts,
        sum(
            coalesce(moved.balance, accounts.start_balance) order by accounts.account
        ) as balance,
    from hours
    inner join {{ ref('replay_runs') }} as accounts using (replayed, profile)
    asof left join moved
        on
            accounts.replayed = moved.replayed
            and accounts.profile = moved.profile
            and accounts.account = moved.account
            and hours.bar_ts >= moved.ts
    group by hours.replayed, hours.profile, hours.bar_ts
),

marks as (
    select
        *,
        position * close as notional,
    from {{ ref('replay_equity') }}
    left join {{ ref('bars_1h') }} using (symbol, bar_ts)
),

held as (
    select
        hours.replayed,
        hours.profile,
        hours.bar_ts,
        sum(marks.unrealised_pnl order by marks.symbol) as unrealised_pnl,
        count_if(marks.position != 0)::integer as positions,
        sum(greatest(marks.notional, 0) order by marks.symbol) as long_notional,
        sum(greatest(-marks.notional, 0) order by marks.symbol) as short_notional,
    from hours
    inner join symbols using (replayed, profile)
    asof inner join marks
        on
            symbols.replayed = marks.replayed
            and symbols.profile = marks.profile
            and symbols.symbol = marks.symbol
            and hours.bar_ts >= marks.bar_ts
    group by hours.replayed, hours.profile, hours.bar_ts
)

select
    replayed,
    profile,
    bar_ts,
    balance,
    unrealised_pnl,
    balance + unrealised_pnl as equity,
    positions,
    long_notional,
    short_notional,
from money
inner join held using (replayed, profile, bar_ts)
