-- Whether a signal has a word to say, by its name.
with bars as (
    select
        symbol,
        count(*) as bars,
    from {{ ref('features') }}
    group by symbol
),

unknown as (
    select
        symbol,
        signal,
        count(*) as bars,
    from {{ ref('macro_unknown') }}
    group by symbol, signal
),

in_force as (
    select
        symbol,
        signal,
        count(*) as bars,
    from {{ ref('macro_signals') }}
    semi join {{ ref('features') }} using (symbol, bar_ts)
    anti join {{ ref('macro_unknown') }} using (symbol, bar_ts, signal)
    group by symbol, signal
)

select
    bars.symbol,
    signals.signal,
    bars.bars,
    bars.bars - coalesce(unknown.bars, 0) as known_bars,
    coalesce(in_force.bars, 0) as bars_in_force,
from bars
cross join (select unnest({{ macro_signals() }}) as signal) as signals
left join unknown
    on bars.symbol = unknown.symbol and signals.signal = unknown.signal
left join in_force
    on bars.symbol = in_force.symbol and signals.signal = in_force.signal
