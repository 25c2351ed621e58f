{#- The values of each group lie on both sides of the thresholds that gate on them. -#}
{% test spans(model, column_name, by, below, above, at_least_rows=2000) %}
select
    {{ by }},
    min({{ column_name }}) as lowest,
    max({{ column_name }}) as highest,
from {{ model }}
group by {{ by }}
having
    count({{ column_name }}) >= {{ at_least_rows }}
    and not (min({{ column_name }}) < {{ below }} and max({{ column_name }}) > {{ above }})
{% endtest %}
