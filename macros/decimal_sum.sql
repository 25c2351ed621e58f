{#- The sum of two decimals as the double next to it: 0.65 + 0.05 is 0.7, so that what is
    exactly as large passes. By the operations of barsieve.replay.decimals in
    their order: the same bits. -#}
{%- macro decimal_sum(one, other) -%}
    floor(({{ one }} + {{ other }}) * 1e12 + 0.5) / 1e12
{%- endmacro -%}
