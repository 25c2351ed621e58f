-- The thresholds of the macro signals: column = signal, two underscores, JSON key.
select {{ columns_of_settings('macro_signals') }},
from {{ source('configs', 'macro_signals') }}
