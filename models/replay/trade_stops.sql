select * exclude (replayed)
from {{ ref('replay_stops') }}
where replayed = 'full'
