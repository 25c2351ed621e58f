{% for sentinel in sentinels() -%}
    select
        symbol,
        bar_ts,
        '{{ sentinel }}' as sentinel,
        side,
    from {{ ref('sentinel_' ~ sentinel) }}
    {% if not loop.last %}union all{% endif %}
{% endfor %}
