{#- What the step of the replay reads of a bar whatever the settings: its number, and the columns
    of barsieve.replay.state.BAR. `hour` is a relation with the bar's index,
    `features` that table, `vetoes` a relation with the net vetoes. -#}
{%- macro replay_bar(hour, features, vetoes) -%}
    {{ hour }}.bar_index,
    {{ features }}.gap_hours + 1 as hours_since,
    {{ features }}.open,
    {{ features }}.high,
    {{ features }}.low,
    {{ features }}.close,
    {{ features }}.funding_settled,
    {{ features }}.atr_20,
    {{ features }}.adx_14_4h,
    {{ features }}.volume_z_20,
    {{ features }}.vix,
    {{ features }}.realized_vol_168,
    {{ vetoes }}.net_veto_long,
    {{ vetoes }}.net_veto_short
{%- endmacro -%}
