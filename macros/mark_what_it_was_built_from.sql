{#- Runs after each model and seed, in its transaction: the table's comment says what its
    rows are and, in its last line, what it was built from. A comment goes with its table,
    so it is there or gone as that is, whatever was selected or interrupted. See barsieve.database.marks and docs/decisions/0021. -#}
{%- macro mark_what_it_was_built_from() -%}
    {%- if execute -%}
        {%- set parents, sources = [], [] -%}
        {%- for key in barsieve.parents_of(model) -%}
            {%- if key.startswith('source.') -%}
                {%- do sources.append(key.split('.')[2]) -%}
            {%- else -%}
                {%- do parents.append(graph.nodes[key].alias or graph.nodes[key].name) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set own = {
            'table': this.identifier,
            'description': model.description or '',
            'checksum': model.checksum.checksum,
            'language': model.language or 'seed',
            'parents': parents,
            'sources': sources,
            'is_empty': flags.EMPTY or false,
            'extra': model.config.meta.get('extra'),
            'started': run_started_at.isoformat(),
        } -%}
        {{ barsieve.comment_on(this, model.config.materialized, own) }}
    {%- endif -%}
{%- endmacro -%}

{%- macro comment_on(relation, materialized, own) -%}
    {%- set found = run_query(
        "select barsieve_mark('" ~ tojson(own).replace("'", "''")
        ~ "', (select json_group_object(name, comment) from ("
        ~ 'select table_name as name, comment from duckdb_tables() '
        ~ 'where database_name = current_database() union all '
        ~ 'select view_name, comment from duckdb_views() '
        ~ 'where database_name = current_database() and not internal'
        ~ ") where name in ('" ~ own.parents | join("', '") ~ "')))"
    ) -%}
    comment on {{ 'view' if materialized == 'view' else 'table' }} {{ relation }}
    is '{{ found.columns[0].values()[0].replace("'", "''") }}'
{%- endmacro -%}
