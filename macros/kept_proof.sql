{#- What the proof of an earlier build found is kept while its table is made anew. The
    statement of the model reads nothing, so that it runs beside any build. -#}
{%- macro put_proof_aside() -%}
    {%- set written = load_relation(this) if execute else none %}
    create or replace temp table kept_proof as
    {% if written -%}
    select columns(lambda name: name in {{ model.columns | list }}) from {{ written }}
    {%- else -%}
    select null as code_hash, null as configs_hash, null as market_hash where false
    {%- endif %}
{%- endmacro -%}

{#- Rows put aside that are of this build's own code, configs and market. -#}
{%- macro put_proof_back() -%}
    insert into {{ this }} by name
    select kept.*
    from kept_proof as kept
    inner join (select barsieve_build()::json as info) as build
        on
            kept.code_hash = build.info ->> '$.code_hash'
            and kept.configs_hash = build.info ->> '$.configs_hash'
            and kept.market_hash = build.info ->> '$.market_hash'
{%- endmacro -%}
