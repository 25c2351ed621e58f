{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['wti', 'dxy'],
    veto='case when wti > oil_dollar__wti_above and dxy > oil_dollar__dxy_above then oil_dollar__veto end',
) }}
