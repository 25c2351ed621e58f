select
    symbol,
    profile,
    section,
    subject,
    figure,
    value,
    low,
    high,
    note,
from {{ ref('evaluation_optimizer') }}
