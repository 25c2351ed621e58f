{#- Names of the columns of a contracted model in which two rows of it differ, and of
    other columns that stand beside them, comma-joined; empty where none does. The
    columns are those of the contract: one that is added is compared. -#}
{%- macro fields_that_differ(model, one, other, but=[], beside=[]) -%}
    {%- set fields = [] -%}
    {%- for node in graph.get('nodes', {}).values() if node.name == model -%}
        {%- do fields.extend(node.columns) -%}
    {%- endfor -%}
    {%- if execute and not fields -%}
        {{ exceptions.raise_compiler_error('fields_that_differ: ' ~ model ~ ' has no columns') }}
    {%- endif -%}
    concat_ws(
        ','
        {%- for field in fields + beside if field not in but -%},
        if({{ one }}.{{ field }} is distinct from {{ other }}.{{ field }}, '{{ field }}', null)
        {%- endfor %}
    )
{%- endmacro -%}
