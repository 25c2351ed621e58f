{#- Runs before any model. The checks are the package's (`barsieve check` runs the same).
    A build that starts also withdraws `build_info`, which only a completed build
    writes: a half-built database never looks whole. -#}
{%- macro refuse_bad_input() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed', 'test') -%}
        {%- set found = run_query(
            "select barsieve_problems('" ~ tojson(barsieve.model_lists()) ~ "') as problems"
        ) -%}
        {%- set problems = found.columns[0].values()[0] -%}
        {%- if problems -%}
            {{ exceptions.raise_compiler_error(problems) }}
        {%- endif -%}
        {%- if flags.WHICH in ('build', 'run') -%}
            {{ barsieve.refuse_lookahead() }}
        {%- endif -%}
        {%- set built = adapter.get_relation(target.database, target.schema, 'build_info') -%}
        {%- if flags.WHICH in ('build', 'run') and built -%}
            delete from {{ built }}
        {%- endif -%}
        {%- if flags.WHICH in ('build', 'run') -%}
            {{ barsieve.empty_what_is_left_out() }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}
