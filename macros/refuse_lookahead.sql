{#- Runs before any model, over the text of all: what sees later rows, between the market
    and the candidates, is refused with its file and line. See barsieve.database.guard. -#}
{%- macro refuse_lookahead() -%}
    {%- set rows = [] -%}
    {%- for node in graph.nodes.values() -%}
        {%- if node.resource_type | string in ('model', 'seed', 'snapshot') -%}
            {%- do rows.append(barsieve.record_of(node)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set found = run_query(
        "select barsieve_lookahead('" ~ tojson(rows).replace("'", "''") ~ "') as problems"
    ) -%}
    {%- set problems = found.columns[0].values()[0] -%}
    {%- if problems -%}
        {{ exceptions.raise_compiler_error(problems) }}
    {%- endif -%}
{%- endmacro -%}
