{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['vix'],
    greenlight='case when vix < vix_calm__vix_below then vix_calm__greenlight end',
) }}
