{#- A table of verdicts has the wanted one on every row and, unless a sound market may
    leave it empty, at least one row: a check cannot pass by comparing nothing. -#}
{% test has_only_the_verdict(model, column_name, verdict, may_be_empty=false) %}
with judged as (
    select * from {{ model }}
)

select
    '{{ column_name }} is {{ verdict }}' as must_hold,
    *,
from judged
where {{ column_name }} is distinct from '{{ verdict }}'
{%- if not may_be_empty %}
union all by name
select 'at least one row is compared' as must_hold
where not exists (select 1 from judged)
{%- endif %}
{% endtest %}
