select * exclude (replayed)
from {{ ref('replay_legs') }}
where replayed = 'full'
