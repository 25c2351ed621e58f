select * exclude (folds)
from {{ ref('sweep_runs') }}
