-- Bars that are left after each gate, in the order of the gates: where a profile's
-- entries come from, and which gate to look at when there are none.
with counts as (
    select * from {{ ref('evaluation_gate_counts') }}
),

candidate_bars as (
    select
        profile,
        coalesce(symbol, '*') as symbol,
        count(distinct row(symbol, bar_ts)) as candidates,
    from {{ ref('candidates') }}
    group by rollup(profile, symbol)
    having profile is not null
),

passed as (
    select
        *,
        lag(bars) over gates_in_order as bars_before,
        first_value(bars) over gates_in_order as all_bars,
    from {{ ref('evaluation_gates') }}
    window gates_in_order as (partition by profile, symbol order by gate_number)
),

-- The gate that lets nothing more through answers "why no trades?".
blocked as (
    select
        profile,
        symbol,
        min(gate_number) as gate_number,
    from passed
    where bars = 0
    group by profile, symbol
)

select
    passed.profile,
    passed.symbol,
    passed.gate_number::integer as gate_number,
    passed.gate,
    passed.bars::integer as bars,
    passed.bars / passed.all_bars as share_of_bars,
    passed.bars / nullif(passed.bars_before, 0) as share_passed,
    coalesce(candidate_bars.candidates, 0) / passed.all_bars as candidate_share,
    passed.asks,
    coalesce(passed.gate_number = blocked.gate_number, false) as blocks_every_trade,
    counts.lapsed::integer as lapsed,
    counts.refused::integer as refused,
    counts.no_room::integer as no_room,
    counts.liquidated::integer as liquidated,
from passed
left join counts using (profile, symbol)
left join blocked using (profile, symbol)
left join candidate_bars using (profile, symbol)
order by passed.profile, passed.symbol, passed.gate_number
