{#- Runs after `config_profiles`: what a contract would do, told by the list that the
    columns come from. See docs/decisions/0026. -#}
{%- macro describe_settings() -%}
    {%- if execute -%}
        {%- set found = run_query("select barsieve_setting_descriptions('profile')") -%}
        alter table {{ this }} add primary key (profile);
        {% for column, text in fromjson(found.columns[0].values()[0]).items() -%}
            comment on column {{ this }}.{{ column }} is '{{ text.replace("'", "''") }}';
        {% endfor %}
    {%- endif -%}
{%- endmacro -%}
