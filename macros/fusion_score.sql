{#- Weighted mean of the known domain scores, then shrunk towards 0.5 by the factor 0.8
    when the trends do not align. `weights` has an expression for each domain, 0 for one
    that has no part. Always summed in the order of the list: the same bits in
    `fusion_scores` and in the bound of the screen, and a domain of weight 0 moves none.
    Null without a score or a trend. -#}
{%- macro fusion_score(votes, weights) -%}
    case
        when {{ votes }}.alignment is not null
            then 0.5 + case when {{ votes }}.is_aligned then 1 else 0.8 end * (
                (
                    {% for domain, weight in weights.items() -%}
                    {{ weight }} * coalesce({{ votes }}.score_{{ domain }}, 0)
                    {{- ' + ' if not loop.last }}
                    {% endfor -%}
                ) / nullif(
                    {% for domain, weight in weights.items() -%}
                    case when {{ votes }}.score_{{ domain }} is not null then {{ weight }} else 0 end
                    {{- ' + ' if not loop.last }}
                    {% endfor -%}, 0
                ) - 0.5
            )
    end
{%- endmacro -%}

{#- The weights of a relation with a column for each domain, null where a profile does not
    name it. -#}
{%- macro weights_of(relation) -%}
    {%- set weights = {} -%}
    {%- for domain in barsieve.domains() -%}
        {%- do weights.update({domain: 'coalesce(' ~ relation ~ '.weight_' ~ domain ~ ', 0)'}) -%}
    {%- endfor -%}
    {{ return(weights) }}
{%- endmacro -%}

{#- The most (or the least) that a box of weights can make of the fusion score. At the most
    every score above some level has the highest of its weights and the rest the lowest:
    the level is one of the scores, or above them all. See docs/decisions/0031. -#}
{%- macro reachable_fusion_score(function, votes, box) -%}
    {%- set sign = '>=' if function == 'greatest' else '<=' -%}
    {{ function }}(
        {{ barsieve.fusion_score(votes, barsieve.box_of(votes, box, none, none)) }}
        {%- for level in barsieve.domains() -%},
        {{ barsieve.fusion_score(votes, barsieve.box_of(votes, box, sign, level)) }}
        {%- endfor %}
    )
{%- endmacro -%}

{%- macro box_of(votes, box, sign, level) -%}
    {%- set weights = {} -%}
    {%- for domain in barsieve.domains() -%}
        {#- A domain that a profile does not name has no part. -#}
        {%- set low = 'coalesce(' ~ box ~ '.low_' ~ domain ~ ', 0)' -%}
        {%- set high = 'coalesce(' ~ box ~ '.high_' ~ domain ~ ', 0)' -%}
        {%- do weights.update({
            domain: low if level is none else 'case when ' ~ votes ~ '.score_' ~ domain
                ~ ' ' ~ sign ~ ' ' ~ votes ~ '.score_' ~ level ~ ' then ' ~ high
                ~ ' else ' ~ low ~ ' end'
        }) -%}
    {%- endfor -%}
    {{ return(weights) }}
{%- endmacro -%}
