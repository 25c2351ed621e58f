{#- No column says the same on every row. An all-null column is not judged here (a
    missing series is a warning of its own), nor is a market of fewer rows. -#}
{% test has_no_constant_column(model, columns, at_least_rows=2000) %}
with counts as (
    select
        count(*) as all_rows,
        {% for column in columns %}
        count({{ column }}) as known_{{ column }},
        approx_count_distinct({{ column }}) as values_{{ column }},
        {% endfor %}
    from {{ model }}
),

columns_of_counts as (
    select unnest([
        {% for column in columns %}
        struct_pack(
            column_name := '{{ column }}', known := known_{{ column }},
            distinct_values := values_{{ column }}
        ){{ ',' if not loop.last }}
        {% endfor %}
    ], recursive := true)
    from counts
    where all_rows >= {{ at_least_rows }}
)

select * from columns_of_counts
where known > 0 and distinct_values < 2
{% endtest %}
