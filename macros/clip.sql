{#- A value held within bounds. greatest() and least() skip nulls: a missing value must
    stay missing. -#}
{%- macro clip(value, low, high) -%}
    case when {{ value }} is not null then greatest({{ low }}, least({{ high }}, {{ value }})) end
{%- endmacro -%}
