{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['dxy'],
    greenlight='case when dxy < dxy_soft__dxy_below then dxy_soft__greenlight end',
) }}
