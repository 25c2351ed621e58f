{%- set inversion -%}
    case
        when yield_spread > yield_inversion__spread_above then yield_inversion__veto
        when yield_spread > yield_inversion__near_spread_above
            then yield_inversion__near_veto
    end
{%- endset -%}

{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['yield_spread'],
    veto=inversion,
) }}
