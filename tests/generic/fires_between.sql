{#- The rate of each kind of row, per row of another table, lies strictly within bounds.
    Judged only on a history that is long enough for a rate: `at_least_rows` rows. -#}
{% test fires_between(model, column_name, per_row_of, kinds, low, high, at_least_rows=2000) %}
with totals as (
    select count(*) as all_rows
    from {{ per_row_of }}
),

kinds as (
    select unnest({{ kinds }}) as kind
),

rates as (
    select
        kinds.kind,
        count(fired.{{ column_name }}) / any_value(totals.all_rows) as rate,
    from kinds
    cross join totals
    left join {{ model }} as fired on kinds.kind = fired.{{ column_name }}
    where totals.all_rows >= {{ at_least_rows }}
    group by kinds.kind
)

select * from rates
where rate <= {{ low }} or rate >= {{ high }}
union all
select
    {{ column_name }} as kind,
    null as rate,
from {{ model }}
where {{ column_name }} not in (select kind from kinds)
{% endtest %}
