{#- A table of verdicts has the wanted one on every row, and at least one row: a check
    cannot pass by comparing nothing. -#}
{% test has_only_the_verdict(model, column_name, verdict) %}
with judged as (
    select * from {{ model }}
)

select {{ column_name }}::varchar as found
from judged
where {{ column_name }} is distinct from '{{ verdict }}'
union all
select 'nothing was compared' as found
where not exists (select 1 from judged)
{% endtest %}
