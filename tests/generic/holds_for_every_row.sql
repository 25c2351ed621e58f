{#- Every row fulfils an SQL expression; a null counts as a failure. -#}
{% test holds_for_every_row(model, expression) %}
select
    '{{ expression | replace("'", "''") | trim }}' as must_hold,
    *,
from {{ model }}
where not coalesce({{ expression }}, false)
{% endtest %}
