{#- The models of the tag `ml` may be left out (`dbt build --exclude tag:ml`). What reads
    them then finds an empty table: one that was never built, or one of another market,
    when the bars are built anew without it. -#}
{%- macro empty_what_is_left_out() -%}
    {%- set rebuilds_bars = 'model.barsieve.bars_1h' in selected_resources -%}
    {%- for name in ['regime_runs', 'sweep_runs', 'sweep_walks', 'evaluation_sweep'] if 'model.barsieve.' ~ name not in selected_resources -%}
        {%- if rebuilds_bars or not adapter.get_relation(target.database, target.schema, name) -%}
            {%- set columns = run_query("select barsieve_columns('" ~ name ~ "') as columns") -%}
            {%- do run_query(
                'create or replace table ' ~ target.schema ~ '.' ~ name
                ~ ' (' ~ columns.columns[0].values()[0] ~ ')'
            ) -%}
            {%- set mark = run_query(
                "select barsieve_left_out('" ~ run_started_at.isoformat() ~ "') as mark"
            ) -%}
            {%- do run_query(
                'comment on table ' ~ target.schema ~ '.' ~ name
                ~ " is '" ~ mark.columns[0].values()[0] ~ "'"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro -%}
