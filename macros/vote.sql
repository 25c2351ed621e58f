{#- The side that a domain score votes for; `none` without a view, null when unknown. -#}
{%- macro vote(score) -%}
    case
        when {{ score }} > 0.55 then 'long'
        when {{ score }} < 0.45 then 'short'
        when {{ score }} is not null then 'none'
    end
{%- endmacro -%}
