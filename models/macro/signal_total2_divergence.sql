{%- set is_divergent -%}
    total2_share > total2_share_mean_30
    and total <= total_mean_30
    and btc_dominance < total2_divergence__btc_dominance_below
{%- endset -%}

{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['total2_share_mean_30', 'total_mean_30', 'btc_dominance'],
    greenlight='case when ' ~ is_divergent ~ ' then total2_divergence__greenlight end',
) }}
