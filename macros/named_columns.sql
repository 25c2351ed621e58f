{#- Bars with the columns that a user wants judged (var `score_columns`): one of `features`,
    or `model.column` of a model with a row a symbol and bar_ts. -#}
{%- macro named_columns() -%}
    {%- set models = [] -%}
    select
        features.symbol,
        features.bar_ts,
        features.close,
        {%- for name in var('score_columns', []) %}
            {%- if '.' in name and name.split('.')[0] != 'features' -%}
                {%- do models.append(name.split('.')[0]) -%}
            {%- endif %}
        {{ name if '.' in name else 'features.' ~ name }}::double as "{{ name }}",
        {%- endfor %}
    from {{ ref('features') }} as features
    {%- for model in models | unique %}
    left join {{ ref(model) }} as {{ model }} using (symbol, bar_ts)
    {%- endfor -%}
{%- endmacro -%}
