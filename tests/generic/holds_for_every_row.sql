{#- Every row fulfils an SQL expression; a null counts as a failure. -#}
{% test holds_for_every_row(model, expression) %}
select *
from {{ model }}
where not coalesce({{ expression }}, false)
{% endtest %}
