-- Longs and shorts apart.
with sides as (
    select
        profile,
        symbol,
        unnest(sides) as side,
    from {{ ref('evaluation_performance') }}
),

figures as (
    select
        profile,
        symbol,
        side.*,
    from sides
)

select
    * replace (
        trades::integer as trades,
        longest_win_streak::integer as longest_win_streak,
        longest_loss_streak::integer as longest_loss_streak
    ),
from figures
order by profile, symbol, side
