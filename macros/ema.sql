{#- Exponential moving average as a finite weighted mean: alpha = 2 / (span + 1), cut
    where the omitted weight (1 - alpha)^n falls below 1e-6, weights normalised to 1.
    An inner product over one row's own list: the same bits wherever history starts. -#}
{%- macro ema(column, span, by='symbol', ordered='bar_index') -%}
    {%- set decay = 1 - 2 / (span + 1) -%}
    {%- set weights = [] -%}
    {%- for k in range(1000) if decay ** k >= 1e-6 -%}
        {%- do weights.append(decay ** k) -%}
    {%- endfor -%}
    {%- set total = weights | sum -%}
    {%- set n = weights | length -%}
    {%- set over = '(partition by ' ~ by ~ ' order by ' ~ ordered
        ~ ' rows between ' ~ (n - 1) ~ ' preceding and current row)' -%}
    case
        when count({{ column }}) over {{ over }} = {{ n }}
            then list_inner_product(
                list(coalesce({{ column }}, 0)) over {{ over }},
                [{% for weight in weights | reverse %}{{ weight / total }}{{ ', ' if not loop.last }}{% endfor %}]::double []
            )
    end
{%- endmacro -%}
