{#- Runs after each model, in its transaction: a long table declares its key as its grain,
    not as a primary key, whose index has to fit in memory, and is refused here when two
    rows have one key. See docs/decisions/0039. -#}
{%- macro refuse_repeated_keys() -%}
    {%- set key = barsieve.key_without_index(model) -%}
    {%- if execute and key -%}
        select error(
            'Constraint Error: ' || count(*) || ' keys ({{ key | join(", ") }}) '
            || 'of {{ this.identifier }} have more than one row'
        )
        from ({{ barsieve.rows_of_a_key(this, key) }})
        having count(*) > 0
    {%- endif -%}
{%- endmacro -%}

{#- The grain of a table under contract that has no primary key; none of others. -#}
{%- macro key_without_index(node) -%}
    {%- set keys = [] -%}
    {%- for constraint in node.constraints if constraint.type | string == 'primary_key' -%}
        {%- do keys.append(constraint.columns) -%}
    {%- endfor -%}
    {%- set is_table = node.config.materialized == 'table' and node.config.contract.enforced -%}
    {{ return(node.config.meta.get('grain') if is_table and not keys else none) }}
{%- endmacro -%}

{#- Each key that has more than one row, and how many. DuckDB groups beyond its memory on
    disk: 19 million rows take 1.7 s and 1.3 GB, or less where there is less. -#}
{%- macro rows_of_a_key(relation, key) -%}
    select
        {{ key | join(', ') }},
        count(*) as n_rows,
    from {{ relation }}
    group by all
    having count(*) > 1
{%- endmacro -%}
