{#- A map of an expression for each domain; `{}` in it is the name of the domain. -#}
{%- macro map_by_domain(value) -%}
    {%- set values = [] -%}
    {%- for domain in barsieve.domains() -%}
        {%- do values.append(value | replace('{}', domain)) -%}
    {%- endfor -%}
    map({{ barsieve.domains() }}, [{{ values | join(', ') }}])
{%- endmacro -%}

{#- The weights that a profile's JSON names, as a map in the order of the list. -#}
{%- macro weights_in_order(weights) -%}
    {%- set named, values = [], [] -%}
    {%- for domain in barsieve.domains() -%}
        {%- do named.append("json_exists(" ~ weights ~ ", '$." ~ domain ~ "')") -%}
        {%- do values.append("(" ~ weights ~ " ->> '$." ~ domain ~ "')::double") -%}
    {%- endfor -%}
    map(
        list_where({{ barsieve.domains() }}, [{{ named | join(', ') }}]),
        list_where([{{ values | join(', ') }}], [{{ named | join(', ') }}])
    )
{%- endmacro -%}

{#- A column for each domain with a value of its row in a table of one row each, null
    where there is none. -#}
{%- macro by_domain(value, prefix) -%}
    {%- for domain in barsieve.domains() %}
    any_value({{ value }}) filter (where domain = '{{ domain }}') as {{ prefix }}{{ domain }}
    {{- ',' if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}

{#- How many domains an expression holds for; `{}` in it is the name of the domain. -#}
{%- macro domains_with(condition) -%}
    (
    {%- for domain in barsieve.domains() %}
    coalesce({{ condition | replace('{}', domain) }}, false)::integer{{ ' +' if not loop.last }}
    {%- endfor %}
    )
{%- endmacro -%}

{#- How many of the domains that a profile names vote for a side, whatever their weight. -#}
{%- macro votes_for(side) -%}
    {{ barsieve.domains_with("weight_{} is not null and " ~ barsieve.vote('score_{}') ~ " = '" ~ side ~ "'") }}
{%- endmacro -%}
