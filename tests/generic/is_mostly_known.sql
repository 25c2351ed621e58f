{#- Names the columns that are null for much of the span. -#}
{% test is_mostly_known(model, columns, at_least_share=0.7) %}
with shares as (
    select
        {% for column in columns %}
        count({{ column }}) / count(*) as {{ column }},
        {% endfor %}
    from {{ model }}
),

known as (
    unpivot shares on {{ columns | join(', ') }} into name column_name value share_known
)

select * from known
where share_known < {{ at_least_share }}
{% endtest %}
