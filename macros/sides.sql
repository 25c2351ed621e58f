{#- Between these a domain has no view, and a tie of votes no side: each written once. A
    score and a fusion score are bullish above 0.5. -#}
{%- macro votes_long_above() -%} 0.55 {%- endmacro -%}
{%- macro votes_short_below() -%} 0.45 {%- endmacro -%}
{%- macro tie_is_long_above() -%} 0.52 {%- endmacro -%}
{%- macro tie_is_short_below() -%} 0.48 {%- endmacro -%}

{#- The side that a domain score votes for; `none` without a view, null when unknown. -#}
{%- macro vote(score) -%}
    case
        when {{ score }} > {{ barsieve.votes_long_above() }} then 'long'
        when {{ score }} < {{ barsieve.votes_short_below() }} then 'short'
        when {{ score }} is not null then 'none'
    end
{%- endmacro -%}
