{#- Names of the columns of a contracted model in which two rows of it differ,
    comma-joined; empty where none does. The columns are those of the contract, so that
    one that is added is compared, and of others that stand beside them; `last` tells
    which of both come last. -#}
{%- macro fields_that_differ(model, one, other, but=[], last=[]) -%}
    {%- set fields = [] -%}
    {%- for node in graph.get('nodes', {}).values() if node.name == model -%}
        {%- do fields.extend(node.columns) -%}
    {%- endfor -%}
    {%- if execute and not fields -%}
        {{ exceptions.raise_compiler_error('fields_that_differ: ' ~ model ~ ' has no columns') }}
    {%- endif -%}
    concat_ws(
        ','
        {%- for field in fields | reject('in', but + last) | list + last -%},
        if({{ one }}.{{ field }} is distinct from {{ other }}.{{ field }}, '{{ field }}', null)
        {%- endfor %}
    )
{%- endmacro -%}
