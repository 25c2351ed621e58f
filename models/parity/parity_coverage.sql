-- Every entry of the full replay must lie where the focused one may look: on a
-- candidate of its side, or (legacy screen) inside a window.
with entries as (
    select
        trades.profile,
        trades.symbol,
        trades.trade_id,
        trades.decision_ts,
        trades.side,
        profiles.screen,
    from {{ ref('trades') }} as trades
    inner join {{ ref('config_profiles') }} as profiles using (profile)
),

on_candidates as (
    select
        entries.profile,
        entries.symbol,
        entries.trade_id,
    from entries
    inner join {{ ref('candidates') }} as candidates
        on
            entries.profile = candidates.profile
            and entries.symbol = candidates.symbol
            and entries.decision_ts = candidates.bar_ts
            and entries.side = candidates.side
),

in_windows as (
    select
        entries.profile,
        entries.symbol,
        entries.trade_id,
    from entries
    inner join {{ ref('candidate_windows') }} as windows
        on
            entries.profile = windows.profile
            and entries.symbol = windows.symbol
            and entries.decision_ts between windows.start_ts and windows.end_ts
)

select
    entries.profile,
    entries.symbol,
    entries.trade_id,
    entries.decision_ts,
    entries.side,
    on_candidates.trade_id is not null as is_on_candidate,
    in_windows.trade_id is not null as is_in_window,
    case
        when entries.screen = 'admissible' and on_candidates.trade_id is not null
            then 'covered'
        when entries.screen = 'sentinel' and in_windows.trade_id is not null
            then 'covered'
        else 'missing'
    end as verdict,
from entries
left join on_candidates using (profile, symbol, trade_id)
left join in_windows using (profile, symbol, trade_id)
