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
from {{ ref('report_optimizer_figures') }}
