{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['usdt_dominance_z_60'],
    veto='case when usdt_dominance_z_60 > usdt_flight__usdt_dominance_z_above then usdt_flight__veto end',
) }}
