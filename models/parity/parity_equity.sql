{#- Half a unit in the last place of 1: what one addition of doubles may lose. A leg is
    at most four of them (its result, fee, slippage, and the balance), each of no more than
    the most money that the account ever had or moved. -#}
{%- set rounding = 1.1102230246251565e-16 -%}
{%- set additions_of_a_leg = 4 -%}

with legs as (
    select
        replayed,
        profile,
        account,
        sum(amount - fee - slippage order by account_leg) as net_of_legs,
        count(*) as n_legs,
        max(greatest(abs(balance), abs(amount))) as most_money,
    from {{ ref('replay_legs') }}
    group by replayed, profile, account
),

sums_of_trades as (
    select
        replayed,
        profile,
        account,
        sum(net_pnl order by trade_id) as net_of_trades,
        sum(shortfall order by trade_id) as not_paid,
    from {{ ref('replay_trades') }}
    group by replayed, profile, account
),

-- What an account is worth: of one symbol its equity, of many that of the profile.
marks as (
    select
        replayed,
        profile,
        symbol as account,
        bar_ts,
        equity,
    from {{ ref('replay_equity') }}
    union all by name
    select
        replayed,
        profile,
        '*' as account,
        bar_ts,
        equity,
    from {{ ref('replay_profile_equity') }}
),

last_marks as (
    select
        replayed,
        profile,
        account,
        arg_max(equity, bar_ts) as last_equity,
        min(equity) as least_equity,
    from marks
    group by replayed, profile, account
),

ends as (
    select
        runs.replayed,
        runs.profile,
        runs.account,
        runs.start_balance,
        runs.end_balance,
        coalesce(sums_of_trades.not_paid, 0) as shortfall,
        runs.start_balance + coalesce(legs.net_of_legs, 0) + shortfall
            as start_and_legs,
        runs.start_balance + coalesce(sums_of_trades.net_of_trades, 0) + shortfall
            as start_and_trades,
        last_marks.last_equity,
        last_marks.least_equity,
        {{ rounding }} * {{ additions_of_a_leg }} * (coalesce(legs.n_legs, 0) + 1)
        * greatest(runs.start_balance, coalesce(legs.most_money, 0)) as tolerance,
    from {{ ref('replay_runs') }} as runs
    left join legs using (replayed, profile, account)
    left join sums_of_trades using (replayed, profile, account)
    left join last_marks using (replayed, profile, account)
)

select
    *,
    case
        when
            abs(end_balance - start_and_legs) <= tolerance
            and abs(end_balance - start_and_trades) <= tolerance
            and abs(end_balance - last_equity) <= tolerance
            and least_equity >= -tolerance
            then 'identical'
        else 'differs'
    end as verdict,
from ends
