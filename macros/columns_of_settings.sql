{#- The columns of a table of settings, typed: an expression for each setting of the JSON
    Schema of that name. See barsieve.profiles.schema and docs/decisions/0026. A compile
    that may ask nothing (--no-introspect) says where they would stand. -#}
{%- macro columns_of_settings(schema) -%}
    {%- if execute and not flags.INTROSPECT | default(true) -%}
        /* the settings of '{{ schema }}': asked of the package when tables are made */ *
    {%- elif execute -%}
        {{ run_query("select barsieve_settings('" ~ schema ~ "')").columns[0].values()[0] }}
    {%- endif -%}
{%- endmacro -%}
