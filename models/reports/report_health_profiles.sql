{#- Fewer trades than these are an anecdote. -#}
{%- set few_trades = 30 -%}
{#- A share of the entry orders above which refused or lapsed ones matter. -#}
{%- set many_orders = 0.1 -%}

with profiles as (
    select * from {{ ref('config_symbols') }}
),

parity as (
    select * from {{ ref('parity_summary') }}
),

promises_found as (
    select
        symbol,
        profile as subject,
        'broken_promise' as finding,
        abs(focused_trades - full_trades) / nullif(full_trades, 0) as value,
        trades_tolerance as threshold,
        format(
            '{} broke its promise ''{}'': the focused replay made {:,} trades for {:,} '
            || 'and won {} for {}; {:,} are identical. Rely on its full replay alone.',
            profile,
            promise,
            focused_trades,
            full_trades,
            coalesce(format('{:.1f} %', 100 * focused_win_rate), 'none'),
            coalesce(format('{:.1f} %', 100 * full_win_rate), 'none'),
            identical
        ) as meaning,
    from parity
    where verdict = 'broken'
),

blocking_gates as (
    select
        profile,
        symbol,
        gate,
        asks,
    from {{ ref('report_screening') }}
    where blocks_every_trade
),

trades_found as (
    select
        parity.symbol,
        parity.profile as subject,
        'no_trades' as finding,
        0 as value,
        1 as threshold,
        format(
            '{} made no trade: the gate ''{}'' lets no bar through ({}).',
            parity.profile,
            coalesce(blocking_gates.gate, 'entered'),
            coalesce(blocking_gates.asks, 'no signal could be filled')
        ) as meaning,
    from parity
    left join blocking_gates using (profile, symbol)
    where parity.full_trades = 0
    union all
    select
        symbol,
        profile as subject,
        'few_trades' as finding,
        full_trades as value,
        {{ few_trades }} as threshold,
        format(
            '{} made {:,} trade{}: figures of so few are an anecdote.',
            profile,
            full_trades,
            if(full_trades = 1, '', 's')
        ) as meaning,
    from parity
    where full_trades between 1 and {{ few_trades - 1 }}
),

accounts as (
    select
        profile,
        account as symbol,
        start_balance,
        end_balance,
        ruined_ts,
        refused,
        no_room,
        lapsed,
        liquidated,
        len(trades) + refused + no_room + lapsed as orders,
    from {{ ref('replay_runs') }}
    where replayed = 'full'
),

accounts_found as (
    select
        symbol,
        profile as subject,
        'ruined' as finding,
        end_balance as value,
        start_balance as threshold,
        format(
            '{} was ruined on {}: {:,.2f} USD of {:,.2f} are left, and what follows is '
            || 'no record of the strategy.',
            profile,
            strftime(ruined_ts, '%Y-%m-%d %H:%M'),
            end_balance,
            start_balance
        ) as meaning,
    from accounts
    where ruined_ts is not null
    union all
    select
        symbol,
        profile as subject,
        'lost_nearly_all' as finding,
        end_balance as value,
        start_balance / 10 as threshold,
        format(
            '{} has {:,.2f} USD of {:,.2f} left: later trades are small, and sums over '
            || 'time speak of its first ones.',
            profile,
            end_balance,
            start_balance
        ) as meaning,
    from accounts
    where ruined_ts is null and end_balance < start_balance / 10
    union all
    select
        symbol,
        profile as subject,
        'liquidated' as finding,
        liquidated as value,
        0 as threshold,
        format(
            '{} was liquidated: its equity fell to nothing at a close, and its results '
            || 'are those of the time before.',
            profile
        ) as meaning,
    from accounts
    where liquidated > 0
    union all
    select
        symbol,
        profile as subject,
        'many_refused' as finding,
        refused / orders as value,
        {{ many_orders }} as threshold,
        format(
            '{:,} of the {:,} entry orders of {} were refused for their size: the '
            || 'trades are a part of what its rules ask for.',
            refused,
            orders,
            profile
        ) as meaning,
    from accounts
    where refused > {{ many_orders }} * orders
    union all
    select
        symbol,
        profile as subject,
        'many_without_room' as finding,
        no_room / orders as value,
        {{ many_orders }} as threshold,
        format(
            '{:,} of the {:,} entry orders of {} found no room in the wallet: its '
            || 'trades are those of the signals that came first.',
            no_room,
            orders,
            profile
        ) as meaning,
    from accounts
    where no_room > {{ many_orders }} * orders
    union all
    select
        symbol,
        profile as subject,
        'many_lapsed' as finding,
        lapsed / orders as value,
        {{ many_orders }} as threshold,
        format(
            '{:,} of the {:,} entry orders of {} lapsed, for the next bar was hours '
            || 'later: the holes of the market cost it trades.',
            lapsed,
            orders,
            profile
        ) as meaning,
    from accounts
    where lapsed > {{ many_orders }} * orders
),

bars_of_profiles as (
    select
        fusion.profile,
        fusion.symbol,
        count(*) as bars,
        count(fusion.confidence) as sided_bars,
        min(fusion.confidence - fusion.entry_threshold) as lowest_margin,
        max(fusion.confidence - fusion.entry_threshold) as highest_margin,
        count_if(fusion.regime = 'unknown') / count(*) as share_unknown,
        avg(fusion.macro_coverage order by fusion.bar_ts) as macro_coverage,
    from {{ ref('fusion_scores') }} as fusion
    group by fusion.profile, fusion.symbol
),

decisions_found as (
    select
        symbol,
        profile as subject,
        'threshold_never_reached' as finding,
        entry_threshold + highest_margin as value,
        entry_threshold as threshold,
        format(
            '{} asks for a confidence of {:.3f}; the nearest bar is {:.3f} below.',
            profile,
            entry_threshold,
            -highest_margin
        ) as meaning,
    from bars_of_profiles
    inner join profiles using (profile, symbol)
    where highest_margin < 0
    union all
    select
        symbol,
        profile as subject,
        'threshold_always_passed' as finding,
        entry_threshold + lowest_margin as value,
        entry_threshold as threshold,
        format(
            '{} asks for a confidence of {:.3f}, and every bar with a side has at '
            || 'least {:.3f}: the threshold decides nothing.',
            profile,
            entry_threshold,
            entry_threshold + lowest_margin
        ) as meaning,
    from bars_of_profiles
    inner join profiles using (profile, symbol)
    where lowest_margin >= 0
    union all
    select
        symbol,
        profile as subject,
        'open_macro_gates' as finding,
        macro_coverage as value,
        0.5 as threshold,
        format(
            '{} could know {:.0f} % of its macro signals on the average bar: the '
            || 'others neither vetoed an entry nor ordered an exit{}.',
            profile,
            100 * macro_coverage,
            coalesce(' (mostly unknown: ' || (
                select string_agg(signal, ', ' order by signal)
                from {{ ref('evaluation_macro_coverage') }} as coverage
                where
                    coverage.symbol = bars_of_profiles.symbol
                    and known_bars < 0.5 * coverage.bars
                    and contains(
                        ',' || profiles.macro_signals || ',', ',' || signal || ','
                    )
            ) || ')', '')
        ) as meaning,
    from bars_of_profiles
    inner join profiles using (profile, symbol)
    -- None at all is said once, of the market.
    where macro_coverage > 0 and macro_coverage < 0.5
    union all
    select
        symbol,
        profile as subject,
        'unknown_regime' as finding,
        share_unknown as value,
        0.5 as threshold,
        format(
            '{} knows no regime on {:.0f} % of its bars: there the threshold is not '
            || 'shifted.',
            profile,
            100 * share_unknown
        ) as meaning,
    from bars_of_profiles
    inner join profiles using (profile, symbol)
    where profiles.classifier != 'off' and share_unknown > 0.5
    union all
    select
        symbol,
        profile as subject,
        'nothing_learned' as finding,
        0 as value,
        1 as threshold,
        format(
            '{} learns, but no month, or no sweep of just its domains, could teach it: '
            || 'its own weights and threshold were in force throughout.',
            profile
        ) as meaning,
    from profiles
    where
        learned
        and (profile, symbol) not in (
            select (profile, symbol)
            from {{ ref('fusion_learned') }}
        )
),

variations as (
    select
        profile,
        symbol,
        count(*) as bars,
        min(fusion_score) = max(fusion_score) as fusion_score,
        min(alignment) = max(alignment) as alignment,
        min(side) = max(side) as side,
        min(confidence) = max(confidence) as confidence,
        min(net_veto) = max(net_veto) as net_veto,
        min(is_eligible) = max(is_eligible) as is_eligible,
    from {{ ref('fusion_scores') }}
    -- A market without macro series has no veto, and says so.
    where macro_coverage > 0
    group by profile, symbol
),

constants as (
    unpivot variations
    on columns(* exclude (profile, symbol, bars))
    into name column_name value is_constant
),

constants_found as (
    select
        symbol,
        profile || '.' || column_name as subject,
        'constant_column' as finding,
        1 as value,
        2 as threshold,
        format(
            '{} has one value on all {:,} bars of {}: it decides nothing there.',
            column_name,
            bars,
            profile
        ) as meaning,
    from constants
    where is_constant and bars >= 2000
),

found as (
    select * from promises_found
    union all by name
    select * from trades_found
    union all by name
    select * from accounts_found
    union all by name
    select * from decisions_found
    union all by name
    select * from constants_found
)

select
    symbol,
    subject,
    finding,
    value::double as value,
    threshold::double as threshold,
    meaning,
from found
