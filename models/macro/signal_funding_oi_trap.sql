{#- One-sided: who pays to hold while open interest grows is trapped. -#}
{%- set grows = 'oi_change_24h > funding_oi_trap__oi_change_24h_above' -%}
{%- set longs_pay = 'funding_rate > funding_oi_trap__funding_rate_above' -%}
{%- set shorts_pay = 'funding_rate < -funding_oi_trap__funding_rate_above' -%}

{{ macro_signal(
    ref('features'),
    ref('config_macro_signals'),
    needs=['funding_rate', 'oi_change_24h'],
    veto='case when ' ~ longs_pay ~ ' and ' ~ grows
        ~ ' then funding_oi_trap__veto end',
    veto_short='case when ' ~ shorts_pay ~ ' and ' ~ grows
        ~ ' then funding_oi_trap__veto end',
) }}
