{#- Runs after the last node: the table `build_models` keeps, of each model and seed that
    was made in this run, what to know to run it again elsewhere. What was not made keeps
    its row, and what the project no longer has loses it. See barsieve.database.models and
    docs/decisions/0023. -#}
{%- macro record_models(results) -%}
    {%- set made, known = [], [] -%}
    {%- if execute -%}
        {%- for result in results if result.status | string == 'success' -%}
            {%- if result.node.resource_type | string in ('model', 'seed', 'snapshot') -%}
                {%- do made.append(barsieve.record_of(result.node)) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for node in graph.nodes.values() if node.relation_name -%}
            {%- do known.append(node.relation_name) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if made -%}
        {{ barsieve.replace_records(made, known) }}
    {%- endif -%}
{%- endmacro -%}

{%- macro record_of(node) -%}
    {%- set parents, sources = [], {} -%}
    {%- for key in barsieve.parents_of(node) -%}
        {%- if key.startswith('source.') -%}
            {%- set found = graph.sources[key] -%}
            {%- do sources.update({
                found.source_name ~ '.' ~ found.name:
                source(found.source_name, found.name).render()
            }) -%}
        {%- elif key in graph.nodes -%}
            {%- do parents.append(graph.nodes[key].alias or graph.nodes[key].name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set in_package = node.package_name != project_name -%}
    {{ return({
        'model': node.alias or node.name,
        'relation': node.relation_name,
        'layer': node.fqn[1] if node.fqn | length > 2 else node.resource_type | string,
        'language': node.language if node.resource_type | string == 'model' else none,
        'materialized': node.config.materialized,
        'parents': parents,
        'sources': sources,
        'grain': node.config.meta.get('grain') or none,
        'reads': node.config.meta.get('reads') or none,
        'known_at': node.config.meta.get('known_at') or none,
        'appends_by': node.config.meta.get('appends_by') or none,
        'settles_after': node.config.meta.get('settles_after') or 0,
        'looks_back': node.config.meta.get('looks_back') or none,
        'looks_back_each': node.config.meta.get('looks_back_each') or none,
        'counts': node.config.meta.get('counts') or none,
        'excused': node.config.meta.get('lookahead_excused') or none,
        'file': ('dbt_packages/' ~ node.package_name ~ '/' if in_package else '')
            ~ node.original_file_path,
        'raw_code': node.raw_code or none,
        'compiled_code': node.compiled_code or none,
    }) }}
{%- endmacro -%}

{#- The keys of the nodes and sources whose rows a node reads: an ephemeral model has none
    of its own, and stands for what it reads. -#}
{%- macro parents_of(node) -%}
    {%- set keys = [] -%}
    {%- for key in node.depends_on.nodes -%}
        {%- set parent = graph.nodes.get(key) -%}
        {%- if parent and parent.config.materialized == 'ephemeral' -%}
            {%- do keys.extend(barsieve.parents_of(parent)) -%}
        {%- else -%}
            {%- do keys.append(key) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro -%}
