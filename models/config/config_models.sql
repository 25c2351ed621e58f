{#- Those of a project follow those that ship. -#}
{%- for list, names in model_lists().items() %}
    select
        '{{ list }}' as list,
        unnest({{ names }}::varchar[]) as name,
        unnest(range(1, {{ names | length }} + 1))::integer as name_number,
        name_number > {{ shipped(list) | length }} as is_own,
    {% if not loop.last %}union all by name{% endif %}
{%- endfor %}
