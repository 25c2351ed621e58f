{#- up, down or neutral: a close against its mean, with a band of 1 %. -#}
{%- macro trend(close, mean) -%}
    case
        when {{ close }} > {{ mean }} * 1.01 then 'up'
        when {{ close }} < {{ mean }} * 0.99 then 'down'
        when {{ mean }} is not null then 'neutral'
    end
{%- endmacro -%}
