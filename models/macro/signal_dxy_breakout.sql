{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['dxy'],
    veto='case when dxy > dxy_breakout__dxy_above then dxy_breakout__veto end',
) }}
