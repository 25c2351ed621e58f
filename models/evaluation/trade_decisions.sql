select * exclude (replayed)
from {{ ref('evaluation_decisions') }}
where replayed = 'full'
