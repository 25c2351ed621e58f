{#- The columns of a table of settings, typed: an expression for each setting of the JSON
    Schema of that name. See barsieve.profiles.schema and docs/decisions/0026. -#}
{%- macro columns_of_settings(schema) -%}
    {%- if execute -%}
        {{ run_query("select barsieve_settings('" ~ schema ~ "')").columns[0].values()[0] }}
    {%- endif -%}
{%- endmacro -%}
