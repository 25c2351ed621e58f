-- An hour that a signal leaves out is one of which it knows nothing. A table: within
-- macro_vetoes the twelve joins did not fit into 5 GB beside its sums, of 100 symbols.
{% for signal in macro_signals() -%}
    select
        symbol,
        bar_ts,
        '{{ signal }}' as signal,
    from {{ ref('features') }}
    left join {{ ref('signal_' ~ signal) }} using (symbol, bar_ts)
    where is_known is not true
    {% if not loop.last %}union all{% endif %}
{% endfor %}
