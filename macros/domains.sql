{#- Domains of a score, in the order in which their weights are summed. -#}
{%- macro domains() -%}
    {{ return(['wyckoff', 'liquidity', 'smc', 'momentum', 'temporal']) }}
{%- endmacro -%}
