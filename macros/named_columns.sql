{#- The columns that a user wants judged (var `score_columns`): one of `features`, or
    `model.column` of a model with symbol and bar_ts. -#}
{%- macro named_columns() -%}
    {%- for name in var('score_columns', []) -%}
        {{ name if '.' in name else 'features.' ~ name }}::double as "{{ name }}",
    {% endfor -%}
{%- endmacro -%}

{%- macro tables_of_named_columns() -%}
    {%- set models = [] -%}
    {%- for name in var('score_columns', []) if '.' in name -%}
        {%- do models.append(name.split('.')[0]) -%}
    {%- endfor -%}
    {%- for model in models | unique if model != 'features' -%}
        left join {{ ref(model) }} as {{ model }} using (symbol, bar_ts)
    {% endfor -%}
{%- endmacro -%}
