-- Whether a signal has a word to say, by its name.
{% for signal in macro_signals() -%}
    select
        symbol,
        '{{ signal }}' as signal,
        count(*) as bars,
        count_if(is_known) as known_bars,
        count_if(is_known and (veto_long != 0 or veto_short != 0 or greenlight != 0))
            as bars_in_force,
    from {{ ref('features') }}
    left join {{ ref('signal_' ~ signal) }} using (symbol, bar_ts)
    group by symbol
    {% if not loop.last %}union all{% endif %}
{% endfor %}
