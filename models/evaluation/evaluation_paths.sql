with positions as (
    select * from {{ ref('replay_positions') }}
    where replayed = 'full'
)

select * from (
    {{ paths_of('positions', ['profile']) }}
)
