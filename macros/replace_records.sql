{#- One statement: the table is as it was, or as it is to be. -#}
{%- macro replace_records(made, known) -%}
    {%- set relation = target.schema ~ '.build_models' -%}
    create or replace table {{ relation }} as
    with made as (
        select unnest(
            from_json(
                barsieve_models('{{ tojson(made).replace("'", "''") }}'),
                '[{
                    "model": "varchar", "relation": "varchar", "layer": "varchar",
                    "language": "varchar", "materialized": "varchar",
                    "parents": ["varchar"], "sources": "map(varchar, varchar)",
                    "grain": ["varchar"], "reads": "varchar", "known_at": "varchar",
                    "appends_by": "varchar", "settles_after": "bigint",
                    "looks_back": "bigint", "looks_back_each": "varchar",
                    "counts": "varchar",
                    "excused": "varchar", "file": "varchar", "definition": "varchar",
                    "compiled_code": "varchar"
                }]'
            ),
            recursive := true
        )
    ),

    records as (
        select
            made.*,
            map {
                {%- for setting in barsieve.settings_of_results() %}
                '{{ setting }}': current_setting('{{ setting }}')::varchar
                {{- ',' if not loop.last }}
                {%- endfor %}
            } as settings,
            timestamptz '{{ run_started_at }}' as built_at,
        from made
        {%- if adapter.get_relation(target.database, target.schema, 'build_models') %}
        union all by name
        select * from {{ relation }}
        where
            relation not in (select relation from made)
            and relation in ('{{ known | join("', '") }}')
        {%- endif %}
    )

    select
        model,
        relation,
        layer,
        language,
        materialized,
        parents,
        sources,
        grain,
        reads,
        known_at,
        appends_by,
        settles_after,
        looks_back,
        looks_back_each,
        counts,
        excused,
        file,
        definition,
        settings,
        built_at,
        compiled_code,
    from records
    order by model
{%- endmacro -%}

{#- What a session may set that decides on what a statement gives. -#}
{%- macro settings_of_results() -%}
    {{ return([
        'TimeZone', 'debug_window_mode', 'default_null_order', 'default_order',
        'ieee_floating_point_ops', 'integer_division', 'preserve_insertion_order',
    ]) }}
{%- endmacro -%}
