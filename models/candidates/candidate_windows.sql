with reaches as (
    select distinct
        candidates.profile,
        candidates.symbol,
        candidates.bar_index as first_index,
        candidates.bar_index + profiles.candidate_window_bars as last_index,
    from {{ ref('candidates') }} as candidates
    inner join {{ ref('config_profiles') }} as profiles using (profile)
),

-- A window starts where no earlier reach touches the bar before it.
starts as (
    select
        *,
        coalesce(
            first_index > 1 + max(last_index) over (
                partition by profile, symbol
                order by first_index
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as is_start,
    from reaches
),

numbered as (
    select
        *,
        sum(is_start::integer) over (
            partition by profile, symbol order by first_index
        )::integer as window_id,
    from starts
),

windows as (
    select
        profile,
        symbol,
        window_id,
        min(first_index) as first_index,
        max(last_index) as last_index,
        count(*)::integer as candidate_bars,
    from numbered
    group by profile, symbol, window_id
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
