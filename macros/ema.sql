{#- Exponential moving average as a finite weighted mean: alpha = 2 / (span + 1), cut
    after whole blocks of 12 rows, as soon as the omitted weight (1 - alpha)^n is below
    1e-6; weights normalised to 1. Two steps, rows within a block and then blocks, need
    12 + n / 12 terms in the place of n. A fixed sum of a row's own lags: the same bits
    wherever history starts, and null while any of the n values is missing. -#}

{%- macro lagged(column, rows) -%}
    {%- if rows == 0 -%}{{ column }}
    {%- else -%}lag({{ column }}, {{ rows }}) over (partition by symbol order by bar_index)
    {%- endif -%}
{%- endmacro -%}

{#- First step: the weighted sum of the 12 rows that end with this one. -#}
{%- macro ema_block(column, span) -%}
    {%- set decay = 1 - 2 / (span + 1) -%}
    {%- for k in range(12) %}
        {{ '+ ' if not loop.first }}{{ decay ** k }} * {{ barsieve.lagged(column, k) }}
    {%- endfor %}
{%- endmacro -%}

{#- Second step: the blocks, each discounted by its age, over the sum of all weights. -#}
{%- macro ema(block, span) -%}
    {%- set decay = 1 - 2 / (span + 1) -%}
    {%- set blocks = namespace(n=1) -%}
    {%- for n in range(1, 100) if decay ** (12 * (n - 1)) >= 1e-6 -%}
        {%- set blocks.n = n -%}
    {%- endfor -%}
    (
    {%- for j in range(blocks.n) %}
        {{ '+ ' if not loop.first }}{{ decay ** (12 * j) }} * {{ barsieve.lagged(block, 12 * j) }}
    {%- endfor %}
    ) / {{ (1 - decay ** (12 * blocks.n)) / (1 - decay) }}
{%- endmacro -%}
