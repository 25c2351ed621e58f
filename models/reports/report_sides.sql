-- Longs and shorts apart.
with apart as (
    select
        profile,
        symbol,
        unnest(sides, recursive := true),
    from {{ ref('evaluation_performance') }}
)

select
    * replace (
        trades::integer as trades,
        longest_win_streak::integer as longest_win_streak,
        longest_loss_streak::integer as longest_loss_streak
    ),
from apart
order by profile, side
