{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['vix', 'dxy'],
    veto='case when vix > dxy_vix_synergy__vix_above and dxy > dxy_vix_synergy__dxy_above then dxy_vix_synergy__veto end',
) }}
