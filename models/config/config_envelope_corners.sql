-- The fusion score is linear-fractional in the weights, so over a box of weights its
-- extremes lie at the corners: at most 32, one where the box is a point.
with edges as (
    select
        profile,
        {% for domain in domains() -%}
            list_distinct([least_{{ domain }}, most_{{ domain }}]) as {{ domain }},
        {% endfor -%}
    from {{ ref('config_envelopes') }}
)

select
    edges.profile,
    {% for domain in domains() -%}
        {{ domain }}_edges.weight as weight_{{ domain }},
    {% endfor -%}
from edges
{% for domain in domains() -%}
    cross join unnest(edges.{{ domain }}) as {{ domain }}_edges (weight)
{% endfor %}
