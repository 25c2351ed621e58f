{#- Which models exist: the lists of dbt_project.yml, each with those of one's own. -#}

{#- A list of the project file; null is an empty one. -#}
{%- macro listed(name) -%}
    {%- set names = var(name) or [] -%}
    {%- if names is string or names is mapping or names is not iterable -%}
        {%- do exceptions.raise_compiler_error(
            'dbt_project.yml: vars ' ~ name ~ ': expected a list of names, as [one, two], found '
            ~ names ~ '. Fix: put it in brackets'
        ) -%}
    {%- endif -%}
    {{ return(names | list) }}
{%- endmacro -%}

{#- Domains of a score, in the order in which their weights are summed. -#}
{%- macro domains() -%}
    {{ return(barsieve.listed('domains') + barsieve.listed('own_domains')) }}
{%- endmacro -%}

{%- macro sentinels() -%}
    {{ return(barsieve.listed('sentinels') + barsieve.listed('own_sentinels')) }}
{%- endmacro -%}

{%- macro macro_signals() -%}
    {{ return(barsieve.listed('macro_signals') + barsieve.listed('own_signals')) }}
{%- endmacro -%}

{#- Those of a list that ship with the package. -#}
{%- macro shipped(list) -%}
    {{ return(var(list)) }}
{%- endmacro -%}

{#- All of them, as barsieve.core.model_lists has them. -#}
{%- macro model_lists() -%}
    {{ return({
        'domains': barsieve.domains(), 'sentinels': barsieve.sentinels(),
        'macro_signals': barsieve.macro_signals(),
    }) }}
{%- endmacro -%}

{#- Names that a profile chose of a list, comma-joined in the order of the list; without a
    choice those of `otherwise`, or null. -#}
{%- macro chosen(names, choice, otherwise=none) -%}
    {%- set named = choice if otherwise is none
        else 'coalesce(' ~ choice ~ ', ' ~ otherwise ~ ')' -%}
    case
        when {{ named }} is not null
            then array_to_string(
                list_where({{ names }}, [
                    {%- for name in names %}
                    list_contains({{ named }}, '{{ name }}'){{ ',' if not loop.last }}
                    {%- endfor %}
                ]),
                ','
            )
    end
{%- endmacro -%}
