{% for signal in macro_signals() -%}
    select
        symbol,
        bar_ts,
        '{{ signal }}' as signal,
    from {{ ref('signal_' ~ signal) }}
    where is_known is not true
    {% if not loop.last %}union all{% endif %}
{% endfor %}
