with reaches as (
    select distinct
        candidates.profile,
        candidates.symbol,
        candidates.bar_index as first_index,
        candidates.bar_index + profiles.candidate_window_bars as last_index,
    from {{ ref('candidates') }} as candidates
    inner join {{ ref('config_profiles') }} as profiles using (profile)
),

-- A window starts where the reach before does not touch. All reaches of a profile have
-- one length, so the one before is the one that reaches furthest.
starts as (
    select
        *,
        lag(last_index) over reaches_in_order as reached_before,
    from reaches
    window reaches_in_order as (partition by profile, symbol order by first_index)
    qualify reached_before is null or first_index > reached_before + 1
),

numbered as (
    select
        profile,
        symbol,
        first_index,
        row_number() over starts_in_order as window_id,
    from starts
    window starts_in_order as (partition by profile, symbol order by first_index)
),

windows as (
    select
        reaches.profile,
        reaches.symbol,
        numbered.window_id::integer as window_id,
        min(reaches.first_index) as first_index,
        max(reaches.last_index) as last_index,
        count(*)::integer as candidate_bars,
    from reaches
    asof inner join numbered
        on
            reaches.profile = numbered.profile
            and reaches.symbol = numbered.symbol
            and reaches.first_index >= numbered.first_index
    group by reaches.profile, reaches.symbol, numbered.window_id
),

-- History may end inside a window.
histories as (
    select
        symbol,
        max(bar_index) as last_bar_index,
    from {{ ref('bars_1h') }}
    group by symbol
)

select
    windows.profile,
    windows.symbol,
    windows.window_id,
    first_bar.bar_ts as start_ts,
    last_bar.bar_ts as end_ts,
    windows.first_index,
    last_bar.bar_index as last_index,
    windows.candidate_bars,
from windows
inner join histories using (symbol)
inner join {{ ref('bars_1h') }} as first_bar
    on windows.symbol = first_bar.symbol and windows.first_index = first_bar.bar_index
inner join {{ ref('bars_1h') }} as last_bar
    on
        windows.symbol = last_bar.symbol
        and last_bar.bar_index = least(windows.last_index, histories.last_bar_index)
