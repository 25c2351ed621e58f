{#- The last known value of a sparse column among the last n rows; null when the frame
    is short of rows (so that it never depends on where history starts). -#}
{%- macro latest(n, column, by='symbol', ordered='bar_index') -%}
    {%- set over = '(partition by ' ~ by ~ ' order by ' ~ ordered
        ~ ' rows between ' ~ (n - 1) ~ ' preceding and current row)' -%}
    case when count(*) over {{ over }} = {{ n }} then last_value({{ column }} ignore nulls) over {{ over }} end
{%- endmacro -%}
