{#- The columns of `config_profiles`, typed: an expression for each setting of the JSON
    Schema of profiles. See barsieve.profiles.schema and docs/decisions/0026. -#}
{%- macro columns_of_settings() -%}
    {%- if execute -%}
        {{ run_query('select barsieve_settings() as columns').columns[0].values()[0] }}
    {%- endif -%}
{%- endmacro -%}

{#- Runs after `config_profiles`: what a contract would do, told by the same list. -#}
{%- macro describe_settings() -%}
    {%- if execute -%}
        alter table {{ this }} add primary key (profile);
        {% for column, text in fromjson(
            run_query('select barsieve_setting_descriptions()').columns[0].values()[0]
        ).items() -%}
            comment on column {{ this }}.{{ column }} is '{{ text.replace("'", "''") }}';
        {% endfor %}
    {%- endif -%}
{%- endmacro -%}
