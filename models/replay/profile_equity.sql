select * exclude (replayed)
from {{ ref('replay_profile_equity') }}
where replayed = 'full'
