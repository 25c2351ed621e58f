select * exclude (replayed)
from {{ ref('replay_trades') }}
where replayed = 'full'
