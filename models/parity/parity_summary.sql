with symbols as (
    select
        profile,
        if(count(distinct symbol) = 1, any_value(symbol), '*') as symbol,
        sum(bars) filter (where replayed = 'full') as bars,
        sum(bars_visited) filter (where replayed = 'focused') as bars_visited,
    from {{ ref('replay_symbols') }}
    group by profile
),

accounts as (
    select
        profile,
        sum(len(trades)) filter (where replayed = 'full') as full_trades,
        sum(len(trades)) filter (where replayed = 'focused') as focused_trades,
    from {{ ref('replay_runs') }}
    group by profile
),

runs as (
    select * from symbols
    inner join accounts using (profile)
),

verdicts as (
    select
        profile,
        count_if(verdict = 'identical') as identical,
        count_if(verdict = 'missing') as missing,
        count_if(verdict = 'invented') as invented,
        count_if(verdict = 'differs') as differs,
    from {{ ref('parity_trades') }}
    group by profile
),

coverages as (
    select
        profile,
        count_if(verdict = 'covered') / count(*) as recall,
    from {{ ref('parity_coverage') }}
    group by profile
),

win_rates as (
    select
        profile,
        avg((net_pnl > 0)::integer) filter (where replayed = 'full') as full_win_rate,
        avg((net_pnl > 0)::integer) filter (where replayed = 'focused')
            as focused_win_rate,
    from {{ ref('replay_trades') }}
    group by profile
),

screens as (
    select
        profile,
        count(distinct row(symbol, bar_ts)) as candidate_bars,
    from {{ ref('candidates') }}
    group by profile
),

money as (
    select
        profile,
        count_if(verdict != 'identical') as unbalanced,
    from {{ ref('parity_equity') }}
    group by profile
),

compared as (
    select
        runs.*,
        profiles.screen,
        profiles.parity_promise,
        profiles.trades_tolerance,
        profiles.win_rate_tolerance,
        money.unbalanced,
        coverages.recall,
        win_rates.full_win_rate,
        win_rates.focused_win_rate,
        coalesce(verdicts.identical, 0) as identical,
        coalesce(verdicts.missing, 0) as missing,
        coalesce(verdicts.invented, 0) as invented,
        coalesce(verdicts.differs, 0) as differs,
        coalesce(screens.candidate_bars, 0) / runs.bars as candidate_share,
    from runs
    inner join {{ ref('config_profiles') }} as profiles using (profile)
    inner join money using (profile)
    left join verdicts using (profile)
    left join coverages using (profile)
    left join win_rates using (profile)
    left join screens using (profile)
),

judged as (
    select
        *,
        case
            when full_trades = 0 and focused_trades = 0 then 'vacuous'
            when unbalanced > 0 then 'broken'
            when
                parity_promise = 'exact'
                and identical = full_trades
                and missing + invented + differs = 0
                and recall = 1
                then 'holds'
            when
                parity_promise = 'within'
                and abs(focused_trades - full_trades) <= trades_tolerance * full_trades
                and abs(focused_win_rate - full_win_rate) <= win_rate_tolerance
                then 'holds'
            else 'broken'
        end as verdict,
    from compared
)

select
    profile,
    symbol,
    screen,
    parity_promise as promise,
    verdict,
    full_trades::integer as full_trades,
    focused_trades::integer as focused_trades,
    identical::integer as identical,
    missing::integer as missing,
    invented::integer as invented,
    differs::integer as differs,
    recall,
    full_win_rate,
    focused_win_rate,
    trades_tolerance,
    win_rate_tolerance,
    bars::integer as bars,
    coalesce(bars_visited, 0)::integer as bars_visited,
    candidate_share,
from judged
