select symbol
from {{ source('configs', 'universe') }}
