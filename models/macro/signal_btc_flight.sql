{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['btc_dominance'],
    veto='case when btc_dominance > btc_flight__btc_dominance_above then btc_flight__veto end',
) }}
