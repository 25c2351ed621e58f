-- Only a signal in force has a row. A comparison with a missing series is never true,
-- so a missing series leaves its gate open; `macro_vetoes` counts what was missing.
{% for signal in macro_signals() -%}
    select
        symbol,
        bar_ts,
        '{{ signal }}' as signal,
        veto_long::double as veto_long,
        veto_short::double as veto_short,
        greenlight::double as greenlight,
    from {{ ref('signal_' ~ signal) }}
    where veto_long != 0 or veto_short != 0 or greenlight != 0
    {% if not loop.last %}union all{% endif %}
{% endfor %}
