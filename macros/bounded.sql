{#- An aggregate over a frame of exactly n known values, else null. -#}
{%- macro bounded(n, frame, function, column, argument, by, ordered) -%}
    {%- set over = '(partition by ' ~ by ~ ' order by ' ~ ordered ~ ' ' ~ frame ~ ')' -%}
    {%- set call = function ~ '(' ~ column
        ~ (', ' ~ argument if argument is not none else '') ~ ')' -%}
    case when count({{ column }}) over {{ over }} = {{ n }} then {{ call }} over {{ over }} end
{%- endmacro -%}
