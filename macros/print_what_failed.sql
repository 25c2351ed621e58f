{#- Runs after the last node: names what a failed test or a broken constraint found, with
    its figures. dbt itself says no more than how many rows there were. -#}
{%- macro print_what_failed(results) -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') -%}
        {%- for result in results -%}
            {%- set node, status = result.node, result.status | string -%}
            {%- if node.resource_type == 'test' and status in ('fail', 'warn') -%}
                {{ barsieve.print_rows(node.name, node.compiled_code) }}
            {%- elif node.resource_type == 'model' and status == 'error'
                and node.language == 'sql' and 'Constraint Error' in (result.message or '') -%}
                {{ barsieve.print_what_broke_a_constraint(node) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}

{#- Prints the first rows of a query of what must not be, each as JSON. -#}
{%- macro print_rows(name, query, most=3) -%}
    {%- set found = run_query(
        'select count(*) over () as n_rows, to_json(found)::varchar as row_found from ('
        ~ query ~ '\n) as found limit ' ~ most
    ) -%}
    {%- for row in found.rows -%}
        {%- if loop.first -%}
            {%- do print(name ~ ', ' ~ row[0] ~ (' row:' if row[0] == 1 else ' rows:')) -%}
        {%- endif -%}
        {%- do print('    ' ~ row[1]) -%}
        {%- if loop.last and row[0] > most -%}
            {%- do print('    and ' ~ (row[0] - most) ~ ' more') -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro -%}

{%- macro print_what_broke_a_constraint(node) -%}
    {%- set keys = [barsieve.key_without_index(node)] | select | list -%}
    {%- for constraint in node.constraints -%}
        {%- set kind = constraint.type | string -%}
        {%- if kind == 'check' -%}
            {{ barsieve.print_rows(
                node.name ~ ': ' ~ constraint.expression,
                'select * from (' ~ node.compiled_code ~ '\n) where not (' ~ constraint.expression ~ ')'
            ) }}
        {%- elif kind == 'primary_key' -%}
            {%- do keys.append(constraint.columns) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for key in keys -%}
        {{ barsieve.print_rows(
            node.name ~ ': one row for each ' ~ key | join(', '),
            'select ' ~ key | join(', ') ~ ', count(*) as n_rows from (' ~ node.compiled_code
            ~ '\n) group by all having count(*) > 1 or '
            ~ key | join(' is null or ') ~ ' is null'
        ) }}
    {%- endfor -%}
{%- endmacro -%}
