{#- The two rolling frames. Both count rows of one series in time order, end at or
    before the current row, and are null while any of their n values is missing. -#}

{%- macro trailing(n, function, column, argument=none, by='symbol', ordered='bar_index') -%}
    {{ barsieve.bounded(n, 'rows between ' ~ (n - 1) ~ ' preceding and current row',
               function, column, argument, by, ordered) }}
{%- endmacro -%}

{%- macro prior(n, function, column, argument=none, by='symbol', ordered='bar_index') -%}
    {{ barsieve.bounded(n, 'rows between ' ~ n ~ ' preceding and 1 preceding',
               function, column, argument, by, ordered) }}
{%- endmacro -%}
