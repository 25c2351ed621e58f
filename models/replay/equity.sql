select * exclude (replayed)
from {{ ref('replay_equity') }}
where replayed = 'full'
