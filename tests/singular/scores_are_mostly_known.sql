-- Names the domain scores that are null for much of the span.
{{ config(severity='warn') }}

select
    symbol,
    domain,
    count(score) / count(*) as share_known,
from {{ ref('scores') }}
group by symbol, domain
having share_known < 0.7
