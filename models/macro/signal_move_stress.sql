{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['move'],
    veto='case when move > move_stress__move_above then move_stress__veto end',
) }}
